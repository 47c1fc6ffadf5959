"""The ONNX graph, written straight from the weights.

``torch.onnx.export`` freezes the sequence length of this model and leaves the LSTM's weights
behind Slice and Concat chains that no quantiser sees through. Ten nodes written by hand have
neither fault. Padding is handled by the LSTM operator's ``sequence_lens``, never by packing.
"""

from typing import Literal

import numpy as np
from lstm_runtime import contract
from lstm_runtime.tokenizer import TextEncoder
from onnx import ModelProto, TensorProto, ValueInfoProto, helper

from lstm_export.builder import GraphBuilder
from lstm_export.network import LstmLayer, Network
from lstm_export.text import add_text_frontend
from lstm_export.weights import LstmInputs, WeightWriter

StateForm = Literal["optional", "required"]


def build_graph(
    network: Network,
    weights: WeightWriter,
    encoder: TextEncoder | None = None,
    state: StateForm = "optional",
) -> ModelProto:
    """Write ``network`` as an ONNX model of the contract in `lstm_runtime.contract`.

    Args:
        network: the weights.
        weights: their number format in the graph.
        encoder: puts the tokeniser and the vocabulary into the graph; without one, the model
            takes ``ids`` and ``lengths``.
        state: whether ``h0`` and ``c0`` may be left out.

    """
    builder = GraphBuilder()
    if encoder is not None:
        ids, lengths = add_text_frontend(builder, encoder)
    else:
        ids, lengths = _add_ids_inputs(builder)
    _add_network(builder, network, weights, (ids, lengths), state)
    builder.outputs += _output_infos(network, tokens=encoder is not None)
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
    _add_state_shape(builder, network, lengths)
    h0 = _add_state_input(builder, network, contract.H0, state)
    c0 = _add_state_input(builder, network, contract.C0, state)
    builder.constant("direction_axis", np.array([1], np.int64))
    for n, layer in enumerate(network.layers):
        steps = _add_lstm(builder, n, layer, LstmInputs(steps, lengths, h0[n], c0[n]), weights)
    _add_head(builder, network, steps)
    for name in (contract.HN, contract.CN):
        builder.add("Concat", [f"{name}_{n}" for n in range(len(network.layers))], [name], axis=0)


def _add_state_shape(builder: GraphBuilder, network: Network, lengths: str) -> None:
    sizes = network.architecture
    builder.add("Shape", [lengths], ["batch_size"])
    builder.constant("layer_count", np.array([sizes.n_layers], np.int64))
    builder.constant("hidden_size", np.array([sizes.hidden_dim], np.int64))
    builder.add("Concat", ["layer_count", "batch_size", "hidden_size"], ["state_shape"], axis=0)


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


def _add_lstm(
    builder: GraphBuilder, n: int, layer: LstmLayer, inputs: LstmInputs, weights: WeightWriter
) -> str:
    """Add layer ``n``; return the name of its steps, ``[sequence, batch, hidden]``."""
    outputs = [f"lstm_{n}", f"{contract.HN}_{n}", f"{contract.CN}_{n}"]
    weights.add_lstm(builder, layer, inputs, outputs)
    return builder.add("Squeeze", [f"lstm_{n}", "direction_axis"], [f"steps_{n}"])


def _add_head(builder: GraphBuilder, network: Network, steps: str) -> None:
    """Add the linear layer and the sigmoid, once for every step and once for the last."""
    builder.constant("head_weight", network.head_weight.T)
    builder.constant("head_bias", network.head_bias)
    builder.add("MatMul", [steps, "head_weight"], ["step_products"])
    builder.add("Add", ["step_products", "head_bias"], ["step_logits"])
    builder.add("Sigmoid", ["step_logits"], ["trajectory_by_time"])
    builder.add("Transpose", ["trajectory_by_time"], [contract.TRAJECTORY], perm=[1, 0, 2])
    # The LSTM's final state, unlike its last step, is that of each text's own last token.
    builder.constant("layer_axis", np.array([0], np.int64))
    last = f"{contract.HN}_{len(network.layers) - 1}"
    builder.add("Squeeze", [last, "layer_axis"], ["last_hidden"])
    builder.add("Gemm", ["last_hidden", "head_weight", "head_bias"], ["logits"])
    builder.add("Sigmoid", ["logits"], [contract.PROBABILITY])


def _output_infos(network: Network, *, tokens: bool) -> list[ValueInfoProto]:
    sizes = network.architecture
    state: list[int | str] = [sizes.n_layers, "batch", sizes.hidden_dim]
    make, real = helper.make_tensor_value_info, TensorProto.FLOAT
    return [
        make(contract.PROBABILITY, real, ["batch", sizes.classes]),
        make(contract.TRAJECTORY, real, ["batch", "tokens", sizes.classes]),
        *([make(contract.TOKENS, TensorProto.STRING, ["batch", "tokens"])] if tokens else []),
        make(contract.HN, real, state),
        make(contract.CN, real, state),
    ]
