"""A part of some examples, chosen at random, with each label in its proportion."""

from collections.abc import Sequence

import numpy as np

from lstm_training.data.examples import Examples
from lstm_training.errors import DataError


def split(examples: Examples, holdout: float, seed: int) -> tuple[Examples, Examples]:
    """Return the training and the held-out part, with the classes in the same proportion."""
    classes = len(examples.label_names)
    count = min(max(round(len(examples) * holdout), classes), len(examples) - classes)
    chosen = set(stratified(examples, count, seed))
    rest = [n for n in range(len(examples)) if n not in chosen]
    return examples.select(rest), examples.select(sorted(chosen))


def stratified(examples: Examples, count: int, seed: int) -> list[int]:
    """Choose ``count`` positions at random, with each class in its proportion.

    A class has at least one text on either side.

    Raises:
        DataError: when a class has fewer than two texts, or ``count`` is less than one a class.

    """
    fewest, name = min(zip(examples.counts, examples.label_names, strict=True))
    if fewest < 2:
        raise DataError(
            f"{examples.name}: a class has {fewest} distinct text; 2 are needed (of {name})"
        )
    classes = len(examples.label_names)
    if count < classes:
        raise DataError(f"{examples.name}: {count} texts are too few for {classes} labels")
    generator = np.random.default_rng(seed)
    column = np.array(examples.labels)
    shuffled = [generator.permutation(np.flatnonzero(column == n)) for n in range(classes)]
    shares = _shares(examples.counts, count)
    return sorted(
        int(n) for rows, share in zip(shuffled, shares, strict=True) for n in rows[:share]
    )


def _shares(counts: Sequence[int], wanted: int) -> list[int]:
    """Part ``wanted`` among classes by their ``counts``; each gets one, and leaves one."""
    shares: list[int] = []
    for n, count in enumerate(counts):
        later = counts[n + 1 :]
        left = wanted - sum(shares)
        share = round(left * count / (count + sum(later)))
        least = max(1, left - sum(later) + len(later))
        shares.append(min(max(share, least), count - 1, left - len(later)))
    return shares
