"""JSON Lines: one object a line."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from lstm_runtime.tables.base import Columns, RowResult, TextRow
from lstm_runtime.tables.dialect import Dialect
from lstm_runtime.tables.json_objects import object_fields, object_row, object_with, parsed
from lstm_runtime.tables.text_file import TextFile


class JsonLinesTable:
    """Objects with a text field; blank lines are none.

    The answer is put in behind the last field, and everything before it stays as it was, byte by
    byte. Where bad rows are kept, a line that is no object becomes the text field of one.
    """

    def __init__(self, path: Path, columns: Columns, dialect: Dialect) -> None:
        self._path = path
        self._columns = columns
        self._file = TextFile(path, dialect.encoding)

    def check(self, output: Path | None = None) -> None:
        """Check the first line."""
        next(self.rows(), None)

    def rows(self) -> Iterator[TextRow]:
        """Yield the objects' texts."""
        return (row for row, _ in self.records())

    def records(self) -> Iterator[tuple[TextRow, dict[str, Any]]]:
        """Yield the objects' texts with all of their fields."""
        for number, line in self._lines():
            where, problem = f"{self._path}, line {number}", self._file.problem(line)
            value = parsed(line)
            yield (
                (
                    TextRow(where, "", problem=problem)
                    if problem
                    else object_row(value, where, self._columns)
                ),
                object_fields(line.strip(), value, self._columns),
            )

    def write(self, results: Iterator[RowResult], file: BinaryIO, name: Path) -> None:
        """Write the lines with more fields."""
        with self._file.writer(file, name) as text:
            for (_, line), result in zip(self._lines(), results, strict=True):
                raw, end = line.strip(), "\r\n" if line.endswith("\r\n") else "\n"
                text.write(object_with(raw, parsed(raw), self._columns, result) + end)

    def _lines(self) -> Iterator[tuple[int, str]]:
        for number, line in enumerate(self._file.lines(), start=1):
            if not line.isspace():
                yield number, line
