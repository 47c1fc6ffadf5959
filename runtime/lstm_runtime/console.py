"""The standard streams of a command: closed or full ones, and those that lack characters."""

import errno
import io
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

_STANDARD = (0, 1, 2)


@contextmanager
def usable_streams() -> Iterator[None]:
    """Let a command write in the block whatever its standard streams are; then leave them alone.

    A closed standard error, as cron and pythonw have it, takes everything and keeps nothing, and a
    full one what it can: no warning ends a run. What the encoding of a stream does not have (cp1252
    has no emoji) is written as an escape.
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
        buffer = getattr(sys.stderr, "buffer", None)
        raw = getattr(buffer, "raw", buffer)  # PYTHONUNBUFFERED leaves no buffer before it
        if isinstance(sys.stderr, io.TextIOWrapper) and isinstance(raw, io.RawIOBase):
            stack.callback(setattr, sys, "stderr", sys.stderr)
            sys.stderr = _unfailing(sys.stderr, raw)
        yield


class _Unfailing(io.RawIOBase):
    """Writes what can be written, and raises only where nobody reads any more, as ``| head``."""

    def __init__(self, raw: io.RawIOBase) -> None:
        super().__init__()
        self._raw = raw

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._raw.fileno()

    def isatty(self) -> bool:
        return self._raw.isatty()

    def write(self, data: Any) -> int | None:
        try:
            return self._raw.write(data)
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise
            return len(data)


def _unfailing(stream: io.TextIOWrapper, raw: io.RawIOBase) -> io.TextIOWrapper:
    buffer = io.BufferedWriter(_Unfailing(raw))
    return io.TextIOWrapper(buffer, stream.encoding, stream.errors, line_buffering=True)


def _make_strict(stream: io.TextIOWrapper) -> None:
    with suppress(OSError, ValueError):  # of a pipe that nobody reads any more, or closed
        stream.reconfigure(errors="strict")


def printable(text: str) -> str:
    """Return ``text`` with a space for each character that could command a terminal."""
    return "".join(c if c.isprintable() else " " for c in text)


def escaped(text: str) -> str:
    """Return ``text`` with an escape for each character that could command a terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


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
