"""Tables as a source of Ray Data, read by the very reader of local runs.

Ray's own readers guess types (an id ``007`` becomes 7) and know no bad rows. Here CSV fields stay
strings, and a row that is bad for a local run is bad here, and named by the same file and line.
"""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, cast

import pyarrow
from ray.data import Datasource, ReadTask
from ray.data.block import BlockMetadata

from lstm_runtime.distributed.places import Place, local_copy
from lstm_runtime.distributed.worker import PROBLEM
from lstm_runtime.errors import InputError
from lstm_runtime.tables.base import Columns, RecordTable, TextRow
from lstm_runtime.tables.formats import open_table
from lstm_runtime.tables.parquet import ParquetTable

_ROWS = 1024
"""Records that become one Arrow table; Ray puts tables together into blocks."""


class TableSource(Datasource):  # type: ignore[misc] # Ray's base has no types
    """Tables, each read by one task as a stream.

    Args:
        files: the tables and their sizes in bytes.
        columns: the text column and the columns that will be added.
        id_column: a column that every row must have a value in, or None.

    """

    def __init__(
        self, files: list[tuple[Place, int]], columns: Columns, id_column: str | None
    ) -> None:
        super().__init__()
        self._files = files
        self._columns = columns
        self._id_column = id_column

    def estimate_inmemory_data_size(self) -> int:
        """Return the size of the files."""
        return sum(size for _, size in self._files)

    def get_read_tasks(self, parallelism: int, *_more: Any, **_options: Any) -> list[ReadTask]:
        """Return a task for each file, however many Ray would like."""
        return [self._task(place, size) for place, size in self._files]

    def _task(self, place: Place, size: int) -> ReadTask:
        columns, id_column = self._columns, self._id_column
        metadata = BlockMetadata(
            num_rows=None,
            size_bytes=size,
            exec_stats=None,
            task_exec_stats=None,
            input_files=(place.path,),
        )
        return ReadTask(lambda: iter_tables(place, columns, id_column), metadata)


def iter_tables(place: Place, columns: Columns, id_column: str | None) -> Iterator[pyarrow.Table]:
    """Yield the rows of a file as Arrow tables, with a column `PROBLEM` beside their own.

    Raises:
        InputError: when the file as a whole cannot be read, lacks a column, or has a row without
            an id.

    """
    with local_copy(place) as path:
        try:
            table = open_table(path, columns)
            if isinstance(table, ParquetTable):
                tables = _parquet_tables(table, place)
            else:
                tables = _record_tables(cast("RecordTable", table), columns.text, path, place)
            for found in tables:
                _check(found, id_column, place.path)
                yield found
        except FileNotFoundError as error:
            raise InputError(
                f"{place.path} is not there on a node of the cluster: all nodes must see the "
                "files under the same name"
            ) from error


def _parquet_tables(table: ParquetTable, place: Place) -> Iterator[pyarrow.Table]:
    number = 0
    for batch in table.batches(None):
        found = pyarrow.Table.from_batches([batch])
        texts = batch.column(batch.schema.get_field_index(table.text_column))
        problems: list[str | None] = [None] * batch.num_rows
        if texts.null_count:
            for row in range(batch.num_rows):
                if not texts[row].is_valid:
                    problems[row] = f"{place.path}, row {number + row + 1}\0the text is null"
        number += batch.num_rows
        yield _with_problems(found, problems)


def _record_tables(
    table: RecordTable, text_column: str, path: Path, place: Place
) -> Iterator[pyarrow.Table]:
    records = table.records()
    while chunk := list(islice(records, _ROWS)):
        names = dict.fromkeys(name for _, fields in chunk for name in fields)
        columns = {name: [_clean(fields.get(name)) for _, fields in chunk] for name in names}
        try:
            # Texts that are all null are a column of texts nonetheless.
            kinds = {text_column: pyarrow.string()}
            found = pyarrow.table(
                {name: pyarrow.array(of, kinds.get(name)) for name, of in columns.items()}
            )
        except (pyarrow.ArrowException, OverflowError) as error:
            raise InputError(
                f"{chunk[0][0].where} and the rows behind it: a field holds values of several "
                f"kinds, which a column cannot ({error})"
            ) from error
        yield _with_problems(found, [_problem(row, path, place) for row, _ in chunk])


def _problem(row: TextRow, path: Path, place: Place) -> str | None:
    where = row.where.replace(str(path), place.path, 1)
    return f"{where}\0{row.problem}" if row.problem else None


def _with_problems(table: pyarrow.Table, problems: list[str | None]) -> pyarrow.Table:
    return table.append_column(PROBLEM, pyarrow.array(problems, pyarrow.string()))


def _clean(value: Any) -> Any:
    """Return a value that Arrow takes: bytes that are not UTF-8 become U+FFFD."""
    if isinstance(value, str) and not value.isascii():
        return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return value


def _check(table: pyarrow.Table, id_column: str | None, where: str) -> None:
    if id_column is None:
        return
    names = [name for name in table.column_names if name != PROBLEM]
    if id_column not in names:
        found = ", ".join(names)
        raise InputError(f"{where}: no column {id_column!r} (found: {found:.200}); see --id-column")
    if table.column(id_column).null_count:
        raise InputError(
            f"{where}: a row has no {id_column!r}; with --id-column every row needs one"
        )
