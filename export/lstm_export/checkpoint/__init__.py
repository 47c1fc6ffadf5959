"""Checkpoints, modules and vocabulary files, read into a network."""
