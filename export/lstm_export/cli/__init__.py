"""The command ``lstm-export``."""
