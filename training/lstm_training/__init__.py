"""The training part of lstm-edge."""
