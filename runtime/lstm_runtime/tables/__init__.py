"""Texts in files: one reader for every format, and a writer that keeps what it read."""
