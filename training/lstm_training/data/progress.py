"""A progress bar over texts that are read, where someone is watching."""

import sys
from collections.abc import Iterable, Iterator, Sized
from typing import TypeVar

Item = TypeVar("Item")

_FEW = 20_000
"""Texts that take no longer than a bar is worth."""


def watched(items: Iterable[Item], what: str, total: int | None = None) -> Iterator[Item]:
    """Yield ``items`` under a progress bar, if standard error is a terminal.

    Args:
        items: what is gone through.
        what: says in a word what for.
        total: how many there are; their length when left out, where they have one.

    """
    total = len(items) if total is None and isinstance(items, Sized) else total
    few = total is not None and total < _FEW
    if few or sys.stderr is None or not sys.stderr.isatty():
        yield from items
        return
    try:
        from tqdm import tqdm  # of the extra
    except ImportError:
        yield from items
        return
    yield from tqdm(items, what, total, unit=" texts", leave=False, mininterval=0.3)
