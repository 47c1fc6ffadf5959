"""Weights that are stored in parts: weight normalisation and pruning masks, folded."""

import re
from collections.abc import Mapping

import torch
from torch import Tensor

from lstm_export.errors import UnsupportedModelError

# (magnitude, direction) and (weight, mask), as torch.nn.utils names them.
_NORMS = (
    (re.compile(r"(.*)_g"), r"{}_g", r"{}_v"),
    (
        re.compile(r"(.*)parametrizations\.(\w+)\.original0"),
        r"{}parametrizations.{}.original0",
        r"{}parametrizations.{}.original1",
    ),
)
_PRUNED = re.compile(r"(.*)_orig")


def fold(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return ``state`` with every weight in one piece, where its place was.

    Weight normalisation is Salimans and Kingma's, ``g * v / |v|``, as ``torch.nn.utils``'
    ``weight_norm`` and its successor among the parametrisations store it; a pruned weight is
    ``orig * mask``.

    Raises:
        UnsupportedModelError: for other reparametrisations, such as spectral normalisation.

    """
    folded: dict[str, Tensor] = {}
    used: set[str] = set()
    for name in state:
        if name in used:
            continue
        whole, parts = _whole(name, state)
        used.update(parts)
        folded[whole] = _product(state, parts)
    odd = [name for name in folded if "parametrizations." in name or name.endswith("_orig")]
    if odd:
        raise UnsupportedModelError(
            f"{odd[0]} is reparametrised by something other than weight normalisation or pruning: "
            "remove_parametrizations (or remove_spectral_norm) before saving, or give --module"
        )
    return folded


def _whole(name: str, state: Mapping[str, Tensor]) -> tuple[str, tuple[str, ...]]:
    """Return the name of the whole weight and its parts."""
    for pattern, *templates in _NORMS:
        match = pattern.fullmatch(name)
        if match:
            parts = tuple(template.format(*match.groups()) for template in templates)
            if all(part in state for part in parts):
                return "".join(match.groups()), parts
    match = _PRUNED.fullmatch(name)
    if match and f"{match[1]}_mask" in state:
        return match[1], (name, f"{match[1]}_mask")
    return name, (name,)


def _product(state: Mapping[str, Tensor], parts: tuple[str, ...]) -> Tensor:
    if len(parts) == 1:
        return state[parts[0]]
    one, two = (state[part].detach().double() for part in parts)
    if parts[1].endswith("_mask"):
        return (one * two).float()
    axes = [axis for axis in range(two.dim()) if one.dim() == 0 or one.shape[axis] == 1]
    norm = torch.linalg.vector_norm(two, dim=axes or None, keepdim=True) if axes else two.abs()
    return (two * (one / norm)).float()
