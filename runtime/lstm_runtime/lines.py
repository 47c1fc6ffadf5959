"""Texts from a stream, one a line."""

from collections.abc import Iterator
from typing import BinaryIO

from lstm_runtime.errors import InputError

_BYTE_ORDER_MARK = "\ufeff"


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
