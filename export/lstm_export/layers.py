"""What may stand between the LSTM and the answer, as plain arrays."""

from dataclasses import dataclass
from typing import Literal, get_args

from lstm_runtime.arrays import Array

Function = Literal[
    "relu", "tanh", "sigmoid", "gelu", "gelu-tanh", "leaky-relu", "elu", "silu", "selu"
]
"""Activation functions, by PyTorch's names; ``gelu-tanh`` is GELU's approximation."""

FUNCTIONS: tuple[Function, ...] = get_args(Function)

SLOPES = {"leaky-relu": 0.01, "elu": 1.0}
"""PyTorch's defaults for what is free in a function."""


@dataclass(frozen=True)
class LinearWeights:
    """A linear layer."""

    weight: Array
    "``[out, in]``"
    bias: Array
    "``[out]``; zeros where the layer has none."


@dataclass(frozen=True)
class ScaleWeights:
    """Batch normalisation in evaluation mode: a factor and a shift for each feature."""

    scale: Array
    "``[features]``"
    shift: Array
    "``[features]``"


@dataclass(frozen=True)
class NormWeights:
    """Layer normalisation over the features."""

    weight: Array
    "``[features]``; ones where the layer has none."
    bias: Array
    "``[features]``; zeros where the layer has none."
    eps: float
    "Added to the variance."


@dataclass(frozen=True)
class Elementwise:
    """An activation function."""

    function: Function
    "Which."
    slope: float = 0.0
    "The negative slope of ``leaky-relu``, the alpha of ``elu``; without meaning elsewhere."

    @classmethod
    def usual(cls, function: Function) -> "Elementwise":
        """Return the function with PyTorch's default where something is free in it."""
        return cls(function, SLOPES.get(function, 0.0))


HeadLayer = LinearWeights | ScaleWeights | NormWeights | Elementwise


def describe(layer: HeadLayer) -> str:
    """Return a layer in a word or two."""
    match layer:
        case LinearWeights(weight):
            return f"linear {weight.shape[1]} to {weight.shape[0]}"
        case ScaleWeights():
            return "batch normalisation"
        case Elementwise(function):
            return function
        case _:
            return "layer normalisation"
