"""Part files, as a sink of Ray Data: one file for some ten thousand rows, in one format.

The base class is Ray's, which makes a part and its checkpoint one transaction: what a killed task
leaves half-written is removed when the job goes on.
"""

import io
import json
from typing import Any, Literal

import pyarrow
import pyarrow.parquet
from ray.data.block import BlockAccessor
from ray.data.datasource import BlockBasedFileDatasink

from lstm_runtime.distributed.places import Place
from lstm_runtime.tables.records import join_fields, join_unquoted

ROWS_PER_PART = 20_000
"""Rows of a part at least, but of the last ones: finished rows that are not in a part are lost by a
kill, and many small files are slow to list."""

Format = Literal["parquet", "csv", "tsv", "jsonl"]


class PartSink(BlockBasedFileDatasink):  # type: ignore[misc] # Ray's base has no types
    """Writes parts into a folder.

    Args:
        folder: where to.
        output_format: what to write.

    """

    def __init__(self, folder: Place, output_format: Format) -> None:
        super().__init__(
            folder.path,
            filesystem=folder.filesystem,
            file_format=output_format,
            min_rows_per_file=ROWS_PER_PART,
        )
        self._format = output_format

    def write_block_to_file(self, block: BlockAccessor, file: Any) -> None:
        """Write the rows of one part."""
        table = block.to_arrow()
        if self._format == "parquet":
            pyarrow.parquet.write_table(table, file)
            return
        with io.TextIOWrapper(io.BufferedWriter(_Unclosed(file)), "utf-8", newline="") as text:
            if self._format != "jsonl":
                text.write(_fields(table.column_names, self._format))
            for batch in table.to_batches(max_chunksize=1024):
                for row in batch.to_pylist():
                    text.write(_line(row, self._format))


def _line(row: dict[str, Any], kind: Format) -> str:
    if kind == "jsonl":
        return json.dumps(row, ensure_ascii=False, default=str) + "\n"
    return _fields(list(row.values()), kind)


def _fields(fields: list[Any], kind: Format) -> str:
    return join_unquoted(fields, "\t") if kind == "tsv" else join_fields(fields, ",")


class _Unclosed(io.RawIOBase):
    """A raw file over one of Arrow's, which its owner closes."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        return int(self._file.write(bytes(data)))
