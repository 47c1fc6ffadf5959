"""The ONNX graph, written straight from the weights.

``torch.onnx.export`` freezes the sequence length of the seed class (tests record where it works and
where it does not), knows nothing of texts of different lengths in one batch, and leaves the LSTM's
weights behind Slice and Concat chains that no quantiser sees through. A few nodes written by hand
have none of these faults. Padding is handled by the LSTM operator's ``sequence_lens``, never by
packing.
"""

from typing import Literal

import numpy as np
from lstm_runtime.arrays import Array
from lstm_runtime.model_file import contract
from lstm_runtime.text.tokenizer import TextEncoder
from onnx import ModelProto, TensorProto

from lstm_export.graph.builder import GraphBuilder, Value
from lstm_export.graph.head import Head
from lstm_export.graph.precision import LstmInputs, LstmOutputs, PrecisionWriter
from lstm_export.graph.readout import LstmRun, add_readout
from lstm_export.graph.tokenizer import add_text_frontend
from lstm_export.network import Network

StateForm = Literal["optional", "required", "none"]


def build_graph(
    network: Network,
    writer: PrecisionWriter,
    encoder: TextEncoder | None = None,
    state: StateForm = "optional",
) -> ModelProto:
    """Write ``network`` as an ONNX model of the contract in `lstm_runtime.model_file.contract`.

    Args:
        network: the weights.
        writer: their number format in the graph.
        encoder: puts the tokeniser and the vocabulary into the graph; without one, the model
            takes ``ids`` and ``lengths``.
        state: whether ``h0`` and ``c0`` may be left out, must be given, or are not there; models
            that cannot be continued never have them.

    """
    g = GraphBuilder()
    ids, lengths = (
        add_text_frontend(g, encoder, cpu_only=writer.cpu_only) if encoder else ids_inputs(g)
    )
    h0, c0 = _initial_states(g, network, lengths, state)
    # ONNX's LSTM is time-major; turning the ids costs less than turning the vectors.
    steps = writer.add_embedding(g, network, g.Transpose(ids, perm=[1, 0]))
    outputs: list[LstmOutputs] = []
    for n, layer in enumerate(network.layers):
        outputs.append(writer.add_lstm(g, n, layer, LstmInputs(steps, lengths, h0[n], c0[n])))
        steps = _join_directions(g, outputs[-1].steps, len(layer))
    _answers(g, network, LstmRun(tuple(outputs), steps, lengths))
    if encoder:
        g.output(Value(contract.TOKENS), TensorProto.STRING, ["batch", "tokens"])
    if _has_state(network, state):
        _final_states(g, network, outputs)
    return g.model()


def ids_inputs(g: GraphBuilder) -> tuple[Value, Value]:
    """Add the inputs of the ids interface; return ids and lengths."""
    ids = g.input(contract.IDS, TensorProto.INT64, ["batch", "sequence"])
    return ids, g.input(contract.LENGTHS, TensorProto.INT32, ["batch"])


def _answers(g: GraphBuilder, network: Network, run: LstmRun) -> None:
    """Add the answer at the end and, where it can be known, after each token."""
    head, classes = Head(g, network), network.classes
    probability = head.answer(add_readout(g, network, run), contract.PROBABILITY)
    g.output(probability, TensorProto.FLOAT, ["batch", classes])
    if network.continuable:
        by_time = head.answer(run.steps)
        trajectory = g.Transpose(by_time, perm=[1, 0, 2], name=contract.TRAJECTORY)
        g.output(trajectory, TensorProto.FLOAT, ["batch", "tokens", classes])


def _has_state(network: Network, state: StateForm) -> bool:
    return network.continuable and state != "none"


def _initial_states(
    g: GraphBuilder, network: Network, lengths: Value, state: StateForm
) -> tuple[list[Value | None], list[Value | None]]:
    """Add the inputs ``h0`` and ``c0``; return those of each layer, None for zeros."""
    sizes = network.architecture
    if network.initial:
        learned = (network.initial.h0, network.initial.c0)
        h0, c0 = ([_for_each(g, array, lengths) for array in arrays] for arrays in learned)
        return h0, c0
    if not _has_state(network, state):
        return [None] * sizes.n_layers, [None] * sizes.n_layers
    n_layers, hidden = g.constant([sizes.n_layers]), g.constant([sizes.hidden_dim])
    shape = g.Concat(n_layers, g.Shape(lengths), hidden, axis=0)
    h0, c0 = (_state_input(g, network, name, shape, state) for name in (contract.H0, contract.C0))
    return h0, c0


def _for_each(g: GraphBuilder, array: Array, lengths: Value) -> Value | None:
    """Add a learned state ``[directions, 1, hidden]``, the same for every text."""
    directions, _, hidden = array.shape
    shape = g.Concat(g.constant([directions]), g.Shape(lengths), g.constant([hidden]), axis=0)
    return g.Expand(g.constant(array), shape)


def _state_input(
    g: GraphBuilder, network: Network, name: str, shape: Value, state: StateForm
) -> list[Value | None]:
    """Add the state ``name``, broadcast over the batch and split into layers."""
    sizes = network.architecture
    dims = (sizes.n_layers, "state_batch", sizes.hidden_dim)
    given = g.input(name, TensorProto.FLOAT, dims)
    if state == "optional":
        g.weight(name, np.zeros((sizes.n_layers, 1, sizes.hidden_dim), np.float32))
    layers = [f"{name}_{n}" for n in range(sizes.n_layers)]
    return list(g.node("Split", [g.Expand(given, shape)], layers, axis=0))


def _final_states(g: GraphBuilder, network: Network, outputs: list[LstmOutputs]) -> None:
    sizes = network.architecture
    for name, layers in (
        (contract.HN, [output.hn for output in outputs]),
        (contract.CN, [output.cn for output in outputs]),
    ):
        joined = g.Concat(*layers, axis=0, name=name)
        g.output(joined, TensorProto.FLOAT, [sizes.n_layers, "batch", sizes.hidden_dim])


def _join_directions(g: GraphBuilder, steps: Value, directions: int) -> Value:
    """Join a layer's directions: ``[sequence, directions, batch, hidden]`` to three axes."""
    if directions == 1:
        return g.Squeeze(steps, g.constant([1]))
    return g.Reshape(g.Transpose(steps, perm=[0, 2, 1, 3]), g.constant([0, 0, -1]))
