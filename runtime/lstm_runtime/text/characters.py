"""Which characters a place in a token pattern takes, as ranges of code points."""

import re
from collections.abc import Sequence
from typing import Any

PARSER: Any = re._parser  # type: ignore[attr-defined] # what the compiler itself sees; no other way
OPS: Any = re._constants  # type: ignore[attr-defined]

LAST = 0x10FFFF

Ranges = tuple[tuple[int, int], ...]

ASCII_CLASSES: dict[str, Ranges] = {
    "DIGIT": ((48, 57),),
    "SPACE": ((9, 13), (32, 32)),
    "WORD": ((48, 57), (65, 90), (95, 95), (97, 122)),
}


class UnsafePatternError(ValueError):
    """A pattern that ``re`` could take for ever on, that RE2 lacks, or that can match nothing."""


def flags_of(pattern: str) -> frozenset[str]:
    """Return the flags that a pattern sets itself, wherever it does, such as ``i``."""
    return frozenset("".join(re.findall(r"\(\?([a-zA-Z]*)[:)-]", pattern)))


def characters(operator: Any, argument: Any, flags: frozenset[str] = frozenset()) -> Ranges:
    """Return the characters of one place of a parsed pattern.

    Args:
        operator: of ``re``'s own parser.
        argument: what it says of the operator.
        flags: those of the pattern, see `flags_of`.

    Raises:
        UnsafePatternError: when RE2 does not have it.

    """
    if operator is OPS.IN:
        negated = argument[0][0] is OPS.NEGATE
        items = argument[1:] if negated else argument
        found = [one for kind, what in items for one in characters(kind, what, flags)]
        return others(found) if negated else tuple(found)
    if operator is OPS.LITERAL:
        return _folded(((argument, argument),), flags)
    if operator is OPS.NOT_LITERAL:
        return others(_folded(((argument, argument),), flags))
    if operator is OPS.RANGE:
        return _folded((tuple(argument),), flags)
    if operator is OPS.ANY:
        return ((0, LAST),) if "s" in flags else others([(10, 10)])
    if operator is OPS.CATEGORY:
        name = str(argument).removeprefix("CATEGORY_")
        known = ASCII_CLASSES[name.removeprefix("NOT_")]
        return others(known) if name.startswith("NOT_") else known
    raise UnsafePatternError(f"has {str(operator).lower()}, which RE2 does not have")


def others(ranges: Sequence[tuple[int, int]]) -> Ranges:
    """Return all characters that are not in ``ranges``."""
    found, start = [], 0
    for low, high in sorted(ranges):
        if low > start:
            found.append((start, low - 1))
        start = max(start, high + 1)
    return (*found, (start, LAST)) if start <= LAST else tuple(found)


def _folded(ranges: Ranges, flags: frozenset[str]) -> Ranges:
    """Add the other case of ASCII letters, where case does not matter."""
    if "i" not in flags:
        return ranges
    return ranges + tuple(
        (ord(chr(n).swapcase()), ord(chr(n).swapcase()))
        for low, high in ranges
        for n in range(low, min(high, 127) + 1)
        if chr(n).isalpha()
    )
