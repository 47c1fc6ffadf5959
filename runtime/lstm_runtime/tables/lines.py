"""Lines of a stream, which are UTF-8."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import AnyStr, BinaryIO

from lstm_runtime.errors import InputError
from lstm_runtime.tables.base import TextRow

LONGEST = 1 << 28
"""Characters of a line, or of a field: else what never ends would swallow the memory."""

_BYTE_ORDER_MARK = "\ufeff"


def numbered_lines(
    readline: Callable[[int], AnyStr], name: str | Path
) -> Iterator[tuple[int, AnyStr]]:
    """Yield the lines of a file with their ends, each with its number, counted from 1.

    Raises:
        InputError: names ``name`` and the number of a line that is longer than any text.

    """
    number = 1
    while line := readline(LONGEST + 1):
        if len(line) > LONGEST:
            raise InputError(f"{name}, line {number}: more than {LONGEST:,} without a line end")
        yield number, line
        number += 1


def read_rows(stream: BinaryIO, name: str) -> Iterator[TextRow]:
    r"""Yield the lines of a UTF-8 stream as they arrive, without their line ends.

    Lines end at ``\n`` alone (``\r\n`` too): reviews hold U+0085 and other characters at which
    ``str.splitlines`` would cut. Every line is a text, also an empty one, so answers keep their
    line numbers. A line that is not UTF-8 is a bad row.

    Raises:
        InputError: at a line that never ends.

    """
    for number, line in numbered_lines(stream.readline, name):
        where = f"{name}, line {number}"
        try:
            text = line.decode("utf-8")
        except UnicodeDecodeError as error:
            yield TextRow(where, "", problem=f"not UTF-8 (byte {error.start + 1})")
            continue
        text = text.removesuffix("\n").removesuffix("\r")
        yield TextRow(where, text.removeprefix(_BYTE_ORDER_MARK) if number == 1 else text)


def read_lines(stream: BinaryIO, name: str) -> Iterator[str]:
    """Yield the texts of `read_rows`.

    Raises:
        InputError: at a line that is not UTF-8; names ``name`` and the line's number.

    """
    for row in read_rows(stream, name):
        if row.problem:
            raise InputError(f"{row.where}: {row.problem}")
        yield row.text
