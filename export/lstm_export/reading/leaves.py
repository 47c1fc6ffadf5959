"""PyTorch's layers as plain arrays."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from lstm_runtime.arrays import Array
from torch import Tensor, nn

from lstm_export.layers import (
    Elementwise,
    Function,
    HeadLayer,
    LinearWeights,
    NormWeights,
    ScaleWeights,
)

_PLAIN: dict[type[nn.Module], Function] = {
    nn.ReLU: "relu",
    nn.Tanh: "tanh",
    nn.Sigmoid: "sigmoid",
    nn.SiLU: "silu",
    nn.SELU: "selu",
}


def head_layer(layer: nn.Module) -> HeadLayer | None:
    """Return ``layer`` as plain arrays; None for one that no graph of ours has."""
    for kind, read in _READERS.items():
        if isinstance(layer, kind):
            return read(layer)
    function = _PLAIN.get(type(layer))
    return Elementwise(function) if function else None


def values_of(layer: nn.Module, given: Tensor) -> Array:
    """Return what a layer was given or returned, ``[length, features]`` or ``[features]``."""
    numbers = given.float()
    if isinstance(layer, nn.BatchNorm1d) and numbers.dim() == 3:
        numbers = numbers.transpose(1, 2)  # it takes its features second
    return np.array(numbers.reshape(-1, numbers.shape[-1]).numpy())


def _linear(layer: Any) -> LinearWeights:
    weight = _array(layer.weight)
    bias = np.zeros(len(weight), np.float32) if layer.bias is None else _array(layer.bias)
    return LinearWeights(weight, bias)


def _batch_norm(layer: Any) -> ScaleWeights | None:
    if layer.running_mean is None:
        return None  # it goes by the batch at hand
    factor = 1.0 / torch.sqrt(layer.running_var.double() + layer.eps)
    if layer.weight is not None:
        factor = factor * layer.weight.double()
    shift = -layer.running_mean.double() * factor
    if layer.bias is not None:
        shift = shift + layer.bias.double()
    return ScaleWeights(_array(factor), _array(shift))


def _layer_norm(layer: Any) -> NormWeights | None:
    if len(layer.normalized_shape) != 1:
        return None
    size = layer.normalized_shape[0]
    weight = np.ones(size, np.float32) if layer.weight is None else _array(layer.weight)
    bias = np.zeros(size, np.float32) if layer.bias is None else _array(layer.bias)
    return NormWeights(weight, bias, float(layer.eps))


def _gelu(layer: Any) -> Elementwise:
    return Elementwise("gelu-tanh" if layer.approximate == "tanh" else "gelu")


_READERS: dict[type[nn.Module], Callable[[Any], HeadLayer | None]] = {
    nn.Linear: _linear,
    nn.BatchNorm1d: _batch_norm,
    nn.LayerNorm: _layer_norm,
    nn.GELU: _gelu,
    nn.LeakyReLU: lambda layer: Elementwise("leaky-relu", float(layer.negative_slope)),
    nn.ELU: lambda layer: Elementwise("elu", float(layer.alpha)),
}


def _array(tensor: Tensor) -> Array:
    return np.array(tensor.detach().to("cpu", torch.float32).contiguous().numpy())
