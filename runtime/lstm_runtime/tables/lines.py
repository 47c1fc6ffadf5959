"""Lines of a stream, which are UTF-8, and of a file, where bad bytes survive a round trip."""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, TextIO

from lstm_runtime.errors import InputError

_BYTE_ORDER_MARK = "\ufeff"
_ESCAPED = range(0xDC80, 0xDD00)


def open_for_writing(path: Path) -> TextIO:
    """Open a text file that takes the escaped bytes of `lines_of` back as they were."""
    return path.open("w", encoding="utf-8", errors="surrogateescape", newline="")


def lines_of(path: Path) -> Iterator[str]:
    r"""Yield lines with their ends, split at "\n" only; bytes that are not UTF-8 are escaped."""
    with path.open(encoding="utf-8", errors="surrogateescape", newline="\n") as file:
        for number, line in enumerate(file):
            yield line.removeprefix(_BYTE_ORDER_MARK) if number == 0 else line


def encoding_problem(text: str) -> str:
    """Say where ``text`` holds escaped bytes; '' where it holds none."""
    if text.isascii():
        return ""
    at = next((n for n, c in enumerate(text, start=1) if ord(c) in _ESCAPED), None)
    return "" if at is None else f"not UTF-8 (character {at})"


def read_lines(stream: BinaryIO, name: str) -> Iterator[str]:
    r"""Yield the lines of a UTF-8 stream as they arrive, without their line ends.

    Lines end at ``\n`` alone (``\r\n`` too): reviews hold U+0085 and other characters at which
    ``str.splitlines`` would cut. Every line is a text, also an empty one, so answers keep their
    line numbers.

    Raises:
        InputError: at a line that is not UTF-8; names ``name`` and the line's number.

    """
    for number, line in enumerate(stream, start=1):
        try:
            text = line.decode("utf-8")
        except UnicodeDecodeError as error:
            raise InputError(
                f"{name}, line {number}: not UTF-8 (byte {error.start + 1})"
            ) from error
        text = text.removesuffix("\n").removesuffix("\r")
        yield text.removeprefix(_BYTE_ORDER_MARK) if number == 1 else text
