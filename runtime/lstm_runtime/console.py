"""What the three commands share: errors become one line on stderr, never a traceback."""

import errno
from typing import Any

import click

from lstm_runtime.errors import LstmEdgeError


class EdgeCommand(click.Command):
    """A click command that reports expected failures in one line and exits 1.

    Usage errors exit 2 and Ctrl-C exits 1, as click does it; a closed pipe (``lstm-run | head``)
    is left to click, which ends quietly.
    """

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command's function."""
        try:
            return super().invoke(ctx)
        except LstmEdgeError as error:
            raise click.ClickException(_one_line(str(error))) from error
        except MemoryError as error:
            raise click.ClickException("out of memory: try fewer or shorter texts") from error
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise
            where = f"{error.filename}: " if error.filename else ""
            raise click.ClickException(f"{where}{error.strerror or error}") from error


def _one_line(message: str) -> str:
    return " ".join(message.split())
