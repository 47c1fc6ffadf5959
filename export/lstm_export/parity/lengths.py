"""The lengths of the texts that a model was trained on, which its checkpoint carries."""

from lstm_export.checkpoint.source import Source


def trained_lengths(source: Source) -> tuple[int, ...]:
    """Return lengths in tokens that rise from the shortest to the longest; empty where not known.

    They are those that an equal share of the texts lies between.
    """
    found = source.training.get("lengths")
    if not isinstance(found, list | tuple) or not all(isinstance(n, int) for n in found):
        return ()
    return tuple(sorted(n for n in found if n > 0))
