"""Where the texts of a call come from: arguments, standard input, a table or a file of lines."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lstm_runtime.command import notice
from lstm_runtime.errors import InputError
from lstm_runtime.tables.base import Columns, TextRow

if TYPE_CHECKING:
    from lstm_runtime.tables.dialect import Dialect


def given_rows(texts: Sequence[str]) -> Iterator[TextRow]:
    """Yield the texts; where ``-`` stands, those of standard input, one a line, as they come.

    Raises:
        InputError: when standard input is closed.

    """
    for text in texts:
        if text != "-":
            if _is_file(text):
                notice(
                    f"warning: {text!r} is read as a text, not as a file: --model FILE runs a "
                    "model, --input FILE reads texts"
                )
            yield TextRow("", text)
            continue
        from lstm_runtime.tables.lines import read_rows  # arguments need no lines

        if sys.stdin is None:
            raise InputError("standard input is closed")
        yield from read_rows(sys.stdin.buffer, "standard input")


def _is_file(text: str) -> bool:
    """Whether a text looks like a path and is the name of something that is there."""
    if not any(mark in text for mark in "./\\") or not text.strip("./\\"):
        return False
    try:
        return Path(text).exists()
    except (OSError, ValueError):  # too long for a name, or with a zero in it
        return False


def file_rows(path: Path, text_column: str, dialect: "Dialect") -> Iterator[TextRow]:
    """Yield the rows of a table, or of a file (or a pipe) with a text a line."""
    from lstm_runtime.tables.formats import has_columns, open_table
    from lstm_runtime.tables.lines import read_rows
    from lstm_runtime.tables.plain_text import PlainTextTable

    columns = Columns(text_column)
    if has_columns(path):
        yield from open_table(path, columns, dialect).rows()
    elif path.is_file():
        yield from PlainTextTable(path, columns, dialect).rows()
    else:
        with path.open("rb") as stream:
            yield from read_rows(stream, str(path))


def texts_of(rows: Iterable[TextRow]) -> Iterator[str]:
    """Yield the texts of rows.

    Raises:
        InputError: names the row that has none.

    """
    for row in rows:
        if row.problem:
            raise InputError(f"{row.where}: {row.problem}")
        yield row.text
