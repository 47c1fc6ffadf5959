"""Parquet, by pyarrow."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from lstm_runtime.errors import InputError
from lstm_runtime.extras import requires_extra
from lstm_runtime.tables.base import OutputColumns, RowResult, TextRow

_ROWS = 1024
"""Rows in memory at a time."""


class ParquetTable:
    """A Parquet file; the schema is kept and gets two more columns.

    Raises:
        MissingExtraError: when pyarrow is not installed.

    """

    def __init__(self, path: Path, columns: OutputColumns) -> None:
        with requires_extra("bulk"):
            import pyarrow  # an extra, and only for this kind of file
            import pyarrow.parquet
        self._arrow: Any = pyarrow
        self._path = path
        self._columns = columns

    def rows(self) -> Iterator[TextRow]:
        """Yield the texts of the text column."""
        number = 0
        for batch in self._batches([self._columns.text]):
            for value in batch.column(0):
                number += 1
                where = f"{self._path}, row {number}"
                try:
                    text = value.as_py()
                except UnicodeDecodeError:
                    yield TextRow(where, "", "not UTF-8")
                    continue
                yield TextRow(where, text or "", "" if text is not None else "the text is null")

    def write(self, answers: Iterator[RowResult], output: Path) -> None:
        """Write the rows with two more columns."""
        arrow, columns = self._arrow, self._columns
        added = [
            arrow.field(columns.label, arrow.string()),
            arrow.field(columns.score, arrow.float64()),
        ]
        schema = None
        with self._open() as file:
            schema = file.schema_arrow
        for field in added:
            schema = schema.append(field)
        with arrow.parquet.ParquetWriter(output, schema) as writer:
            for batch in self._batches(None):
                found = list(islice(answers, batch.num_rows))
                arrays = [
                    *batch.columns,
                    arrow.array([answer.label for answer in found], arrow.string()),
                    arrow.array([answer.score for answer in found], arrow.float64()),
                ]
                writer.write_batch(arrow.record_batch(arrays, schema=schema))

    def _open(self) -> Any:
        """Open the file and check its columns."""
        arrow = self._arrow
        try:
            file = arrow.parquet.ParquetFile(self._path)
        except arrow.ArrowException as error:
            raise InputError(f"{self._path} is not a readable Parquet file: {error}") from error
        schema = file.schema_arrow
        self._columns.check(schema.names, str(self._path))
        kind = schema.field(self._columns.text).type
        if not (arrow.types.is_string(kind) or arrow.types.is_large_string(kind)):
            raise InputError(
                f"{self._path}: the column {self._columns.text!r} holds {kind}, not strings"
            )
        return file

    def _batches(self, columns: list[str] | None) -> Iterator[Any]:
        with self._open() as file:
            try:
                yield from file.iter_batches(batch_size=_ROWS, columns=columns)
            except self._arrow.ArrowException as error:
                raise InputError(f"{self._path} is damaged: {error}") from error
