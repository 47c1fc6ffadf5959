"""The teachers: n-grams, a fine-tuned sentence encoder, and the ensemble of both."""
