"""Parquet, by pyarrow."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from lstm_runtime.errors import InputError
from lstm_runtime.extras import requires_extra
from lstm_runtime.tables.base import Columns, RowResult, TextRow

_ROWS = 1024
"""Rows in memory at a time."""


class ParquetTable:
    """A Parquet file; the schema is kept and gets two more columns.

    Raises:
        MissingExtraError: when pyarrow is not installed.

    """

    def __init__(self, path: Path, columns: Columns) -> None:
        with requires_extra("bulk"):
            import pyarrow  # an extra, and only for this kind of file
            import pyarrow.parquet
        self._arrow: Any = pyarrow
        self._path = path
        self._columns = columns

    @property
    def text_column(self) -> str:
        """Name of the column with the texts."""
        return self._columns.text

    def rows(self) -> Iterator[TextRow]:
        """Yield the texts of the text column."""
        number = 0
        for batch in self.batches(list(self._columns.wanted)):
            texts = batch.column(self._columns.text)
            labels = None if self._columns.label is None else batch.column(self._columns.label)
            for n, value in enumerate(texts):
                number += 1
                yield _row(
                    f"{self._path}, row {number}", value, None if labels is None else labels[n]
                )

    def write(self, results: Iterator[RowResult], output: Path) -> None:
        """Write the rows with two more columns."""
        arrow = self._arrow
        kinds = (arrow.string(), arrow.float64())
        with self._open() as file:
            schema = file.schema_arrow
        for name, kind in zip(self._columns.added, kinds, strict=True):
            schema = schema.append(arrow.field(name, kind))
        with arrow.parquet.ParquetWriter(output, schema) as writer:
            for batch in self.batches(None):
                found = list(islice(results, batch.num_rows))
                arrays = [
                    *batch.columns,
                    arrow.array([result.label for result in found], kinds[0]),
                    arrow.array([result.score for result in found], kinds[1]),
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

    def batches(self, columns: list[str] | None) -> Iterator[Any]:
        """Yield record batches of some columns, or of all."""
        with self._open() as file:
            try:
                yield from file.iter_batches(batch_size=_ROWS, columns=columns)
            except self._arrow.ArrowException as error:
                raise InputError(f"{self._path} is damaged: {error}") from error


def _row(where: str, text: Any, label: Any) -> TextRow:
    try:
        found, named = text.as_py(), None if label is None else label.as_py()
    except UnicodeDecodeError:
        return TextRow(where, "", problem="not UTF-8")
    return TextRow(where, found or "", named, "" if found is not None else "the text is null")
