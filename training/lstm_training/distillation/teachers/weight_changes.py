"""A fine-tuned encoder as what fine-tuning changed: two bits a weight, beside the encoder it was.

What fine-tuning adds to a matrix is small, and about normally distributed within a row. A row keeps
the root mean square of its changes, and each weight a sign and whether its change is large: the
best four levels for normal values (Max, "Quantizing for Minimum Distortion", 1960), which leave an
eighth of the squares as error. That one bit does for large models is shown by Liu et al.,
"BitDelta" (2024). Vectors, and the layer that the encoder did not have, are kept whole.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from lstm_training.distillation.array_file import read_arrays, write_arrays
from lstm_training.errors import ConfigError

_EDGE, _SMALL, _LARGE = 0.9816, 0.4528, 1.5104
"""Where large changes begin, and what stands for small and for large ones, in root mean squares."""

_BITS, _SCALE = "/bits", "/scale"


def save_changes(path: Path, before: Mapping[str, Tensor], after: Mapping[str, Tensor]) -> None:
    """Write what weights by name have become.

    Args:
        path: of the file.
        before: of the encoder as it comes, float32.
        after: the same fine-tuned.

    Raises:
        OSError: when it cannot be written, as on a full disk; nothing is left half-written.

    """
    arrays: dict[str, np.ndarray] = {}
    for name, weight in after.items():
        if torch.equal(weight, before[name]):
            continue
        if not _is_matrix(weight):
            arrays[name] = weight.numpy()
            continue
        change = weight - before[name]
        scale = change.square().mean(1, keepdim=True).sqrt()
        bits = torch.stack([change < 0, change.abs() > _EDGE * scale])
        arrays[name + _BITS] = np.packbits(bits.numpy(), axis=-1)
        arrays[name + _SCALE] = scale.numpy()
    write_arrays(path, arrays)


def with_changes(path: Path, before: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the weights ``before`` as they became, from a file of `save_changes`.

    Raises:
        ConfigError: when the file is missing, damaged, or that of another encoder.

    """
    after = dict(before)
    arrays = read_arrays("transformer.changes", path)
    for name in {name.removesuffix(_BITS).removesuffix(_SCALE) for name in arrays}:
        weight = before.get(name)
        if weight is not None and _is_matrix(weight):
            found = _changed(weight, arrays.get(name + _BITS), arrays.get(name + _SCALE))
        else:
            found = _whole(weight, arrays.get(name))
        if found is None:
            raise ConfigError(f"transformer.changes: {path} is of another encoder: {name}")
        after[name] = found
    return after


def _is_matrix(weight: Tensor) -> bool:
    """Tell whether two bits a weight are worth it; the layer on top has one row."""
    return weight.dim() == 2 and len(weight) > 1


def _changed(weight: Tensor, bits: np.ndarray | None, scale: np.ndarray | None) -> Tensor | None:
    """Return a matrix with its changes; None where they are none of it."""
    rows, columns = weight.shape
    if bits is None or scale is None or scale.dtype != np.float32 or bits.dtype != np.uint8:
        return None
    if bits.shape != (2, rows, -(-columns // 8)) or scale.shape != (rows, 1):
        return None
    is_negative, is_large = np.unpackbits(bits, axis=-1, count=columns).astype(bool)
    size = np.where(is_large, _LARGE, _SMALL).astype(np.float32) * scale
    return weight + torch.from_numpy(np.where(is_negative, -size, size))


def _whole(weight: Tensor | None, array: np.ndarray | None) -> Tensor | None:
    """Return a weight that was kept whole; None where it is none of the encoder's."""
    if weight is None or array is None or array.dtype != np.float32 or array.shape != weight.shape:
        return None
    return torch.from_numpy(array)
