"""Ids of texts in an Arrow file that is mapped into memory."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, overload

import numpy as np
import torch
from torch import Tensor

from lstm_training.data.stored_texts import BLOCK, columns_of, write_rows


class MappedIds(Sequence[Tensor]):
    """Ids of texts in a file that is mapped into memory, so that the system may drop what it wants.

    Args:
        path: a file of `write_ids`.
        rows: which of its texts.

    """

    def __init__(self, path: Path, rows: range) -> None:
        self._path, self._rows = path, rows
        self._blocks = [
            (column.offsets.to_numpy(), column.values.to_numpy())
            for column in columns_of(path, "content")
        ]

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
            return MappedIds(self._path, self._rows[key])
        number, place = divmod(self._rows[key], BLOCK)
        offsets, values = self._blocks[number]
        return torch.from_numpy(values[offsets[place] : offsets[place + 1]].astype(np.int32))


def write_ids(
    path: Path, rows: Iterable[tuple[list[int], int]], words: int, about: dict[str, Any]
) -> None:
    """Write ids of texts, each with a number; of few ``words``, they take two bytes."""
    import pyarrow as pa

    write_rows(path, rows, pa.list_(pa.uint16() if words <= 1 << 16 else pa.int32()), about)
