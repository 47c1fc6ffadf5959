"""Lines of a file that need not be UTF-8 in all places: bad bytes survive a round trip."""

from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

_ESCAPED = range(0xDC80, 0xDD00)


def open_for_writing(path: Path) -> TextIO:
    """Open a text file that takes the escaped bytes of `lines_of` back as they were."""
    return path.open("w", encoding="utf-8", errors="surrogateescape", newline="")


def lines_of(path: Path) -> Iterator[str]:
    r"""Yield lines with their ends, split at "\n" only; bytes that are not UTF-8 are escaped."""
    with path.open(encoding="utf-8", errors="surrogateescape", newline="\n") as file:
        for number, line in enumerate(file):
            yield line.removeprefix("\ufeff") if number == 0 else line


def encoding_problem(text: str) -> str:
    """Say where ``text`` holds escaped bytes; '' where it holds none."""
    if text.isascii():
        return ""
    at = next((n for n, c in enumerate(text, start=1) if ord(c) in _ESCAPED), None)
    return "" if at is None else f"not UTF-8 (character {at})"
