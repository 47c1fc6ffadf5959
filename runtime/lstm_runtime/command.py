"""What all commands share: grouped help that opens with examples, and errors in one line."""

import errno
import os
from collections.abc import Callable, Iterable
from typing import Any

import click

from lstm_runtime.console import usable_streams
from lstm_runtime.errors import LstmEdgeError
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


class GroupedOption(click.Option):
    """An option with a heading."""

    def __init__(self, *arguments: Any, group: str = OTHER, **attributes: Any) -> None:
        super().__init__(*arguments, **attributes)
        self.group = group


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

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command's function."""
        if os.environ.get("NO_COLOR"):
            ctx.color = False
        try:
            return super().invoke(ctx)
        except LstmEdgeError as error:
            raise click.ClickException(_one_line(str(error))) from error
        except ImportError as error:
            raise click.ClickException(_one_line(broken_library(error))) from error
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
