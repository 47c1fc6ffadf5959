"""Ids that may have a sense of their own, as the marks at either end of a vocabulary have."""

_FIRST, _LAST = 16, 8


def marked_ids(vocab_size: int) -> frozenset[int]:
    """Return the first ids of a vocabulary and the last, of which any may be a mark or padding."""
    last = range(max(0, vocab_size - _LAST), vocab_size)
    return frozenset({*range(min(_FIRST, vocab_size)), *last})
