"""The end of the graph: what the linear layers see, the layers, and the probabilities."""

import numpy as np
from onnx import TensorProto

from lstm_export.graph.builder import GraphBuilder, Value
from lstm_export.network import Network

_LOWEST = float(np.finfo(np.float32).min)


def add_readout(
    g: GraphBuilder, network: Network, steps: Value, final: Value, lengths: Value
) -> Value:
    """Add what the first linear layer sees of each text, ``[batch, features]``.

    Args:
        g: the graph.
        network: the weights.
        steps: the top layer's outputs, ``[sequence, batch, features]``.
        final: its last hidden states, ``[directions, batch, hidden]``.
        lengths: the texts' lengths, ``[batch]``.

    """
    if network.readout != "last":
        return _read_own_steps(g, network, steps, lengths)
    if not network.weights.bidirectional:
        return g.Squeeze(final, g.constant([0]))
    return g.Reshape(g.Transpose(final, perm=[1, 0, 2]), g.constant([0, -1]))


def _read_own_steps(g: GraphBuilder, network: Network, steps: Value, lengths: Value) -> Value:
    """Add the readout over each text's own steps: the last one, their mean or their maximum."""
    positions = _positions(g, steps)
    lengths = g.Cast(lengths, to=TensorProto.INT64)
    if network.readout == "step":
        wanted = g.Equal(positions, g.Sub(lengths, g.constant([1])))
    else:
        wanted = g.Less(positions, lengths)
    wanted = g.Unsqueeze(wanted, g.constant([2]))
    if network.readout == "max":
        own = g.Where(wanted, steps, g.constant([_LOWEST]))
        return g.ReduceMax(own, axes=[0], keepdims=0)
    own = g.Where(wanted, steps, g.constant([0.0]))
    summed = g.ReduceSum(own, g.constant([0]), keepdims=0)
    if network.readout == "step":
        return summed
    counts = g.Cast(lengths, to=TensorProto.FLOAT)
    return g.Div(summed, g.Unsqueeze(counts, g.constant([1])))


def _positions(g: GraphBuilder, steps: Value) -> Value:
    """Add the numbers of the steps, ``[sequence, 1]``."""
    length = g.Gather(g.Shape(steps), g.constant(0), axis=0)
    return g.Unsqueeze(g.Range(g.constant(0), length, g.constant(1)), g.constant([1]))


class Head:
    """The linear layers and the activation, whose weights are added once and used once or twice."""

    def __init__(self, g: GraphBuilder, network: Network) -> None:
        self._g = g
        self._network = network
        self._weights = [
            (g.weight(f"head_{n}_weight", layer.weight.T), g.weight(f"head_{n}_bias", layer.bias))
            for n, layer in enumerate(network.weights.head)
        ]

    def probability(self, features: Value, name: str = "") -> Value:
        """Add the head on the last axis of ``features``."""
        g, between = self._g, self._network.between
        for n, (weight, bias) in enumerate(self._weights):
            if n and between != "none":
                features = g.Relu(features) if between == "relu" else g.Tanh(features)
            features = g.Add(g.MatMul(features, weight), bias)
        if self._network.activation == "softmax":
            return g.Softmax(features, axis=-1, name=name)
        return g.Sigmoid(features, name=name)
