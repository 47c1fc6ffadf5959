"""Ids of texts in an Arrow file that is mapped into memory."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, overload

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lstm_training.data.stored_texts import BLOCK, columns_of, write_rows

Blocks = list[tuple[NDArray[np.int32], NDArray[Any]]]


class MappedIds(Sequence[Tensor]):
    """Ids of texts in a file that is mapped into memory, so that the system may drop what it wants.

    Args:
        blocks: offsets and ids of each block of a file, see `open_ids`.
        rows: which of its texts.

    """

    def __init__(self, blocks: Blocks, rows: range) -> None:
        self._blocks, self._rows = blocks, rows

    def __len__(self) -> int:
        """Return the number of texts."""
        return len(self._rows)

    @overload
    def __getitem__(self, key: int) -> Tensor: ...
    @overload
    def __getitem__(self, key: slice) -> "MappedIds": ...
    def __getitem__(self, key: int | slice) -> "Tensor | MappedIds":
        """Return the ids of a text, int32 ``[tokens]``, or those of some texts, still on disk."""
        if isinstance(key, slice):
            return MappedIds(self._blocks, self._rows[key])  # what is mapped twice counts twice
        number, place = divmod(self._rows[key], BLOCK)
        offsets, values = self._blocks[number]
        return torch.from_numpy(values[offsets[place] : offsets[place + 1]].astype(np.int32))


def open_ids(path: Path) -> MappedIds:
    """Return the ids in a file of `write_ids`."""
    blocks = [
        (column.offsets.to_numpy(), column.values.to_numpy())
        for column in columns_of(path, "content")
    ]
    return MappedIds(blocks, range(sum(len(offsets) - 1 for offsets, _ in blocks)))


def write_ids(
    path: Path, rows: Iterable[tuple[list[int], int]], words: int, about: dict[str, Any]
) -> None:
    """Write ids of texts, each with a number; of few ``words``, they take two bytes."""
    import pyarrow as pa

    write_rows(path, rows, pa.list_(pa.uint16() if words <= 1 << 16 else pa.int32()), about)
