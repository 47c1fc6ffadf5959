"""Whether a module answers a text beside others as it answers it alone."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from lstm_runtime.arrays import Array
from torch import Tensor

_LENGTH = 11
_ATOL = 1e-3
"""Largest difference: batches are summed in another order."""


def beside_others(
    batch: Callable[[Tensor], Array | None], alone: Callable[[Sequence[int]], Array]
) -> tuple[str, ...]:
    """Say by how much a module's answers depend on what else is in the batch; empty where not.

    Such a module has a mistake, as in reshaping states by batch: the file gives the answer of a
    text alone.

    Args:
        batch: the module's values for ids ``[batch, sequence]``, ``[batch, classes]``, or None.
        alone: its values for one text, ``[classes]``.

    """
    ids = torch.from_numpy(np.random.default_rng(4).integers(2, 4, (3, _LENGTH)))
    try:
        together = batch(ids)
        single = [alone(row) for row in ids.tolist()]
    except Exception:  # somebody else's code, which may take one text at a time
        return ()
    if together is None or len(together) != len(single):
        return ()
    gap = float(np.abs(together - np.stack(single).reshape(together.shape)).max())
    if not gap > _ATOL:  # NaN is none either
        return ()
    return (
        f"forward answers a text beside others in a batch otherwise than alone (by {gap:.2g}): the "
        "file gives its answer to the text alone",
    )
