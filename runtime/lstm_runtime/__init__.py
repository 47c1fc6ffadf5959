"""The runtime part of lstm-edge."""
