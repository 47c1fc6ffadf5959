"""What the package logs, as lines of a command."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lstm_runtime.command import notice

_LOGGER = "lstm_training"


class _Stderr(logging.Handler):
    """Prints each message as one line."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print ``record``."""
        notice(self.format(record))


class _File(logging.FileHandler):
    """Appends to a file; one that cannot be written is an error and not a note on stderr."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Let the error through that is being handled."""
        raise  # noqa: PLE0704 - logging calls this while it handles the error


@contextmanager
def log_lines(level: int = logging.INFO, path: Path | None = None) -> Iterator[None]:
    """Print what is logged in the block, to stderr.

    Under ``accelerate launch`` the first process speaks for all.

    Args:
        level: the lowest level that is printed.
        path: a file that gets the lines besides, with the time before each.

    """
    first = os.environ.get("RANK", "0") == "0"
    handlers: list[logging.Handler] = [_Stderr() if first else logging.NullHandler()]
    if first and path:
        file = _File(path, encoding="utf-8")
        file.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%Y-%m-%d %H:%M:%S"))
        handlers.append(file)
    logger = logging.getLogger(_LOGGER)
    before = logger.level
    logger.setLevel(level)
    for handler in handlers:
        logger.addHandler(handler)
    try:
        yield
    finally:
        logger.setLevel(before)
        for handler in handlers:
            logger.removeHandler(handler)
            handler.close()
