"""Gives a module the weights of a checkpoint."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from lstm_export.errors import UnsupportedModelError

_WEIGHTS = {torch.float16, torch.bfloat16, torch.float32, torch.float64}
"""Types of weights: numbers of 8 bits mean nothing without their scales."""


def fit_weights(module: nn.Module, state: Mapping[str, Tensor]) -> tuple[str, ...]:
    """Load ``state`` into ``module``; return the names of what the module has no place for.

    A prefix of all names (``module.``, ``model.``) is taken off. Tensors that the class does not
    have, such as a loss's weights, are left out: whether the answer needs them is for the
    comparison to tell. Weights of the class that the checkpoint does not have become NaN, which
    shows where the answer needs them.

    Raises:
        UnsupportedModelError: when sizes or types differ, or nothing fits.

    """
    own = module.state_dict()
    prefix = _common_prefix(state, own)
    given = {name.removeprefix(prefix): value for name, value in state.items()}
    if not set(given) & set(own):
        raise UnsupportedModelError(
            f"the checkpoint does not fit the class: it holds {_some(list(state))}, and "
            f"{type(module).__name__} has {_some(list(own))}"
        )
    for name, value in given.items():
        if name in own and own[name].is_floating_point() and value.dtype not in _WEIGHTS:
            kind = str(value.dtype).removeprefix("torch.")
            raise UnsupportedModelError(
                f"the checkpoint's {name} holds numbers of type {kind}, which are no weights"
            )
    missing = {
        name: torch.full_like(value, float("nan"))
        for name, value in own.items()
        if name not in given and value.is_floating_point()
    }
    try:
        module.load_state_dict({**given, **missing}, strict=False)
    except RuntimeError as error:
        detail = " ".join(str(error).split())
        raise UnsupportedModelError(f"the checkpoint does not fit the class: {detail}") from error
    return tuple(name for name in given if name not in own)


def missing_weights(module: nn.Module) -> list[str]:
    """Return the names of the weights that `fit_weights` found no values for."""
    state = module.state_dict()
    return [n for n, v in state.items() if v.is_floating_point() and bool(torch.isnan(v).any())]


def _common_prefix(state: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> str:
    """Return what stands before the module's own names in ``state``, like ``module.``."""
    for first in own:
        ends = [name for name in state if name == first or name.endswith(f".{first}")]
        if ends:
            return min(ends, key=len).removesuffix(first)
    return ""


def _some(names: list[str]) -> str:
    return ", ".join(names[:4]) + (", …" if len(names) > 4 else "")
