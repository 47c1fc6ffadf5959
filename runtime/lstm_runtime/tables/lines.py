"""Lines of a stream, which are UTF-8, and of a file, where bad bytes survive a round trip."""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, TextIO

from lstm_runtime.errors import InputError

GZIP = ".gz"

_BYTE_ORDER_MARK = "\ufeff"
_ESCAPED = re.compile("[\udc80-\udcff]")


def is_compressed(path: Path) -> bool:
    """Tell by its name whether a file is a gzip file."""
    return path.suffix.lower() == GZIP


def table_suffix(path: Path) -> str:
    """Return the suffix that names a file's format: ``.csv`` for ``A.CSV`` and ``a.csv.gz``."""
    return Path(path.stem if is_compressed(path) else path.name).suffix.lower()


def lines_of(path: Path) -> Iterator[str]:
    r"""Yield lines with their ends, split at "\n" only; bytes that are not UTF-8 are escaped.

    Raises:
        InputError: when a ``.gz`` file is no gzip file, or cut off.

    """
    if is_compressed(path):
        yield from _unpacked_lines(path)
        return
    with path.open("rb") as file:
        yield from _escaped_lines(file)


@contextmanager
def open_for_writing(path: Path) -> Iterator[TextIO]:
    """Open a text file that takes the escaped bytes of `lines_of` back as they were."""
    with path.open("wb") as file:
        # No name and no time within: equal rows make equal files.
        binary = _gzip().GzipFile("", "wb", 6, file, mtime=0) if is_compressed(path) else file
        with io.TextIOWrapper(
            binary, encoding="utf-8", errors="surrogateescape", newline=""
        ) as text:
            yield text


def encoding_problem(text: str) -> str:
    """Say where ``text`` holds escaped bytes; '' where it holds none."""
    if text.isascii():
        return ""
    found = _ESCAPED.search(text)
    return "" if found is None else f"not UTF-8 (character {found.end()})"


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


def _escaped_lines(file: BinaryIO) -> Iterator[str]:
    for number, line in enumerate(file):
        text = line.decode("utf-8", "surrogateescape")
        yield text.removeprefix(_BYTE_ORDER_MARK) if number == 0 else text


def _unpacked_lines(path: Path) -> Iterator[str]:
    import zlib

    number = 0
    try:
        with _gzip().open(path) as file:
            for line in _escaped_lines(file):
                number += 1
                yield line
    except (EOFError, zlib.error, _gzip().BadGzipFile) as error:
        raise InputError(f"{path} is not a complete gzip file, after line {number}") from error


def _gzip() -> Any:
    import gzip  # most files are not compressed

    return gzip
