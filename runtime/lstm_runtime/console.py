"""The standard streams of a command: closed ones, and those that cannot say every character."""

import io
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

_STANDARD = (0, 1, 2)


@contextmanager
def usable_streams() -> Iterator[None]:
    """Let a command write in the block whatever its standard streams are; then leave them alone.

    A closed standard error, as cron and pythonw have it, takes everything and keeps nothing. What
    the encoding of a stream does not have (cp1252 has no emoji) is written as an escape.
    """
    _fill_closed_numbers()
    with ExitStack() as stack:
        if sys.stderr is None:
            nowhere = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - the stack's
            stack.enter_context(nowhere)
            stack.callback(setattr, sys, "stderr", None)
            sys.stderr = nowhere
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
                stream.reconfigure(errors="backslashreplace")
                stack.callback(_make_strict, stream)
        yield


def _make_strict(stream: io.TextIOWrapper) -> None:
    with suppress(OSError, ValueError):  # of a pipe that nobody reads any more, or closed
        stream.reconfigure(errors="strict")


def can_print(text: str) -> bool:
    """Whether standard output has the characters of ``text``."""
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "ascii")
    except UnicodeEncodeError:
        return False
    return True


def _fill_closed_numbers() -> None:
    """Open nothing under the numbers of closed streams: else the next file would get them.

    What libraries write to standard error would then go into that file.
    """
    for number in _STANDARD:
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
