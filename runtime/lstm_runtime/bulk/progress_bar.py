"""ProgressBar of a long run: one line on a terminal, nothing elsewhere."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import TextIO

_SECONDS = 0.2


class ProgressBar:
    """Shows rows done, rate and time left.

    Args:
        stream: where to; anything but a terminal gets nothing, and None is where there is none.
        total: returns the number of rows; called on a terminal only, since it reads the input.
        done: rows that an earlier run did.

    """

    def __init__(self, stream: TextIO | None, total: Callable[[], int], done: int) -> None:
        self._stream = stream if stream is not None and stream.isatty() else None
        self._total = total() if self._stream else 0
        self._skipped = self._done = done
        self._started = time.monotonic()
        self._shown = 0.0

    def step(self, rows: int = 1) -> None:
        """Count one more row, or more; a few times a second, show it."""
        self._done += rows
        if self._stream is None:
            return
        now = time.monotonic()
        if now - self._shown >= _SECONDS:
            self._shown = now
            self._stream.write(f"\r\x1b[K{self._line(now)}")
            self._stream.flush()

    def close(self) -> None:
        """Wipe the line."""
        if self._stream is not None:
            self._stream.write("\r\x1b[K")
            self._stream.flush()

    def _line(self, now: float) -> str:
        rate = (self._done - self._skipped) / max(now - self._started, 1e-9)
        left = timedelta(seconds=round((self._total - self._done) / max(rate, 1e-9)))
        return f"{self._done:,} of {self._total:,} rows  {rate:,.0f} rows/s  {left} left"
