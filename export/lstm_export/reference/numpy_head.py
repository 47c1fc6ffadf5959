"""The layers after the LSTM in NumPy, each by its definition."""

import math
from collections.abc import Callable, Mapping

import numpy as np
from lstm_runtime.arrays import Array
from numpy.typing import NDArray

from lstm_export.layers import Elementwise, HeadLayer, LinearWeights, ScaleWeights
from lstm_export.network import Network

_SELU_SCALE, _SELU_ALPHA = 1.0507009873554805, 1.6732632423543772
"""The fixed point of Klambauer et al., "Self-Normalizing Neural Networks", 2017."""

_erf = np.vectorize(math.erf, otypes=[np.float32])

Formula = Callable[[Array, float], "Array | NDArray[np.float64]"]


def _logistic(x: Array) -> Array:
    with np.errstate(over="ignore"):  # of a large negative number it is 0
        return np.asarray(1.0 / (1.0 + np.exp(-x)))


def _expm1(x: Array) -> Array:
    """Return exp(x) - 1 where x is negative, 0 elsewhere."""
    return np.asarray(np.expm1(np.minimum(x, 0)))


_FUNCTIONS: Mapping[str, Formula] = {
    "relu": lambda x, _: np.maximum(x, 0),
    "tanh": lambda x, _: np.tanh(x),
    "sigmoid": lambda x, _: _logistic(x),
    "silu": lambda x, _: x * _logistic(x),
    "gelu": lambda x, _: x * (1 + _erf(x / math.sqrt(2))) / 2,
    # Hendrycks and Gimpel, "Gaussian Error Linear Units", 2016.
    "gelu-tanh": lambda x, _: x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))) / 2,
    "leaky-relu": lambda x, slope: np.where(x < 0, slope * x, x),
    "elu": lambda x, alpha: np.where(x < 0, alpha * _expm1(x), x),
    "selu": lambda x, _: _SELU_SCALE * np.where(x < 0, _SELU_ALPHA * _expm1(x), x),
}


def run_head(network: Network, features: Array) -> Array:
    """Make answers ``[…, classes]`` of what the readout gave."""
    for layer in network.head:
        features = _apply(layer, features)
    if network.activation == "none":
        return np.asarray(features)
    if network.activation == "sigmoid":
        return _logistic(features)
    powers = np.exp(features - features.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


def _apply(layer: HeadLayer, x: Array) -> Array:
    match layer:
        case LinearWeights(weight, bias):
            return np.asarray(x @ weight.T + bias)
        case ScaleWeights(scale, shift):
            return np.asarray(x * scale + shift)
        case Elementwise(function, slope):
            return np.asarray(_FUNCTIONS[function](x, slope), np.float32)
        case norm:
            centred = x - x.mean(axis=-1, keepdims=True)
            variance = np.square(centred).mean(axis=-1, keepdims=True)
            return np.asarray(centred / np.sqrt(variance + norm.eps) * norm.weight + norm.bias)
