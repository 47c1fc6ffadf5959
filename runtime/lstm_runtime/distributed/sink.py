"""Part files, as a sink of Ray Data: one file for some ten thousand rows, in one format.

The base class is Ray's, which makes a part and its checkpoint one transaction: what a killed task
leaves half-written is removed when the job goes on. What is in a part is written down first, in a
file of its own: it outlives the job, and nobody has to read the parts again to count them.
"""

import io
import json
from typing import Any, Literal

import pyarrow
import pyarrow.compute
import pyarrow.parquet
from ray.data.block import BlockAccessor
from ray.data.datasource import BlockBasedFileDatasink

from lstm_runtime.bulk.report import TOLD
from lstm_runtime.distributed.output import counts_path
from lstm_runtime.distributed.places import Place
from lstm_runtime.distributed.worker import KNOWN, PROBLEM
from lstm_runtime.tables.records import join_fields, join_unquoted

Format = Literal["parquet", "csv", "tsv", "jsonl"]


class PartSink(BlockBasedFileDatasink):  # type: ignore[misc] # Ray's base has no types
    """Writes parts into a folder.

    Args:
        folder: where to.
        output_format: what to write.
        rows_per_part: rows of a part at least, but of the last ones.

    """

    def __init__(self, folder: Place, output_format: Format, rows_per_part: int) -> None:
        super().__init__(
            folder.path,
            filesystem=folder.filesystem,
            file_format=output_format,
            min_rows_per_file=rows_per_part,
        )
        self._format = output_format

    def write_block(self, block: BlockAccessor, block_index: int, ctx: Any) -> None:
        """Write down what is in a part, and then the part without the columns that tell."""
        table = block.to_arrow()
        name = self.filename_provider.get_filename_for_task(ctx.kwargs["write_uuid"], ctx.task_idx)
        with self.open_output_stream(counts_path(self.path, name)) as file:
            file.write(json.dumps(_counts(table)).encode())
        bare = BlockAccessor.for_block(table.drop_columns([KNOWN, PROBLEM]))
        super().write_block(bare, block_index, ctx)

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


def _counts(table: pyarrow.Table) -> dict[str, Any]:
    """Return what a part's `Part` says, but for its name and its size."""
    problems = table.column(PROBLEM).drop_null()
    unknown = pyarrow.compute.sum(pyarrow.compute.equal(table.column(KNOWN), 0.0), min_count=0)
    return {
        "rows": table.num_rows,
        "bad": len(problems),
        "unknown": unknown.as_py(),
        "problems": problems.slice(0, TOLD).to_pylist(),
    }


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
