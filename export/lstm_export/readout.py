"""What the layers after an LSTM see of it: final states, steps, means, joined in any order.

A readout is made of blocks as wide as the hidden state. ``last`` of a two-directional LSTM is two
blocks, the forward and the backward one; ``last:reversed`` the same two the other way round;
``mean,max`` of a one-directional one is two blocks too.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

from lstm_export.errors import UnsupportedModelError

Pool = Literal["last", "step", "first", "mean", "max", "cell"]
"""Final hidden state, output at the last token, output at the first, mean and maximum over all
tokens, final cell state."""

Side = Literal["forward", "backward", "sum", "average"]
"""One direction's half, or the two halves added or averaged."""

_SIDES = {
    "": ("forward", "backward"),
    "reversed": ("backward", "forward"),
    **{side: (side,) for side in get_args(Side)},
}
_TERM = re.compile(r"(\w+)(?::(\w+))?(?:@(\d+))?")


@dataclass(frozen=True)
class Block:
    """As many features as the LSTM has hidden units."""

    pool: Pool
    "How a sequence becomes one vector."
    side: Side = "forward"
    "Of which direction."
    layer: int | None = None
    "Of which layer, counted from 0, for ``last`` and ``cell``; None for the top one."


@dataclass(frozen=True)
class Readout:
    """Blocks, joined in order."""

    blocks: tuple[Block, ...]
    "One at least."
    bidirectional: bool = False
    "Whether the LSTM reads both ways."

    @classmethod
    def parse(cls, text: str, *, bidirectional: bool) -> "Readout":
        """Read ``last``, ``mean,max``, ``last:reversed``, ``cell@0`` and the like.

        Args:
            text: terms joined by commas; a term is a pool, then ``:`` and a side or ``reversed``
                where it is not both directions in their order, then ``@`` and a layer where it is
                not the top one.
            bidirectional: whether the LSTM reads both ways.

        Raises:
            UnsupportedModelError: when it makes no sense; the message lists what does.

        """
        blocks = tuple(b for term in text.split(",") for b in _blocks(term, bidirectional))
        return cls(blocks, bidirectional)

    def __str__(self) -> str:
        """Return the text that `parse` reads."""
        terms: list[str] = []
        rest = list(self.blocks)
        while rest:
            name, taken = _term(rest, self.bidirectional)
            terms.append(name)
            rest = rest[taken:]
        return ",".join(terms)


def _blocks(term: str, bidirectional: bool) -> Iterator[Block]:
    match = _TERM.fullmatch(term.strip())
    pools = get_args(Pool)
    if not match or match[1] not in pools or (match[2] or "") not in _SIDES:
        raise UnsupportedModelError(
            f"{term!r} is no readout: {', '.join(pools)}, joined by commas, each alone or with "
            f"{', '.join(':' + side for side in _SIDES if side)}"
        )
    if not bidirectional and match[2]:
        raise UnsupportedModelError(f"{term!r}: the LSTM reads one way only")
    sides = _SIDES[match[2] or ""] if bidirectional else ("forward",)
    # With one direction, the output at the last token is the final state.
    name = "last" if match[1] == "step" and not bidirectional else match[1]
    pool: Pool = next(p for p in get_args(Pool) if p == name)
    layer = int(match[3]) if match[3] else None
    for side in sides:
        yield Block(pool, next(s for s in get_args(Side) if s == side), layer)


def _term(blocks: list[Block], bidirectional: bool) -> tuple[str, int]:
    """Return the name of the first term of ``blocks`` and how many of them it takes."""
    pool, layer = blocks[0].pool, blocks[0].layer
    ending = "" if layer is None else f"@{layer}"
    if not bidirectional:
        return f"{pool}{ending}", 1
    starts = [block.side for block in blocks if (block.pool, block.layer) == (pool, layer)]
    for suffix, sides in _SIDES.items():
        same = [(block.pool, block.layer) for block in blocks[: len(sides)]]
        if tuple(starts[: len(sides)]) == sides and same == [(pool, layer)] * len(sides):
            return f"{pool}{':' if suffix else ''}{suffix}{ending}", len(sides)
    raise AssertionError(blocks)


LAST = Readout((Block("last"),))
"""The final state of a one-directional LSTM."""
