"""Hostile texts, many of them, the same ones for the same seed."""

import random
from collections.abc import Iterator

_PIECES = (
    "good", "awful", "don't", "!", "?", " ", "\t", "\n", "\r", "\r\n", "\0", "\ud800", "\udfff",
    "\ufeff", "\u200d", "\u202e", "\u0130", "\u212a", "\u0085", "\u2028", "\U0001f600",
    "\U0010ffff", "\u0301" * 30, "<br />", "&amp;", "'" * 40, "a" * 300, "0" * 50, "{}", "[]",
    '"', "\\", "\x1b[2J", "\x7f", "%s%n", "../..", "\u7d20\u6674", "\u043f\u0440\u0435", "-" * 80,
)  # fmt: skip


def hostile_texts(seed: int, count: int) -> Iterator[str]:
    """Yield texts; most are short, one in some thousands is long."""
    source = random.Random(seed)
    for _ in range(count):
        if source.random() < 0.0003:
            yield source.choice(_PIECES) * 20_000
        elif source.random() < 0.3:
            size = source.randrange(40)
            yield "".join(chr(source.randrange(source.choice((128, 0x3000, 0x110000))))
                          for _ in range(size))  # fmt: skip
        else:
            yield "".join(source.choices(_PIECES, k=source.randrange(12)))
