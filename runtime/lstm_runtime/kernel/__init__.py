"""The int8 LSTM kernel: C sources in ``src``, and what finds and registers their library."""
