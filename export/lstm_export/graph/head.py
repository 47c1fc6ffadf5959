"""The end of the graph: what the linear layers see, the layers, and the probabilities."""

import numpy as np
from lstm_runtime.model_file import contract
from onnx import TensorProto

from lstm_export.graph.builder import GraphBuilder
from lstm_export.network import Network

_ACTIVATIONS = {"sigmoid": "Sigmoid", "softmax": "Softmax"}
_BETWEEN = {"relu": "Relu", "tanh": "Tanh"}
_LOWEST = np.finfo(np.float32).min


def add_probability(builder: GraphBuilder, network: Network, steps: str, lengths: str) -> None:
    """Add the output ``probability``, ``[batch, classes]``.

    Args:
        builder: the graph.
        network: the weights.
        steps: name of the top layer's outputs, ``[sequence, batch, features]``.
        lengths: name of the texts' lengths, ``[batch]``.

    """
    for n, layer in enumerate(network.parts.head):
        builder.constant(f"head_{n}_weight", layer.weight.T)
        builder.constant(f"head_{n}_bias", layer.bias)
    if network.readout == "last":
        features = _add_final_states(builder, network)
    else:
        features = _add_masked_readout(builder, network, steps, lengths)
    _add_head(builder, network, features, contract.PROBABILITY)


def add_trajectory(builder: GraphBuilder, network: Network, steps: str) -> None:
    """Add the output ``trajectory``, ``[batch, tokens, classes]``: the head at every step."""
    by_time = _add_head(builder, network, steps, f"{contract.TRAJECTORY}_by_time")
    builder.add("Transpose", [by_time], [contract.TRAJECTORY], perm=[1, 0, 2])


def _add_final_states(builder: GraphBuilder, network: Network) -> str:
    """Add the top layer's final hidden states, which are those after each text's own last token."""
    last = len(network.parts.layers) - 1
    if not network.parts.bidirectional:
        builder.constant("layer_axis", np.array([0], np.int64))
        return builder.add("Squeeze", [f"hn_{last}", "layer_axis"], ["features"])
    builder.add("Transpose", [f"hn_{last}"], ["final_states"], perm=[1, 0, 2])
    builder.constant("feature_shape", np.array([0, -1], np.int64))
    return builder.add("Reshape", ["final_states", "feature_shape"], ["features"])


def _add_masked_readout(builder: GraphBuilder, network: Network, steps: str, lengths: str) -> str:
    """Add the readout over each text's own steps: the last one, their mean or their maximum."""
    _add_positions(builder, steps)
    builder.add("Cast", [lengths], ["lengths64"], to=TensorProto.INT64)
    builder.constant("feature_axis", np.array([2], np.int64))
    if network.readout == "step":
        builder.constant("one_step", np.ones(1, np.int64))
        builder.add("Sub", ["lengths64", "one_step"], ["last_position"])
        builder.add("Equal", ["positions", "last_position"], ["wanted"])
    else:
        builder.add("Less", ["positions", "lengths64"], ["wanted"])
    builder.add("Unsqueeze", ["wanted", "feature_axis"], ["wanted_steps"])
    if network.readout == "max":
        builder.constant("lowest", np.array([_LOWEST], np.float32))
        builder.add("Where", ["wanted_steps", steps, "lowest"], ["read_steps"])
        return builder.add("ReduceMax", ["read_steps"], ["features"], axes=[0], keepdims=0)
    builder.constant("zero_step", np.zeros(1, np.float32))
    builder.constant("time_axis", np.array([0], np.int64))
    builder.add("Where", ["wanted_steps", steps, "zero_step"], ["read_steps"])
    summed = builder.add("ReduceSum", ["read_steps", "time_axis"], ["summed"], keepdims=0)
    if network.readout == "step":
        return summed
    builder.add("Cast", ["lengths64"], ["length_floats"], to=TensorProto.FLOAT)
    builder.add("Unsqueeze", ["length_floats", "direction_axis"], ["length_column"])
    return builder.add("Div", [summed, "length_column"], ["features"])


def _add_positions(builder: GraphBuilder, steps: str) -> None:
    """Add ``positions``, the numbers of the steps, ``[sequence, 1]``."""
    for name, value in (("scalar_zero", 0), ("scalar_one", 1)):
        builder.constant(name, np.array(value, np.int64))
    builder.add("Shape", [steps], ["steps_shape"])
    builder.add("Gather", ["steps_shape", "scalar_zero"], ["sequence_length"], axis=0)
    builder.add("Range", ["scalar_zero", "sequence_length", "scalar_one"], ["position_row"])
    builder.add("Unsqueeze", ["position_row", "direction_axis"], ["positions"])


def _add_head(builder: GraphBuilder, network: Network, features: str, output: str) -> str:
    """Add the linear layers and the activation on the last axis of ``features``."""
    for n in range(len(network.parts.head)):
        if n and network.between != "none":
            op = _BETWEEN[network.between]
            features = builder.add(op, [features], [f"{output}_between_{n}"])
        builder.add("MatMul", [features, f"head_{n}_weight"], [f"{output}_product_{n}"])
        features = builder.add(
            "Add", [f"{output}_product_{n}", f"head_{n}_bias"], [f"{output}_logits_{n}"]
        )
    activation = _ACTIVATIONS[network.activation]
    axis = {"axis": -1} if network.activation == "softmax" else {}
    return builder.add(activation, [features], [output], **axis)
