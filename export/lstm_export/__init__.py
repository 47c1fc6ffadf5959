"""The export part of lstm-edge."""
