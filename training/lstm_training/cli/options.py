"""The options that name labelled texts, the same in every command that reads them."""

from collections.abc import Callable
from typing import Any, TypeVar

import click
from lstm_runtime.command import option
from lstm_runtime.tables.options import (
    dialect_options,
    label_column_option,
    text_column_option,
)

from lstm_training.data.labels import parse_label_map, parse_names
from lstm_training.data.scheme import LabelScheme
from lstm_training.errors import ConfigError, DataError

_Function = TypeVar("_Function", bound=Callable[..., Any])


def data_option(names: str, **settings: Any) -> Callable[[_Function], _Function]:
    """Make ``--data``, the argument ``source``.

    Args:
        names: the data sets that go by a name, as the help should list them.
        settings: more of `click.option`, such as ``default`` or ``required``.

    """
    return option(
        "--data", "source", group="Input", metavar="SOURCE", **settings,
        help=f"{names}, or the path of a CSV, TSV, JSON or Parquet file, of a folder with "
        "pos and neg in it, or of its .tar.gz.",
    )  # fmt: skip


def column_options(function: _Function) -> _Function:
    """Add the options that name columns and labels and say how a table is written.

    ``--labels`` and ``--label-map`` are the arguments ``labels`` and ``label_map``, of which
    `label_scheme` makes one; ``--encoding``, ``--delimiter`` and ``--quoting`` are ``dialect``.
    """
    adders: tuple[Callable[[Any], Any], ...] = (
        dialect_options(), _label_map_option, _labels_option, label_column_option,
        text_column_option,
    )  # fmt: skip
    for add in adders:
        function = add(function)
    return function


def label_scheme(
    labels: tuple[str, ...] | None, label_map: tuple[tuple[str, str], ...] | None
) -> LabelScheme | None:
    """Return what the two options say; None where neither is given.

    Raises:
        click.UsageError: when they do not fit each other.

    """
    if labels is None and label_map is None:
        return None
    try:
        return LabelScheme(labels, values=label_map or ())
    except DataError as error:
        raise click.UsageError(str(error)) from error


def _parsed(parse: Callable[[str], Any]) -> Callable[..., Any]:
    """Return a callback of click that reads an option's value."""

    def read(_context: click.Context, _option: click.Parameter, value: str | None) -> Any:
        try:
            return None if value is None else parse(value)
        except ConfigError as error:
            raise click.BadParameter(str(error)) from error

    return read


_labels_option = option(
    "--labels", group="Input", metavar="NAME,NAME[,…]", callback=_parsed(parse_names),
    help="The labels of your data in their order, of two the negative first, if not 0/1, "
    "negative/positive, neg/pos or false/true: bad,good or 1,2,3,4,5.",
)  # fmt: skip
_label_map_option = option(
    "--label-map", group="Input", metavar="VALUES=NAME …", callback=_parsed(parse_label_map),
    help="Which values of the label column mean which label: "
    "'1,2=negative 3=neutral 4,5=positive'.",
)  # fmt: skip
