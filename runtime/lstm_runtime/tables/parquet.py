"""Parquet, by pyarrow."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from lstm_runtime.errors import InputError
from lstm_runtime.extras import requires_extra
from lstm_runtime.tables.base import Columns, RowResult, TextRow
from lstm_runtime.tables.dialect import Dialect

_ROWS = 1024
"""Rows read at a time."""

_GROUP_BYTES = 1 << 28
"""Row groups are written as they came, up to this size, since one has to be in memory."""


class ParquetTable:
    """A Parquet file; schema, row groups and compression are kept, and there are more columns.

    Raises:
        MissingExtraError: when pyarrow is not installed.

    """

    def __init__(self, path: Path, columns: Columns, dialect: Dialect) -> None:
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

    def check(self, output: Path | None = None) -> None:
        """Check the schema."""
        self._open().close()

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

    def write(self, results: Iterator[RowResult], file: BinaryIO, name: Path) -> None:
        """Write the rows with more columns."""
        arrow = self._arrow
        kinds = (arrow.string(), arrow.float64(), arrow.float64())
        added = list(zip(self._columns.added, kinds, strict=False))
        with self._open() as source:
            schema = source.schema_arrow
            compression = _compression(source.metadata, self._columns)
        for column, kind in added:
            schema = schema.append(arrow.field(column, kind))
        with arrow.parquet.ParquetWriter(file, schema, compression=compression) as writer:
            for group in self._groups():
                found = [result.values(self._columns) for result in islice(results, len(group))]
                arrays = [
                    arrow.array([values[n] for values in found], kind)
                    for n, (_, kind) in enumerate(added)
                ]
                table = arrow.Table.from_arrays([*group.columns, *arrays], schema=schema)
                writer.write_table(table, row_group_size=max(len(group), 1))

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
        if not _is_text(arrow.types, kind):
            raise InputError(
                f"{self._path}: the column {self._columns.text!r} holds {kind}, not strings"
            )
        return file

    def batches(self, columns: list[str] | None) -> Iterator[Any]:
        """Yield record batches of some columns, or of all."""
        with self._open() as file, self._damage_named():
            yield from file.iter_batches(batch_size=_ROWS, columns=columns)

    def _groups(self) -> Iterator[Any]:
        """Yield the row groups, and pieces of those that are too large."""
        with self._open() as file, self._damage_named():
            for n in range(file.num_row_groups):
                group = file.metadata.row_group(n)
                if group.total_byte_size <= _GROUP_BYTES:
                    yield file.read_row_group(n)
                    continue
                rows = max(1, group.num_rows * _GROUP_BYTES // group.total_byte_size)
                for batch in file.iter_batches(batch_size=rows, row_groups=[n]):
                    yield self._arrow.Table.from_batches([batch])

    @contextmanager
    def _damage_named(self) -> Iterator[None]:
        try:
            yield
        except (self._arrow.ArrowException, OSError) as error:
            raise InputError(f"{self._path} is damaged: {error}") from error


def _is_text(types: Any, kind: Any) -> bool:
    if types.is_dictionary(kind):
        kind = kind.value_type
    is_view = getattr(types, "is_string_view", None)  # since pyarrow 16
    return bool(types.is_string(kind) or types.is_large_string(kind) or (is_view and is_view(kind)))


def _compression(metadata: Any, columns: Columns) -> dict[str, str]:
    """Return the compression of each column; that of the texts for those that are added."""
    if not metadata.num_row_groups:
        return {}
    group = metadata.row_group(0)
    chunks = [group.column(n) for n in range(metadata.num_columns)]
    found = {chunk.path_in_schema: _CODECS.get(chunk.compression, "snappy") for chunk in chunks}
    return found | dict.fromkeys(columns.added, found.get(columns.text, "snappy"))


_CODECS = {
    "UNCOMPRESSED": "none",
    "SNAPPY": "snappy",
    "GZIP": "gzip",
    "BROTLI": "brotli",
    "LZ4": "lz4",
    "LZ4_RAW": "lz4",
    "ZSTD": "zstd",
}


def _row(where: str, text: Any, label: Any) -> TextRow:
    try:
        found, named = text.as_py(), None if label is None else label.as_py()
    except UnicodeDecodeError:
        return TextRow(where, "", problem="not UTF-8")
    return TextRow(where, found or "", named, "" if found is not None else "the text is null")
