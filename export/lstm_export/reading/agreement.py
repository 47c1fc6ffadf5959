"""Whether a reading holds where it was not found: in long texts, and for ids with a sense."""

import copy
from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
from lstm_runtime.arrays import Array
from torch import nn

from lstm_export.errors import UnsupportedModelError
from lstm_export.network import Network
from lstm_export.reading.refusal import READING, OutsideFamilyError, RefusalError
from lstm_export.reading.sources import difference
from lstm_export.reference.copying import copy_module
from lstm_export.reference.marks import marked_ids
from lstm_export.reference.torch_model import TorchReference

LENGTHS = (64, 190, 450, 513, 1025, 2100)
"""Of the texts that a reading has to hold for: many a forward cuts them, at 200 or 512 words."""

_ATOL = 1e-4
"""Largest difference of an answer: what is read otherwise is off by more."""

Probability = Callable[[Sequence[int]], Array]


class ReadModule(Protocol):
    """A module and what it was read as."""

    module: nn.Module
    name: str
    network: Network
    padding: frozenset[int]

    def probability(self, ids: Sequence[int]) -> Array:
        """Return the module's own answer."""
        ...


def require_agreement(original: ReadModule) -> None:
    """Compare a module with what it was read as, on texts longer than those it was watched on.

    A text that forward fails on is none that a file could be wrong about.

    Raises:
        OutsideFamilyError: names the length at which they differ.

    """
    reference, random = TorchReference(original.network), np.random.default_rng(3)
    rows = len(original.network.embedding)
    words = [n for n in range(rows) if n not in original.padding] or list(range(rows))
    for length in LENGTHS:
        ids = random.choice(words, length).tolist()
        try:
            theirs = original.probability(ids)
        except UnsupportedModelError:
            return
        if difference([reference.probability(ids)], [theirs]) > _ATOL and not _is_accident(
            original, ids, theirs
        ):
            raise OutsideFamilyError(
                f"{original.name}.forward reads a text of {length} words otherwise than shorter "
                "ones: as if it cut them"
            )


def find_padding(
    network: Network, theirs: Probability, candidates: frozenset[int] = frozenset()
) -> frozenset[int]:
    """Find the ids that a module leaves out behind a text, which no comparison may use.

    Args:
        network: what the module was read as.
        theirs: the module's own answer to ids.
        candidates: ids that its layers call padding.

    Raises:
        RefusalError: when an id has another sense, such as a mark behind which no word counts.

    """
    rows, ours = len(network.embedding), TorchReference(network).probability
    marks = {*marked_ids(rows), *candidates}
    plain = [n for n in range(rows) if n not in marks]
    # Of a small vocabulary all are looked at, beside words that the reading was found with.
    words = (plain or [n for n in range(2, rows) if n not in candidates] or [rows - 1])[-2:]
    marks -= set(words)
    padding, others = set[int](), list[int]()
    for n in sorted(n for n in marks if n < rows):
        if _is_word(n, words, ours, theirs):
            continue
        # Padding is 0 or 1 where no layer names it, and may end a text too.
        known = n in {0, 1, *candidates}
        if _is_left_out(n, words, theirs) and (known or not _ends_text(n, words, theirs)):
            padding.add(n)
        else:
            others.append(n)
    if others:
        told = ", ".join(map(str, others[:6]))
        raise RefusalError(f"forward reads the id {told} otherwise than as a word", READING)
    return frozenset(padding)


def _is_word(n: int, words: list[int], ours: Probability, theirs: Probability) -> bool:
    first, last = words[0], words[-1]
    for ids in ([first, n, last], [first, last, n], [n, last], [first, n, n, last]):
        try:
            found = theirs(ids)
        except UnsupportedModelError:
            return False
        if difference([ours(ids)], [found]) > _ATOL:
            return False
    return True


def _is_left_out(n: int, words: list[int], theirs: Probability) -> bool:
    """Tell whether an id behind a text changes nothing, or cannot be read at all."""
    first, last = words[0], words[-1]
    try:
        return difference([theirs([first, last, n, n])], [theirs([first, last])]) <= _ATOL
    except UnsupportedModelError:
        return True


def _ends_text(n: int, words: list[int], theirs: Probability) -> bool:
    first, last = words[0], words[-1]
    try:
        short, long, cut = theirs([first]), theirs([first, last]), theirs([first, n, last])
    except UnsupportedModelError:
        return False
    return difference([short], [cut]) <= _ATOL < difference([short], [long])


def _is_accident(original: ReadModule, ids: Sequence[int], theirs: Array) -> bool:
    """Tell whether the module's own answer is no more than the rounding of its sums."""
    double = copy.copy(original)
    try:
        double.module = copy_module(original.module).double()
        return difference([theirs], [double.probability(ids)]) > _ATOL
    except UnsupportedModelError:
        return False
