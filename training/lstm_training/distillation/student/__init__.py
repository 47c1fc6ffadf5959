"""The student: pre-training as a language model, learning from soft labels, calibration."""
