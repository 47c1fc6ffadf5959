"""The layers behind the LSTM: each is placed by what it was given.

Every layer's input is compared with everything known so far: what the LSTM gave, pooled and joined
in every way, and what earlier layers returned, with each activation function in between. So the
order in which layers are defined plays no part, nor do layers that the answer does not use.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import torch
from lstm_runtime.arrays import Array

from lstm_export.layers import Elementwise, HeadLayer, LinearWeights, ScaleWeights
from lstm_export.reading.sources import ATOL, GAPS, Sources, Values, difference, pool_rows, through
from lstm_export.readout import Block, Pool, Readout, Side
from lstm_export.reference.torch_model import apply_layer


@dataclass(frozen=True)
class Point:
    """Something known on the way from the LSTM to the answer."""

    values: Values
    "``[length, features]`` for each run, or ``[features]`` once the text is one vector."
    head: tuple[HeadLayer, ...]
    "Layers so far."
    readout: Readout | None
    "How the text became one vector; None while there is a row for every word."
    sides: tuple[Side, ...] = ()
    "What is in the rows."


@dataclass
class Closest:
    """The nearest miss, for messages."""

    difference: float = float("inf")
    "Of the numbers."
    what: str = "nothing"
    "In words."

    def look(self, distance: float, what: str) -> bool:
        """Remember a nearer one; return whether it is near enough."""
        if distance < self.difference:
            self.difference, self.what = distance, what
        return distance <= ATOL


@dataclass
class HeadTracer:
    """Follows numbers from the LSTM to the answer."""

    sources: Sources
    "What the LSTM gave."
    genuine: int
    "The first so many runs are as they are; in the others, layers returned random numbers."
    points: list[Point] = field(default_factory=list)
    "What is known, in order."

    def __post_init__(self) -> None:
        """Start from every step's output."""
        self.points += [Point(values, (), None, sides) for sides, values in self.sources.steps()]

    def place(self, layer: HeadLayer, given: Values, returned: Values) -> Closest | None:
        """Find what ``layer`` was given; add what it returned to what is known.

        Returns:
            The nearest miss, or None for a layer that has found its place.

        """
        closest = Closest()
        for point in self.before(given, closest):
            made = tuple(_run(layer, value) for value in point.values)
            n = self.genuine
            if difference(made[:n], returned[:n]) > 10 * ATOL:
                closest.what = f"{closest.what}, but the layer does something of its own"
                closest.difference = difference(made[:n], returned[:n])
                break
            shaped = tuple(b.reshape(a.shape) for a, b in zip(made, returned, strict=True))
            head = (*point.head, layer)
            self.points.append(Point(shaped, head, point.readout, point.sides))
            return None
        return closest

    def before(self, given: Values, closest: Closest) -> Iterator[Point]:
        """Yield the points that ``given`` can be, the latest first."""
        for point in reversed(self.points):
            for candidate in (point, *self._pooled(point)):
                for gap in GAPS:
                    yield from _same(candidate, gap, given, closest)
        yield from self._read_out(given, closest)

    def vectors(self) -> Iterator[Point]:
        """Yield what is known of a text as one vector, the latest first."""
        for point in reversed(self.points):
            yield from (self._pooled(point) if point.readout is None else [point])

    def _pooled(self, point: Point) -> Iterator[Point]:
        """Make one vector of rows that layers have been through, in every way."""
        if point.readout is not None or not point.head:
            return
        pools: list[Pool] = ["step", "first"]
        if all(isinstance(layer, LinearWeights | ScaleWeights) for layer in point.head):
            pools.append("mean")  # the mean of what linear layers make is what they make of it
        for pool in pools:
            values = tuple(pool_rows(pool, rows) for rows in point.values)
            yield replace(point, values=values, readout=self.sources.readout(pool, point.sides))

    def _read_out(self, given: Values, closest: Closest) -> Iterator[Point]:
        """Yield what the LSTM gave, in blocks as wide as its hidden state."""
        hidden = self.sources.hidden
        width = given[0].size
        if any(value.size != width for value in given) or width % hidden:
            return
        blocks = list(self.sources.blocks())
        for gap in GAPS:
            found = [(block, through(gap, values)) for block, values in blocks]
            fits: list[list[Block]] = []
            for start in range(0, width, hidden):
                wanted = tuple(value.ravel()[start : start + hidden] for value in given)
                fits.append(
                    [b for b, v in found if closest.look(difference(v, wanted), _told(b, gap))]
                )
            if all(fits):
                readout = Readout(_agreeing(fits), self.sources.bidirectional)
                values = tuple(value.ravel() for value in given)
                yield Point(values, _with((), gap), readout)


def _same(
    point: Point, gap: Elementwise | None, given: Values, closest: Closest
) -> Iterator[Point]:
    """Yield the point itself where it is ``given``, perhaps through a function."""
    if any(a.size != b.size for a, b in zip(point.values, given, strict=True)):
        return
    made = through(gap, point.values)
    what = "the steps" if point.readout is None else f"readout {point.readout}"
    if closest.look(difference(made, given), f"{what}{_layers(point)}{_after(gap)}"):
        yield Point(made, _with(point.head, gap), point.readout, point.sides)


def _agreeing(fits: list[list[Block]]) -> tuple[Block, ...]:
    """Choose one block of each list, of one pool where that is possible."""

    def count(block: Block) -> int:
        pool = (block.pool, block.layer)
        return sum(any((b.pool, b.layer) == pool for b in blocks) for blocks in fits)

    return tuple(max(blocks, key=count) for blocks in fits)


def _run(layer: HeadLayer, values: Array) -> Array:
    with torch.inference_mode():
        return apply_layer(layer, torch.from_numpy(values)).numpy()


def _with(head: tuple[HeadLayer, ...], gap: Elementwise | None) -> tuple[HeadLayer, ...]:
    return head if gap is None else (*head, gap)


def _told(block: Block, gap: Elementwise | None) -> str:
    side = "" if block.side == "forward" else f" {block.side}"
    return f"readout {block.pool}{side}{_after(gap)}"


def _after(gap: Elementwise | None) -> str:
    return "" if gap is None else f" through {gap.function}"


def _layers(point: Point) -> str:
    return f" and {len(point.head)} layers" if point.head else ""
