"""Everything that an LSTM offers to the layers behind it, over several runs at once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np
import torch
from lstm_runtime.arrays import Array

from lstm_export.layers import FUNCTIONS, Elementwise
from lstm_export.reading.lstm import LstmView
from lstm_export.readout import Block, Pool, Readout, Side
from lstm_export.reference.torch_model import elementwise

Values = tuple[Array, ...]
"""One array for each run."""

ATOL = 1e-5
"""Largest difference, relative above 1, at which two sets of numbers are the same."""

GAPS: tuple[Elementwise | None, ...] = (
    None,
    *(Elementwise.usual(function) for function in FUNCTIONS),
    *(Elementwise("leaky-relu", slope) for slope in (0.05, 0.1, 0.2, 0.3)),
)
"""What may stand between two layers without being one: nothing, or a function."""


def difference(ours: Sequence[Array], theirs: Sequence[Array]) -> float:
    """Return the largest difference over all runs, relative above 1; infinite for other sizes."""
    worst = 0.0
    for a, b in zip(ours, theirs, strict=True):
        if a.size != b.size:
            return float("inf")
        gap = np.abs(a.ravel() - b.ravel()) / np.maximum(1.0, np.abs(b.ravel()))
        worst = max(worst, float(gap.max(initial=0.0)))
    return worst if np.isfinite(worst) else float("inf")


def through(gap: Elementwise | None, values: Values) -> Values:
    """Apply a function to every run's numbers."""
    if gap is None:
        return values
    return tuple(elementwise(gap, torch.from_numpy(value)).numpy() for value in values)


@dataclass(frozen=True)
class Sources:
    """What one stack of LSTM layers gave, run by run."""

    views: tuple[LstmView, ...]
    "One for each run."

    @property
    def bidirectional(self) -> bool:
        """Whether it reads both ways."""
        return len(self.views[0].h[-1]) == 2

    @property
    def hidden(self) -> int:
        """Units of the top layer."""
        return int(self.views[0].h[-1].shape[1])

    def steps(self) -> Iterator[tuple[tuple[Side, ...], Values]]:
        """Yield every step's output, ``[length, features]``, with the sides that are in it."""
        whole = tuple(view.steps for view in self.views)
        if not self.bidirectional:
            yield ("forward",), whole
            return
        yield ("forward", "backward"), whole
        for side in ("sum", "average", "forward", "backward"):
            yield (side,), tuple(self._side(side, view) for view in self.views)

    def blocks(self) -> Iterator[tuple[Block, Values]]:
        """Yield everything that is as wide as the hidden state, the most usual first."""
        sides: tuple[Side, ...] = get_args(Side) if self.bidirectional else ("forward",)
        pools: tuple[Pool, ...] = ("last", "step", "mean", "max", "first", "cell")
        for pool in pools:
            if pool == "step" and not self.bidirectional:
                continue  # the final state by another name
            for side in sides:
                yield Block(pool, side), tuple(self._pooled(pool, side, v) for v in self.views)
        for layer in range(len(self.views[0].h) - 1):
            for pool in ("last", "cell"):
                for side in sides:
                    values = tuple(self._state(pool, side, v, layer) for v in self.views)
                    yield Block(pool, side, layer), values

    def readout(self, pool: Pool, sides: tuple[Side, ...]) -> Readout:
        """Return the readout that pools the steps of ``sides``."""
        pool = "last" if pool == "step" and not self.bidirectional else pool
        return Readout(tuple(Block(pool, side) for side in sides), self.bidirectional)

    def _pooled(self, pool: Pool, side: Side, view: LstmView) -> Array:
        if pool in {"last", "cell"}:
            return self._state(pool, side, view, -1)
        return pool_rows(pool, self._side(side, view))

    def _side(self, side: Side, view: LstmView) -> Array:
        return _join(side, np.split(view.steps, len(view.h[-1]), axis=1))

    @staticmethod
    def _state(pool: str, side: Side, view: LstmView, layer: int) -> Array:
        return _join(side, list((view.h if pool == "last" else view.c)[layer]))


def pool_rows(pool: Pool, rows: Array) -> Array:
    """Make one vector of the rows of one text."""
    match pool:
        case "mean":
            return np.asarray(rows.mean(axis=0))
        case "max":
            return np.asarray(rows.max(axis=0))
        case "first":
            return np.asarray(rows[0])
        case _:
            return np.asarray(rows[-1])


def _join(side: Side, directions: list[Array]) -> Array:
    match side:
        case "forward":
            return directions[0]
        case "backward":
            return directions[-1]
        case "sum":
            return np.asarray(directions[0] + directions[-1])
        case "average":
            return np.asarray((directions[0] + directions[-1]) / 2)
