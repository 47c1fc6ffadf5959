"""The network run without ONNX: by PyTorch, and by a NumPy cell that shares no code with it."""
