"""Copies of a module: what is changed, or run in another precision, is never the user's own."""

from copy import deepcopy

import torch
from torch import Tensor, nn

from lstm_export.errors import UnsupportedModelError


def copy_module(module: nn.Module) -> nn.Module:
    """Copy a module, also one that holds computed tensors, as pruning leaves them.

    Raises:
        UnsupportedModelError: when it cannot be copied.

    """
    held = [value for layer in module.modules() for value in vars(layer).values()]
    tensors = [part for value in held for part in (value if isinstance(value, list) else [value])]
    computed = [t for t in tensors if isinstance(t, Tensor) and not t.is_leaf]
    try:
        # Else a compiled module's copied weights are results of copying, at which PyTorch warns.
        with torch.no_grad():
            return deepcopy(module, {id(tensor): tensor.detach().clone() for tensor in computed})
    except Exception as error:  # whatever a class holds may refuse
        raise UnsupportedModelError(
            f"{type(module).__name__} cannot be copied: {' '.join(str(error).split())}"
        ) from error
