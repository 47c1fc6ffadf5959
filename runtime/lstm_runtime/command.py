"""What all commands share: errors become one line on stderr, never a traceback."""

import errno
import os
from typing import Any

import click

from lstm_runtime.errors import LstmEdgeError


class OneLineErrorCommand(click.Command):
    """A click command that reports expected failures in one line and exits 1.

    Usage errors exit 2, as click does it. Ctrl-C and a closed pipe (``lstm-run | head``) end
    quietly with 1. Colour goes to terminals only, and nowhere where ``NO_COLOR`` is set.
    """

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command's function."""
        if os.environ.get("NO_COLOR"):
            ctx.color = False
        try:
            return super().invoke(ctx)
        except LstmEdgeError as error:
            raise click.ClickException(_one_line(str(error))) from error
        except KeyboardInterrupt:
            ctx.exit(1)
        except MemoryError as error:
            raise click.ClickException("out of memory: try fewer or shorter texts") from error
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise
            where = f"{error.filename}: " if error.filename else ""
            raise click.ClickException(f"{where}{error.strerror or error}") from error


def _one_line(message: str) -> str:
    return " ".join(message.split())
