"""Labelled texts: where they come from, how they are checked, split, encoded and batched."""
