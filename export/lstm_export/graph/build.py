"""The ONNX graph, written straight from the weights.

``torch.onnx.export`` freezes the sequence length of the seed class (tests record where it works and
where it does not), knows nothing of texts of different lengths in one batch, and leaves the LSTM's
weights behind Slice and Concat chains that no quantiser sees through. A few nodes written by hand
have none of these faults. Padding is handled by the LSTM operator's ``sequence_lens``, never by
packing.
"""

from typing import Literal

import numpy as np
from lstm_runtime.model_file import contract
from lstm_runtime.text.tokenizer import TextEncoder
from onnx import ModelProto, TensorProto, ValueInfoProto, helper

from lstm_export.graph.builder import GraphBuilder
from lstm_export.graph.head import add_probability, add_trajectory
from lstm_export.graph.precision import LstmInputs, WeightWriter
from lstm_export.graph.tokenizer import add_text_frontend
from lstm_export.network import Network

StateForm = Literal["optional", "required", "none"]


def build_graph(
    network: Network,
    weights: WeightWriter,
    encoder: TextEncoder | None = None,
    state: StateForm = "optional",
) -> ModelProto:
    """Write ``network`` as an ONNX model of the contract in `lstm_runtime.model_file.contract`.

    Args:
        network: the weights.
        weights: their number format in the graph.
        encoder: puts the tokeniser and the vocabulary into the graph; without one, the model
            takes ``ids`` and ``lengths``.
        state: whether ``h0`` and ``c0`` may be left out, must be given, or are not there; models
            that cannot be continued never have them.

    """
    builder = GraphBuilder()
    if encoder is not None:
        ids, lengths = add_text_frontend(builder, encoder)
    else:
        ids, lengths = _add_ids_inputs(builder)
    _add_network(builder, network, weights, (ids, lengths), state)
    builder.outputs += _output_infos(network, state, tokens=encoder is not None)
    return builder.model()


def _add_ids_inputs(builder: GraphBuilder) -> tuple[str, str]:
    batch, sequence = "batch", "sequence"
    builder.inputs += [
        helper.make_tensor_value_info(contract.IDS, TensorProto.INT64, [batch, sequence]),
        helper.make_tensor_value_info(contract.LENGTHS, TensorProto.INT32, [batch]),
    ]
    return contract.IDS, contract.LENGTHS


def _add_network(
    builder: GraphBuilder,
    network: Network,
    weights: WeightWriter,
    inputs: tuple[str, str],
    state: StateForm,
) -> None:
    ids, lengths = inputs
    # ONNX's LSTM is time-major; turning the ids costs less than turning the vectors.
    builder.add("Transpose", [ids], ["ids_by_time"], perm=[1, 0])
    steps = weights.add_embedding(builder, network, "ids_by_time")
    h0, c0 = _add_states(builder, network, lengths, state)
    builder.constant("direction_axis", np.array([1], np.int64))
    for n, layer in enumerate(network.parts.layers):
        lstm = LstmInputs(steps, lengths, h0[n], c0[n])
        weights.add_lstm(builder, layer, lstm, [contract.lstm_name(n), f"hn_{n}", f"cn_{n}"])
        steps = _add_steps(builder, n, len(layer))
    add_probability(builder, network, steps, lengths)
    if network.continuable:
        add_trajectory(builder, network, steps)
    if _has_state(network, state):
        for name in (contract.HN, contract.CN):
            layers = [f"{name}_{n}" for n in range(len(network.parts.layers))]
            builder.add("Concat", layers, [name], axis=0)


def _has_state(network: Network, state: StateForm) -> bool:
    return network.continuable and state != "none"


def _add_states(
    builder: GraphBuilder, network: Network, lengths: str, state: StateForm
) -> tuple[list[str], list[str]]:
    """Add the inputs ``h0`` and ``c0``; return the names of each layer's own ('' for zeros)."""
    sizes = network.architecture
    if not _has_state(network, state):
        return [""] * sizes.n_layers, [""] * sizes.n_layers
    builder.add("Shape", [lengths], ["batch_size"])
    builder.constant("layer_count", np.array([sizes.n_layers], np.int64))
    builder.constant("hidden_size", np.array([sizes.hidden_dim], np.int64))
    builder.add("Concat", ["layer_count", "batch_size", "hidden_size"], ["state_shape"], axis=0)
    h0, c0 = (
        _add_state_input(builder, network, name, state) for name in (contract.H0, contract.C0)
    )
    return h0, c0


def _add_state_input(
    builder: GraphBuilder, network: Network, name: str, state: StateForm
) -> list[str]:
    """Add the state ``name``, broadcast over the batch; return one tensor name per layer."""
    sizes = network.architecture
    shape: list[int | str] = [sizes.n_layers, "state_batch", sizes.hidden_dim]
    builder.inputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
    if state == "optional":
        zeros = np.zeros((sizes.n_layers, 1, sizes.hidden_dim), np.float32)
        builder.constant(name, zeros)
    builder.add("Expand", [name, "state_shape"], [f"{name}_all"])
    layers = [f"{name}_{n}" for n in range(sizes.n_layers)]
    builder.add("Split", [f"{name}_all"], layers, axis=0)
    return layers


def _add_steps(builder: GraphBuilder, n: int, directions: int) -> str:
    """Join layer ``n``'s directions: ``[sequence, directions, batch, hidden]`` to three axes."""
    lstm = contract.lstm_name(n)
    if directions == 1:
        return builder.add("Squeeze", [lstm, "direction_axis"], [f"steps_{n}"])
    builder.add("Transpose", [lstm], [f"turned_{n}"], perm=[0, 2, 1, 3])
    builder.constant(f"joined_{n}", np.array([0, 0, -1], np.int64))
    return builder.add("Reshape", [f"turned_{n}", f"joined_{n}"], [f"steps_{n}"])


def _output_infos(network: Network, state: StateForm, *, tokens: bool) -> list[ValueInfoProto]:
    sizes = network.architecture
    make, real = helper.make_tensor_value_info, TensorProto.FLOAT
    infos = [make(contract.PROBABILITY, real, ["batch", sizes.classes])]
    if network.continuable:
        infos.append(make(contract.TRAJECTORY, real, ["batch", "tokens", sizes.classes]))
    if tokens:
        infos.append(make(contract.TOKENS, TensorProto.STRING, ["batch", "tokens"]))
    if _has_state(network, state):
        shape: list[int | str] = [sizes.n_layers, "batch", sizes.hidden_dim]
        infos += [make(name, real, shape) for name in (contract.HN, contract.CN)]
    return infos
