"""Where the texts of a call come from: arguments, standard input, a table or a file of lines."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from lstm_runtime.errors import InputError
from lstm_runtime.tables.lines import is_compressed, read_lines, table_suffix


def given_texts(texts: Sequence[str]) -> Iterator[str]:
    """Yield the texts; where ``-`` stands, those of standard input, one a line, as they come."""
    for text in texts:
        if text == "-":
            yield from read_lines(sys.stdin.buffer, "standard input")
        else:
            yield text


def has_columns(path: Path) -> bool:
    """Tell by its name whether a file is a table with columns."""
    return table_suffix(path) in {".csv", ".tsv", ".jsonl", ".parquet"}


def file_texts(path: Path, text_column: str) -> Iterator[str]:
    """Yield the texts of a table, or of a file (or a pipe) with one a line.

    Raises:
        InputError: names the row that has no text.

    """
    if not (has_columns(path) or is_compressed(path)):
        with path.open("rb") as stream:
            yield from read_lines(stream, str(path))
        return
    from lstm_runtime.tables.base import Columns
    from lstm_runtime.tables.formats import open_table

    for row in open_table(path, Columns(text_column)).rows():
        if row.problem:
            raise InputError(f"{row.where}: {row.problem}")
        yield row.text
