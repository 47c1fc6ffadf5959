"""The layers after the LSTM, and what makes the answer of their numbers."""

import math
from collections.abc import Callable, Mapping

from lstm_export.graph.builder import GraphBuilder, Value
from lstm_export.layers import Elementwise, HeadLayer, LinearWeights, ScaleWeights
from lstm_export.network import Network


class Head:
    """Layers whose weights are added once and used once (the answer) or twice (the trajectory)."""

    def __init__(self, g: GraphBuilder, network: Network) -> None:
        self._g = g
        self._activation = network.activation
        self._steps = [_layer(g, layer, f"head_{n}") for n, layer in enumerate(network.head)]

    def answer(self, features: Value, name: str = "") -> Value:
        """Add the head on the last axis of ``features``; call the result ``name``."""
        g = self._g
        for step in self._steps:
            features = step(features)
        match self._activation:
            case "softmax":
                return g.Softmax(features, axis=-1, name=name)
            case "sigmoid":
                return g.Sigmoid(features, name=name)
            case "none":
                return g.Identity(features, name=name)


def _layer(g: GraphBuilder, layer: HeadLayer, name: str) -> Callable[[Value], Value]:
    """Add the weights of ``layer``; return what adds its nodes."""
    match layer:
        case Elementwise():
            return lambda x: _FUNCTIONS[layer.function](g, x, layer.slope)
        case LinearWeights(weight, bias):
            product, shift = g.weight(f"{name}_weight", weight.T), g.weight(f"{name}_bias", bias)
            return lambda x: g.Add(g.MatMul(x, product), shift)
        case ScaleWeights(scale, offset):
            factor, shift = g.weight(f"{name}_scale", scale), g.weight(f"{name}_shift", offset)
            return lambda x: g.Add(g.Mul(x, factor), shift)
        case norm:
            factor, shift = (
                g.weight(f"{name}_scale", norm.weight),
                g.weight(f"{name}_bias", norm.bias),
            )
            return lambda x: g.Add(g.Mul(_normalised(g, x, norm.eps), factor), shift)


def _normalised(g: GraphBuilder, x: Value, eps: float) -> Value:
    """Add layer normalisation, for which opset 13 has no operator of its own."""
    centred = g.Sub(x, g.ReduceMean(x, axes=[-1], keepdims=1))
    variance = g.ReduceMean(g.Mul(centred, centred), axes=[-1], keepdims=1)
    return g.Div(centred, g.Sqrt(g.Add(variance, g.constant([eps]))))


def _gelu(g: GraphBuilder, x: Value, _: float) -> Value:
    erf = g.Erf(g.Mul(x, g.constant([1 / math.sqrt(2)])))
    return g.Mul(g.Mul(x, g.constant([0.5])), g.Add(erf, g.constant([1.0])))


def _gelu_tanh(g: GraphBuilder, x: Value, _: float) -> Value:
    cube = g.Mul(g.Mul(g.Mul(x, x), x), g.constant([0.044715]))
    inner = g.Mul(g.Add(x, cube), g.constant([math.sqrt(2 / math.pi)]))
    return g.Mul(g.Mul(x, g.constant([0.5])), g.Add(g.Tanh(inner), g.constant([1.0])))


_FUNCTIONS: Mapping[str, Callable[[GraphBuilder, Value, float], Value]] = {
    "relu": lambda g, x, _: g.Relu(x),
    "tanh": lambda g, x, _: g.Tanh(x),
    "sigmoid": lambda g, x, _: g.Sigmoid(x),
    "silu": lambda g, x, _: g.Mul(x, g.Sigmoid(x)),
    "gelu": _gelu,
    "gelu-tanh": _gelu_tanh,
    "leaky-relu": lambda g, x, slope: g.LeakyRelu(x, alpha=slope),
    "elu": lambda g, x, alpha: g.Elu(x, alpha=alpha),
    "selu": lambda g, x, _: g.Selu(x),
}
