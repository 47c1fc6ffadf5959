"""The options that name labelled texts, the same in every command that reads them."""

from collections.abc import Callable
from typing import Any, TypeVar

import click
from lstm_runtime.command import option
from lstm_runtime.tables.options import label_column_option, text_column_option

from lstm_training.data.examples import LabelScheme

_Function = TypeVar("_Function", bound=Callable[..., Any])


def data_option(names: str, **settings: Any) -> Callable[[_Function], _Function]:
    """Make ``--data``, the argument ``source``.

    Args:
        names: the data sets that go by a name, as the help should list them.
        settings: more of `click.option`, such as ``default`` or ``required``.

    """
    return option(
        "--data", "source", group="Input", metavar="SOURCE", **settings,
        help=f"{names}, or the path of a CSV, TSV, JSONL or Parquet file, of a folder with "
        "pos and neg in it, or of its .tar.gz.",
    )  # fmt: skip


def column_options(function: _Function) -> _Function:
    """Add ``--text-column``, ``--label-column`` and ``--labels``, the argument ``scheme``."""
    for add in (_labels_option, label_column_option, text_column_option):
        function = add(function)
    return function


def _labels(
    _context: click.Context, _option: click.Parameter, value: str | None
) -> LabelScheme | None:
    """Read NEG,POS."""
    if value is None:
        return None
    names = tuple(name.strip() for name in value.split(","))
    if len(names) != 2 or not all(names) or names[0].lower() == names[1].lower():
        raise click.BadParameter("give two different values, such as bad,good")
    return LabelScheme((names[0], names[1]))


_labels_option = option(
    "--labels", "scheme", group="Input", metavar="NEG,POS", callback=_labels,
    help="The two labels of your data, if not 0/1, negative/positive, neg/pos or false/true.",
)  # fmt: skip
