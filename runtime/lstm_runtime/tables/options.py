"""The options that say how a table is written and name its columns, the same in every command."""

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, Literal

import click

from lstm_runtime.command import option
from lstm_runtime.errors import InputError

if TYPE_CHECKING:
    from lstm_runtime.tables.dialect import Dialect

text_column_option = option(
    "--text-column", group="Input", default="text", show_default=True, help="Column with the texts."
)
label_column_option = option(
    "--label-column",
    group="Input",
    default="label",
    show_default=True,
    help="Column with the labels.",
)


def table_options(group: str = "Input") -> tuple[Callable[[Any], Any], ...]:
    """Return ``--encoding``, ``--delimiter`` and ``--quoting``, under a heading of the help."""
    return (
        option(
            "--encoding",
            group=group,
            help="Encoding of text files without a byte order mark, such as cp1252.  [default: "
            "UTF-8]",
        ),
        option(
            "--delimiter",
            group=group,
            help="What stands between fields: one character, or tab.  [default: a tab in .tsv; in "
            ".csv the one of , ; tab that gives the columns]",
        ),
        option(
            "--quoting",
            group=group,
            type=click.Choice(["csv", "none"]),
            help="Whether fields may stand in double quotes.  [default: csv in .csv, none in .tsv]",
        ),
    )


def dialect_options(group: str = "Input") -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Make a decorator that adds `table_options` to a command, as one argument ``dialect``."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def command(*arguments: Any, **options: Any) -> Any:
            values = [options.pop(name) for name in ("encoding", "delimiter", "quoting")]
            return function(*arguments, dialect=usable_dialect(*values), **options)

        for declare in reversed(table_options(group)):
            command = declare(command)
        return command

    return decorate


def usable_dialect(
    encoding: str | None, delimiter: str | None, quoting: Literal["csv", "none"] | None
) -> "Dialect":
    """Return the dialect that options ask for.

    Raises:
        click.UsageError: when it cannot be.

    """
    from lstm_runtime.tables.dialect import Dialect  # texts in a call have none

    try:
        return Dialect(encoding, delimiter, quoting)
    except InputError as error:
        raise click.UsageError(str(error)) from error
