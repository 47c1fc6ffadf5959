"""A model file in ONNX Runtime: sessions, providers, batches, streams and answers."""
