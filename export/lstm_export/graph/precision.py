"""How weights enter the graph: as they are (fp32), in half precision, or as int8.

All writers add the same two parts, the embedding and an LSTM layer; everything around them is
the same graph.
"""

from dataclasses import dataclass
from typing import ClassVar, NamedTuple, Protocol

import numpy as np
from lstm_runtime.arrays import Array
from lstm_runtime.model_file.contract import EMBEDDING, int8_names, lstm_name, weight_names
from numpy.typing import NDArray
from onnx import TensorProto

from lstm_export.graph.builder import GraphBuilder, Value
from lstm_export.graph.quantize import quantize
from lstm_export.network import LstmWeights, Network

Layer = tuple[LstmWeights, ...]
"""One direction, or forward and backward."""


class LstmInputs(NamedTuple):
    """What an LSTM layer reads."""

    steps: Value
    "``[sequence, batch, input]``"
    lengths: Value
    "int32 ``[batch]``"
    h0: Value | None
    "``[directions, batch, hidden]``; None for zeros."
    c0: Value | None
    "``[directions, batch, hidden]``; None for zeros."


class LstmOutputs(NamedTuple):
    """What an LSTM layer gives."""

    steps: Value
    "``[sequence, directions, batch, hidden]``"
    hn: Value
    "``[directions, batch, hidden]``"
    cn: Value
    "``[directions, batch, hidden]``"


class PrecisionWriter(Protocol):
    """Adds the parts of the graph that hold the large matrices."""

    cpu_only: ClassVar[bool]
    "Whether their operators exist on CPUs alone."

    def add_embedding(self, g: GraphBuilder, network: Network, ids: Value) -> Value:
        """Look up ``ids`` of any shape; return the float vectors."""
        ...

    def add_lstm(self, g: GraphBuilder, n: int, layer: Layer, inputs: LstmInputs) -> LstmOutputs:
        """Add layer ``n``."""
        ...


class FloatWeights:
    """Weights in fp32, as trained."""

    cpu_only: ClassVar[bool] = False

    def add_embedding(self, g: GraphBuilder, network: Network, ids: Value) -> Value:
        """Add a plain lookup."""
        return g.Gather(g.weight(EMBEDDING, network.embedding), ids)

    def add_lstm(self, g: GraphBuilder, n: int, layer: Layer, inputs: LstmInputs) -> LstmOutputs:
        """Add ONNX's LSTM."""
        steps, *rest = inputs
        weights = _add_matrices(g, n, layer, np.float32)
        reads = [steps, *weights, *rest]
        return LstmOutputs(*g.node("LSTM", reads, _output_names(n), **_attributes(layer)))


class HalfWeights:
    """Embedding and LSTM in fp16, for CUDA; all that is small stays in fp32.

    A CPU, which has no LSTM in fp16, casts around it: slow, but the file can be checked there.
    """

    cpu_only: ClassVar[bool] = False

    def add_embedding(self, g: GraphBuilder, network: Network, ids: Value) -> Value:
        """Add a lookup in fp16."""
        table = g.weight(EMBEDDING, _cast(network.embedding, np.float16))
        return g.Cast(g.Gather(table, ids), to=TensorProto.FLOAT)

    def add_lstm(self, g: GraphBuilder, n: int, layer: Layer, inputs: LstmInputs) -> LstmOutputs:
        """Add ONNX's LSTM in fp16 between casts."""
        weights = _add_matrices(g, n, layer, np.float16)
        steps, h0, c0 = (
            g.Cast(real, to=TensorProto.FLOAT16) if real else None
            for real in (inputs.steps, inputs.h0, inputs.c0)
        )
        reads = [steps, *weights, inputs.lengths, h0, c0]
        halves = g.node("LSTM", reads, _output_names(n), **_attributes(layer))
        return LstmOutputs(*(g.Cast(half, to=TensorProto.FLOAT) for half in halves))


@dataclass(frozen=True)
class Int8Weights:
    """Embedding and LSTM weights in int8, for CPUs.

    The LSTM becomes ONNX Runtime's ``DynamicQuantizeLSTM``, which also quantises its inputs, with
    a scale of their own in every run.
    """

    cpu_only: ClassVar[bool] = True
    per_channel: bool = True
    "One scale for each gate of each unit instead of one for a whole matrix."
    reduce_range: bool = True
    "Seven bits for LSTM weights: CPUs without VNNI add products in 16 bits, which overflow at 8."

    def add_embedding(self, g: GraphBuilder, network: Network, ids: Value) -> Value:
        """Add a lookup in int8 with one scale a word; cast and scale the words found."""
        table = quantize(network.embedding, channel_axis=0)
        values_name, scale_name, _ = int8_names(EMBEDDING)
        words = g.Gather(g.weight(values_name, table.values), ids)
        scales = g.Gather(g.weight(scale_name, table.scale[:, np.newaxis]), ids)
        return g.Mul(g.Cast(words, to=TensorProto.FLOAT), scales)

    def add_lstm(self, g: GraphBuilder, n: int, layer: Layer, inputs: LstmInputs) -> LstmOutputs:
        """Add ``DynamicQuantizeLSTM``, which takes its matrices transposed."""
        w_name, r_name, b_name = weight_names(lstm_name(n))
        w, *w_scale = self._add_quantized(g, w_name, [d.weight_ih for d in layer])
        r, *r_scale = self._add_quantized(g, r_name, [d.weight_hh for d in layer])
        bias, no_peepholes = g.weight(b_name, _biases(layer)), None
        steps, *rest = inputs
        reads = [steps, w, r, bias, *rest, no_peepholes, *w_scale, *r_scale]
        names = _output_names(n)
        return LstmOutputs(*g.node("DynamicQuantizeLSTM", reads, names, **_attributes(layer)))

    def quantized(self, matrices: list[Array]) -> tuple[NDArray[np.int8], Array, NDArray[np.int8]]:
        """Return values, scales and zero points as ``DynamicQuantizeLSTM`` takes them.

        Args:
            matrices: those of each direction, ``[4 * hidden, input]``, in ONNX's order of gates.

        """
        axis = 0 if self.per_channel else None
        found = [quantize(m, axis, reduce_range=self.reduce_range) for m in matrices]
        scales = np.stack([q.scale for q in found])
        if not self.per_channel:
            scales = scales[:, 0]
        return np.stack([q.values.T for q in found]), scales, np.zeros_like(scales, np.int8)

    def _add_quantized(
        self, g: GraphBuilder, name: str, matrices: list[Array]
    ) -> tuple[Value, Value, Value]:
        """Add each direction's ``[4 * hidden, input]`` as values, scales and zero points."""
        values, scale, zero = self.quantized([onnx_gates(matrix) for matrix in matrices])
        values_name, scale_name, zero_name = int8_names(name)
        return (
            g.weight(values_name, values),
            g.weight(scale_name, scale),
            g.weight(zero_name, zero),
        )


def onnx_gates(stacked: Array) -> Array:
    """Reorder gates from PyTorch's i, f, g, o to ONNX's i, o, f, g (which it calls c)."""
    i, f, g, o = np.split(stacked, 4)
    return np.concatenate([i, o, f, g])


def _add_matrices(g: GraphBuilder, n: int, layer: Layer, dtype: type[np.floating]) -> list[Value]:
    """Add W, R and B of ONNX's LSTM."""
    matrices = (
        np.stack([onnx_gates(d.weight_ih) for d in layer]),
        np.stack([onnx_gates(d.weight_hh) for d in layer]),
        _biases(layer),
    )
    pairs = zip(weight_names(lstm_name(n)), matrices, strict=True)
    return [g.weight(name, _cast(matrix, dtype)) for name, matrix in pairs]


def _cast(numbers: Array, dtype: type[np.floating]) -> NDArray[np.floating]:
    """Return ``numbers`` in another type: what is too large is infinite, as the proof shows."""
    with np.errstate(over="ignore"):
        return numbers.astype(dtype)


def _output_names(n: int) -> tuple[str, str, str]:
    return lstm_name(n), f"hn_{n}", f"cn_{n}"


def _biases(layer: Layer) -> Array:
    rows = [np.concatenate([onnx_gates(d.bias_ih), onnx_gates(d.bias_hh)]) for d in layer]
    return np.stack(rows)


def _attributes(layer: Layer) -> dict[str, int | str]:
    direction = "forward" if len(layer) == 1 else "bidirectional"
    return {"hidden_size": layer[0].weight_hh.shape[1], "direction": direction}
