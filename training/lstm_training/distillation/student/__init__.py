"""Student."""
