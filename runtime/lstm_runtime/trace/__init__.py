"""What happens at each token: the LSTM's four gates in NumPy, from the file's own weights."""
