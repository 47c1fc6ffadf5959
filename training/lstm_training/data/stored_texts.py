"""Texts in an Arrow file, for data larger than memory."""

import json
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any, overload

import numpy as np
from lstm_runtime.files import atomic_path
from numpy.typing import NDArray

BLOCK = 256
"""Rows that are written, and read, at once."""

_ABOUT = b"lstm_training"
"""Where Arrow's metadata have ours, as JSON."""


class StoredTexts(Sequence[str]):
    """Texts of a file, of which one block at a time is in memory; fast in the order of the file.

    Args:
        path: a file of `write_texts`.
        rows: which of its texts, in which order; all of them when left out.

    """

    def __init__(self, path: Path, rows: Sequence[int] | NDArray[np.int64] | None = None) -> None:
        import pyarrow as pa

        self.path = path
        # Not mapped: what is read once should not count as memory in use.
        self._file = pa.ipc.open_file(pa.OSFile(str(path)))
        about = read_about(path)
        self.rows = np.arange(about["rows"]) if rows is None else np.asarray(rows, np.int64)
        self.identity: str = about["identity"]
        if rows is not None:
            self.identity += f" {sha256(self.rows.tobytes()).hexdigest()}"
        self._block: tuple[int, Any] = (-1, None)

    def __len__(self) -> int:
        """Return the number of texts."""
        return len(self.rows)

    @overload
    def __getitem__(self, key: int) -> str: ...
    @overload
    def __getitem__(self, key: slice) -> "StoredTexts": ...
    def __getitem__(self, key: int | slice) -> "str | StoredTexts":
        """Return a text, or some of them, still on disk."""
        if isinstance(key, slice):
            return StoredTexts(self.path, self.rows[key])
        number, place = divmod(int(self.rows[key]), BLOCK)
        if number != self._block[0]:
            self._block = number, self._file.get_batch(number).column("content")
        return str(self._block[1][place].as_py(), "utf-8", "surrogatepass")

    def select(self, positions: Sequence[int]) -> "StoredTexts":
        """Return the texts at ``positions``, in that order."""
        return StoredTexts(self.path, self.rows[np.asarray(positions, np.int64)])


def write_texts(path: Path, rows: Iterable[tuple[str, int]], about: dict[str, Any]) -> None:
    """Write texts, each with a number, whole or not at all; ``about`` is told of them."""
    import pyarrow as pa

    encoded = ((text.encode("utf-8", "surrogatepass"), number) for text, number in rows)
    write_rows(path, encoded, pa.large_binary(), about)


def read_about(path: Path) -> dict[str, Any]:
    """Return what was written down about a file, with its number of ``rows``.

    Raises:
        ValueError: when it is no such file, or not a whole one.

    """
    import pyarrow as pa

    with pa.memory_map(str(path)) as file:
        reader = pa.ipc.open_file(file)
        about: dict[str, Any] = json.loads((reader.schema.metadata or {}).get(_ABOUT, b"{}"))
        last = reader.num_record_batches - 1
        rows = last * BLOCK + reader.get_batch(last).num_rows if last >= 0 else 0
    return {"identity": "", **about, "rows": rows}


def read_numbers(path: Path) -> NDArray[np.int64]:
    """Return the numbers that were written beside the rows of a file."""
    return np.concatenate([np.empty(0, np.int64), *map(np.asarray, columns_of(path, "number"))])


def columns_of(path: Path, name: str) -> list[Any]:
    """Return a column of a file, block by block, mapped into memory."""
    import pyarrow as pa

    reader = pa.ipc.open_file(pa.memory_map(str(path)))
    return [reader.get_batch(n).column(name) for n in range(reader.num_record_batches)]


def write_rows(
    path: Path, rows: Iterable[tuple[Any, int]], kind: Any, about: dict[str, Any]
) -> None:
    """Write rows of Arrow's ``kind``, each with a number, whole or not at all."""
    import pyarrow as pa

    schema = pa.schema(
        {"content": kind, "number": pa.int64()}, metadata={_ABOUT: json.dumps(about).encode()}
    )
    with (
        atomic_path(path) as temporary,
        pa.ipc.new_file(str(temporary), schema) as file,
    ):
        for block in _blocks(rows):
            columns = [list(column) for column in zip(*block, strict=True)]
            arrays = map(pa.array, columns, schema.types)
            file.write_batch(pa.record_batch(list(arrays), schema=schema))


def _blocks(rows: Iterable[tuple[Any, int]]) -> Iterator[list[tuple[Any, int]]]:
    remaining = iter(rows)
    while block := list(islice(remaining, BLOCK)):
        yield block
