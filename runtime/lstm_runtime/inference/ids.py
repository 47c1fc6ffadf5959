"""Checks of ids that come from an app's own tokeniser, before a session sees them.

ONNX Runtime reads the id -1 as the last word, and crashes or answers nothing for no ids at all.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_runtime.errors import InputError

Ids = Sequence[int] | NDArray[np.integer]


def is_one_text(ids: Any) -> bool:
    """Tell the ids of one text from a list of such."""
    if isinstance(ids, np.ndarray):
        return ids.ndim == 1
    if not isinstance(ids, Sequence):
        raise InputError(f"ids are a list or an array, not {type(ids).__name__}")
    return isinstance(ids, str) or not len(ids) or np.ndim(ids[0]) == 0


def validate_texts(ids: Any, lengths: Any, vocab_size: int) -> list[NDArray[np.int64]]:
    """Return the ids of each text: of one, of a list of such, or of padded ids with ``lengths``.

    Raises:
        InputError: as `validate_ids` and `validate_batch`.

    """
    if lengths is not None:
        return validate_batch(ids, lengths, vocab_size)
    return [validate_ids(row, vocab_size) for row in ([ids] if is_one_text(ids) else ids)]


def validate_ids(ids: Any, vocab_size: int) -> NDArray[np.int64]:
    """Return the ids of one text as int64 ``[sequence]``.

    Raises:
        InputError: when they are not whole numbers, not one-dimensional, none at all, or outside
            0 to ``vocab_size - 1``.

    """
    try:
        array = np.asarray(ids)
    except ValueError as error:
        raise InputError(f"the ids of a text must be one flat list: {error}") from error
    if array.ndim != 1:
        raise InputError(f"the ids of a text must be one flat list, not of shape {array.shape}")
    if not array.size:
        raise InputError("a text has no ids: give it one, that of the unknown word")
    if array.dtype.kind not in "iu":
        raise InputError(f"ids must be whole numbers of 64 bits, not {array.dtype}")
    found = array.astype(np.int64)
    # As unsigned numbers, negative ones are larger than any: one look instead of two.
    if found.view(np.uint64).max() >= vocab_size:
        at = int(np.flatnonzero((found < 0) | (found >= vocab_size))[0])
        raise InputError(f"id {array[at]} at position {at}: ids go from 0 to {vocab_size - 1}")
    return found


def validate_batch(ids: Any, lengths: Any, vocab_size: int) -> list[NDArray[np.int64]]:
    """Return each text's own ids out of right-padded ids ``[batch, sequence]``.

    What stands behind a text's length is not looked at.

    Raises:
        InputError: when shapes do not fit, lengths are not whole numbers from 1 to ``sequence``,
            or `validate_ids` refuses a text.

    """
    try:
        rows, counts = np.asarray(ids), np.asarray(lengths)
    except ValueError as error:
        raise InputError(f"ids [batch, sequence] and lengths [batch]: {error}") from error
    if rows.ndim != 2 or counts.shape != rows.shape[:1]:
        raise InputError(
            f"ids [batch, sequence] and lengths [batch] do not fit: {rows.shape}, {counts.shape}"
        )
    if counts.dtype.kind not in "iu":
        raise InputError(f"lengths must be whole numbers, not {counts.dtype}")
    for n, count in enumerate(counts):
        if not 1 <= count <= rows.shape[1]:
            raise InputError(f"length {count} of text {n}: lengths go from 1 to {rows.shape[1]}")
    return [validate_ids(row[:count], vocab_size) for row, count in zip(rows, counts, strict=True)]
