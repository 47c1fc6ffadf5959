"""A captured graph in another number format: its LSTMs and embeddings, wherever they stand."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper
from onnx import numpy_helper as arrays

from lstm_export.errors import QuantizationError
from lstm_export.graph.builder import all_graphs, all_nodes
from lstm_export.graph.precision import Int8Weights
from lstm_export.graph.quantize import quantize

RECURRENT = ("LSTM", "GRU", "RNN")
_STATES = slice(5, 7)
"""Where a recurrent node has its initial states: h, and c of an LSTM."""

Replace = Callable[["_Weights", NodeProto], list[NodeProto]]


def to_int8(model: ModelProto, int8: Int8Weights) -> ModelProto:
    """Return ``model`` with its LSTMs as ``DynamicQuantizeLSTM`` and its embeddings in int8.

    ONNX Runtime has no such operator for GRU and plain recurrent layers: they stay in float.

    Raises:
        QuantizationError: when the weights of an LSTM are computed in the graph, so that it would
            stay in float.

    """

    def replace(weights: _Weights, node: NodeProto) -> list[NodeProto]:
        if node.op_type == "LSTM":
            return [_int8_lstm(weights, node, int8)]
        return _int8_embedding(weights, node) if weights.is_lookup(node) else [node]

    return _rewritten(model, replace)


def to_fp16(model: ModelProto) -> ModelProto:
    """Return ``model`` with its recurrent layers and embeddings in fp16, between casts.

    The rest stays in fp32, as in the files that are written from the weights.
    """

    def replace(weights: _Weights, node: NodeProto) -> list[NodeProto]:
        if node.op_type in RECURRENT:
            return _fp16_layer(weights, node)
        return _fp16_embedding(weights, node) if weights.is_lookup(node) else [node]

    return _rewritten(model, replace)


class _Weights:
    """The constants of a model, by name, and those that are added to it."""

    def __init__(self, model: ModelProto) -> None:
        self.added: list[TensorProto] = []
        self._tensors = {t.name: t for part in all_graphs(model.graph) for t in part.initializer}
        for node in all_nodes(model.graph):
            if node.op_type == "Constant" and node.attribute[0].name == "value":
                self._tensors[node.output[0]] = node.attribute[0].t

    def get(self, name: str) -> NDArray[np.float32]:
        """Return a weight.

        Raises:
            QuantizationError: when it is not constant.

        """
        if name not in self._tensors:
            raise QuantizationError(
                f"the weights {name} of a recurrent layer are computed in the graph, and so it "
                "cannot be written in another precision"
            )
        return np.asarray(arrays.to_array(self._tensors[name]))

    def add(self, name: str, value: NDArray[np.generic]) -> str:
        """Add a constant; return its name."""
        if name not in {tensor.name for tensor in self.added}:
            self.added.append(arrays.from_array(np.array(value, order="C"), name))
        return name

    def is_lookup(self, node: NodeProto) -> bool:
        """Tell a lookup of vectors in a table from other uses of Gather."""
        table = self._tensors.get(node.input[0]) if node.op_type == "Gather" else None
        axis = next((a.i for a in node.attribute if a.name == "axis"), 0)
        return (
            table is not None
            and len(table.dims) == 2
            and axis == 0
            and table.data_type == TensorProto.FLOAT
        )


def _rewritten(model: ModelProto, replace: Replace) -> ModelProto:
    result = ModelProto()
    result.CopyFrom(model)
    weights = _Weights(result)
    for part in all_graphs(result.graph):
        replaced = [new for node in part.node for new in replace(weights, node)]
        del part.node[:]
        part.node.extend(replaced)
    result.graph.initializer.extend(weights.added)
    _drop_unused(result)
    return result


def _drop_unused(model: ModelProto) -> None:
    """Remove the weights that no node reads any more."""
    used = {name for node in all_nodes(model.graph) for name in node.input}
    used |= {value.name for part in all_graphs(model.graph) for value in part.output}
    for part in all_graphs(model.graph):
        kept = [tensor for tensor in part.initializer if tensor.name in used]
        del part.initializer[:]
        part.initializer.extend(kept)
        steps = [n for n in part.node if n.op_type != "Constant" or n.output[0] in used]
        del part.node[:]
        part.node.extend(steps)


def _int8_lstm(weights: _Weights, node: NodeProto, int8: Int8Weights) -> NodeProto:
    reads = [*node.input, *[""] * (8 - len(node.input))]
    scales = []
    for place in (1, 2):
        name = reads[place]
        values, scale, zero = int8.quantized(list(weights.get(name)))
        reads[place] = weights.add(f"{name}_int8", values)
        scales += [weights.add(f"{name}_scale", scale), weights.add(f"{name}_zero", zero)]
    made = helper.make_node(
        "DynamicQuantizeLSTM",
        [*reads[:8], *scales],
        list(node.output),
        name=node.name,
        domain="com.microsoft",
    )
    made.attribute.extend(a for a in node.attribute if a.name != "layout")
    return made


def _int8_embedding(weights: _Weights, node: NodeProto) -> list[NodeProto]:
    table, ids = node.input
    quantized = quantize(weights.get(table), channel_axis=0)
    values = weights.add(f"{table}_int8", quantized.values)
    scale = weights.add(f"{table}_scale", quantized.scale[:, np.newaxis])
    (out,) = node.output
    words, scales, floats = f"{out}_int8", f"{out}_scale", f"{out}_float"
    return [
        helper.make_node("Gather", [values, ids], [words]),
        helper.make_node("Gather", [scale, ids], [scales]),
        helper.make_node("Cast", [words], [floats], to=TensorProto.FLOAT),
        helper.make_node("Mul", [floats, scales], [out]),
    ]


def _fp16_layer(weights: _Weights, node: NodeProto) -> list[NodeProto]:
    before, after, reads = [], [], list(node.input)
    for place in (1, 2, 3):
        if reads[place : place + 1] != [""]:
            name = reads[place]
            reads[place] = weights.add(f"{name}_fp16", weights.get(name).astype(np.float16))
    for name in {reads[0], *reads[_STATES]} - {""}:
        half = f"{name}_fp16_{node.output[0] or node.name}"
        before.append(helper.make_node("Cast", [name], [half], to=TensorProto.FLOAT16))
        reads = [half if read == name else read for read in reads]
    outputs = [f"{name}_fp16" if name else "" for name in node.output]
    for name, half in zip(node.output, outputs, strict=True):
        if name:
            after.append(helper.make_node("Cast", [half], [name], to=TensorProto.FLOAT))
    layer = helper.make_node(node.op_type, reads, outputs, name=node.name)
    layer.attribute.extend(node.attribute)
    return [*before, layer, *after]


def _fp16_embedding(weights: _Weights, node: NodeProto) -> list[NodeProto]:
    table, ids = node.input
    half = weights.add(f"{table}_fp16", weights.get(table).astype(np.float16))
    (out,) = node.output
    return [
        helper.make_node("Gather", [half, ids], [f"{out}_fp16"]),
        helper.make_node("Cast", [f"{out}_fp16"], [out], to=TensorProto.FLOAT),
    ]
