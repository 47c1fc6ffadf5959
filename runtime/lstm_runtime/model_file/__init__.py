"""The ``.onnx`` file itself: its contract, its checksum, and a reader of its weights."""
