"""The ONNX graph of a network: text front end, LSTM layers in each precision, readout and head."""
