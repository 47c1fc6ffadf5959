"""What all commands share: grouped help that opens with examples, and errors in one line."""

import errno
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from math import isnan
from types import FrameType
from typing import Any

import click

from lstm_runtime.console import escaped, usable_streams
from lstm_runtime.errors import InputError, LstmEdgeError, MissingExtraError
from lstm_runtime.extras import broken_library

OTHER = "Other"


def option(*names: str, group: str = OTHER, **attributes: Any) -> Callable[[Any], Any]:
    """Declare an option as ``click.option`` does, under a heading of the command's help.

    Args:
        names: as click takes them.
        group: the heading, such as "Input"; headings stand in the order of their first option.
        attributes: as click takes them.

    """
    return click.option(*names, cls=GroupedOption, group=group, **attributes)


def notice(message: str) -> None:
    """Say something on standard error that is no answer: names in it are those of somebody else."""
    click.echo(escaped(message), err=True)


def require_stdout() -> None:
    """Check that answers can be given on standard output.

    Raises:
        InputError: when it is closed.

    """
    if sys.stdout is None:
        raise InputError("standard output is closed")


class GroupedOption(click.Option):
    """An option with a heading."""

    def __init__(self, *arguments: Any, group: str = OTHER, **attributes: Any) -> None:
        super().__init__(*arguments, **attributes)
        self.group = group


class NumberIn(click.FloatRange):
    """A number within bounds; NaN, which is neither below nor above any, is none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the number."""
        found = super().convert(value, param, ctx)
        return self.fail(f"{value!r} is no number", param, ctx) if isnan(found) else found


class OneLineErrorCommand(click.Command):
    """A click command that reports expected failures in one line and exits 1.

    Usage errors exit 2, as click does it. Ctrl-C and a closed pipe (``lstm-run | head``) end
    quietly with 1. Colour goes to terminals only, and nowhere where ``NO_COLOR`` is set. ``-h``
    is short for ``--help``.

    Args:
        arguments: as click takes them.
        examples: lines for the top of the help, each a call of the command.
        attributes: as click takes them.

    """

    def __init__(self, *arguments: Any, examples: Iterable[str] = (), **attributes: Any) -> None:
        settings = {"help_option_names": ["-h", "--help"]}
        attributes["context_settings"] = settings | (attributes.get("context_settings") or {})
        super().__init__(*arguments, **attributes)
        self.examples = tuple(examples)

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what the command does, and the examples as they stand."""
        super().format_help_text(ctx, formatter)
        if self.examples:
            with formatter.section("Examples"):
                for line in self.examples:
                    formatter.write(f"{'':{formatter.current_indent}}{line}\n")

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options under their headings."""
        groups: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            # Newer versions of click also list arguments, which the help text tells of.
            if record is not None and isinstance(parameter, click.Option):
                groups.setdefault(getattr(parameter, "group", OTHER), []).append(record)
        # Whatever has no heading of its own, --help among it, comes last.
        groups[OTHER] = groups.pop(OTHER, [])
        for group, records in groups.items():
            if records:
                with formatter.section(group if len(groups) > 1 else "Options"):
                    formatter.write_dl(records)

    def main(self, *arguments: Any, **settings: Any) -> Any:
        """Run the command with streams that take whatever it writes."""
        with usable_streams():
            return super().main(*arguments, **settings)

    def make_context(self, *arguments: Any, **settings: Any) -> click.Context:
        """Read the arguments, which may also print the help or the version."""
        with _told_in_one_line():
            return super().make_context(*arguments, **settings)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command's function."""
        if os.environ.get("NO_COLOR"):
            ctx.color = False
        with _told_in_one_line(), _noted_interrupts() as interrupts:
            try:
                return super().invoke(ctx)
            except KeyboardInterrupt:
                ctx.exit(1)
            except Exception as error:
                if interrupts and not _is_told(error):
                    ctx.exit(1)
                raise


@contextmanager
def _told_in_one_line() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        failure = _failure(error)
        if failure is None:
            raise
        raise click.ClickException(_one_line(failure)) from error


@contextmanager
def _noted_interrupts() -> Iterator[list[int]]:
    """Note Ctrl-C besides: a library that is being loaded may swallow it, and fail of that."""
    seen: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        seen.append(number)
        signal.default_int_handler(number, frame)

    main = threading.current_thread() is threading.main_thread()
    if not main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield seen
        return
    signal.signal(signal.SIGINT, note)
    try:
        yield seen
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _is_told(error: Exception) -> bool:
    """Tell whether an error says something of its own, even after Ctrl-C."""
    ours = isinstance(error, LstmEdgeError) and not isinstance(error, MissingExtraError)
    return ours or isinstance(error, click.ClickException | click.exceptions.Exit)


def _failure(error: Exception) -> str | None:
    """Return what an expected failure is told as; None for any other."""
    if isinstance(error, LstmEdgeError):
        return str(error)
    if isinstance(error, ImportError):
        return broken_library(error)
    if isinstance(error, MemoryError):
        return "out of memory: try fewer or shorter texts"
    if isinstance(error, OSError) and error.errno != errno.EPIPE:
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror or error}"
    return None


def _one_line(message: str) -> str:
    return escaped(" ".join(message.split()))
