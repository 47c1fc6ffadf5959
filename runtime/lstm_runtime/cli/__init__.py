"""The command ``lstm-run``: what it reads and what it prints."""
