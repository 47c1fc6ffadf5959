"""Labelled texts in tables: the runtime's reader of tables, with errors of training."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from lstm_runtime.errors import InputError
from lstm_runtime.tables import base
from lstm_runtime.tables.dialect import Dialect
from lstm_runtime.tables.formats import has_columns, open_table
from lstm_runtime.tables.packing import table_suffix

from lstm_training.data.scheme import LabelledRow
from lstm_training.errors import DataError

ACCEPTED = ".csv, .tsv, .json, .jsonl, .ndjson (each also with .gz or .zst) and .parquet"


@dataclass(frozen=True)
class Columns:
    """Which columns of a table hold what."""

    text: str = "text"
    "The column with the texts."
    label: str | None = "label"
    "The column with the labels; None where they are not wanted."
    dialect: Dialect = field(default_factory=Dialect)
    "Encoding, delimiter and quoting, where the file does not show them."


def is_labelled_table(path: Path) -> bool:
    """Tell by its name whether a file is a table with columns: plain text has none for a label."""
    return has_columns(path)


def read_table(path: Path, columns: Columns) -> Iterator[LabelledRow]:
    """Yield the rows of a CSV, TSV, JSON, JSON Lines or Parquet file.

    Raises:
        DataError: when the file is not what its name says, or a row is bad; names the row.
        MissingExtraError: when the kind needs a library that is not installed.

    """
    empty = True
    try:
        table = open_table(path, base.Columns(columns.text, columns.label), columns.dialect)
        for row in table.rows():
            if row.problem:
                raise DataError(f"{row.where}: {row.problem}")
            empty = False
            yield LabelledRow(row.where, row.text, row.label)
    except InputError as error:
        raise DataError(str(error)) from error
    if empty and "json" in table_suffix(path):  # one without a header line is no table
        raise DataError(f"{path} is empty")
