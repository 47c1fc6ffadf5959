"""How weights enter the graph: as they are (fp32), in half precision, or as int8.

All writers add the same two parts, the embedding and an LSTM layer; everything around them is
the same graph.
"""

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from lstm_runtime.arrays import Array
from lstm_runtime.model_file.contract import EMBEDDING, int8_names, weight_names
from onnx import TensorProto

from lstm_export.graph.builder import GraphBuilder
from lstm_export.graph.quantize import quantize
from lstm_export.network import LstmWeights, Network

Layer = tuple[LstmWeights, ...]
"""One direction, or forward and backward."""


class LstmInputs(NamedTuple):
    """Names of the tensors that an LSTM layer reads."""

    steps: str
    "``[sequence, batch, input]``"
    lengths: str
    "int32 ``[batch]``"
    h0: str
    "``[1, batch, hidden]``"
    c0: str
    "``[1, batch, hidden]``"


class WeightWriter(Protocol):
    """Adds the parts of the graph that hold the large matrices."""

    def add_embedding(self, builder: GraphBuilder, network: Network, ids: str) -> str:
        """Look up ``ids`` of any shape; return the name of the float vectors."""
        ...

    def add_lstm(
        self, builder: GraphBuilder, layer: Layer, inputs: LstmInputs, outputs: list[str]
    ) -> None:
        """Add one layer whose outputs are every step, the last hidden and the last cell state."""
        ...


class FloatWeights:
    """Weights in fp32, as trained."""

    def add_embedding(self, builder: GraphBuilder, network: Network, ids: str) -> str:
        """Add a plain lookup."""
        table = builder.constant(EMBEDDING, network.parts.embedding)
        return builder.add("Gather", [table, ids], ["embedded"])

    def add_lstm(
        self, builder: GraphBuilder, layer: Layer, inputs: LstmInputs, outputs: list[str]
    ) -> None:
        """Add ONNX's LSTM."""
        name = outputs[0]
        weights = _add_matrices(builder, name, layer, np.float32)
        steps, *rest = inputs
        builder.add("LSTM", [steps, *weights, *rest], outputs, **_attributes(layer))


class HalfWeights:
    """Embedding and LSTM in fp16, for CUDA; all that is small stays in fp32.

    A CPU, which has no LSTM in fp16, casts around it: slow, but the file can be checked there.
    """

    def add_embedding(self, builder: GraphBuilder, network: Network, ids: str) -> str:
        """Add a lookup in fp16."""
        builder.constant(EMBEDDING, network.parts.embedding.astype(np.float16))
        builder.add("Gather", [EMBEDDING, ids], ["embedded_fp16"])
        return builder.add("Cast", ["embedded_fp16"], ["embedded"], to=TensorProto.FLOAT)

    def add_lstm(
        self, builder: GraphBuilder, layer: Layer, inputs: LstmInputs, outputs: list[str]
    ) -> None:
        """Add ONNX's LSTM in fp16 between casts."""
        name = outputs[0]
        weights = _add_matrices(builder, name, layer, np.float16)
        steps, h0, c0 = (
            builder.add("Cast", [real], [f"{real}_half"], to=TensorProto.FLOAT16) if real else ""
            for real in (inputs.steps, inputs.h0, inputs.c0)
        )
        halves = [f"{output}_half" for output in outputs]
        feeds = [steps, *weights, inputs.lengths, h0, c0]
        builder.add("LSTM", feeds, halves, **_attributes(layer))
        for half, output in zip(halves, outputs, strict=True):
            builder.add("Cast", [half], [output], to=TensorProto.FLOAT)


@dataclass(frozen=True)
class Int8Weights:
    """Embedding and LSTM weights in int8, for CPUs.

    The LSTM becomes ONNX Runtime's ``DynamicQuantizeLSTM``, which also quantises its inputs, with
    a scale of their own in every run.
    """

    per_channel: bool = True
    "One scale for each gate of each unit instead of one for a whole matrix."
    reduce_range: bool = True
    "Seven bits for LSTM weights: CPUs without VNNI add products in 16 bits, which overflow at 8."

    def add_embedding(self, builder: GraphBuilder, network: Network, ids: str) -> str:
        """Add a lookup in int8 with one scale a word; cast and scale the words found."""
        table = quantize(network.parts.embedding, channel_axis=0)
        values, scale, _ = int8_names(EMBEDDING)
        builder.constant(values, table.values)
        builder.constant(scale, table.scale[:, np.newaxis])
        builder.add("Gather", [values, ids], ["embedded_int8"])
        builder.add("Gather", [scale, ids], ["embedded_scale"])
        builder.add("Cast", ["embedded_int8"], ["embedded_cast"], to=TensorProto.FLOAT)
        return builder.add("Mul", ["embedded_cast", "embedded_scale"], ["embedded"])

    def add_lstm(
        self, builder: GraphBuilder, layer: Layer, inputs: LstmInputs, outputs: list[str]
    ) -> None:
        """Add ``DynamicQuantizeLSTM``, which takes its matrices transposed."""
        w_name, r_name, b_name = weight_names(outputs[0])
        w, w_scale, w_zero = self._add_quantized(builder, w_name, [d.weight_ih for d in layer])
        r, r_scale, r_zero = self._add_quantized(builder, r_name, [d.weight_hh for d in layer])
        bias = builder.constant(b_name, _biases(layer))
        steps, *rest = inputs
        no_peepholes = ""
        builder.add(
            "DynamicQuantizeLSTM",
            [steps, w, r, bias, *rest, no_peepholes, w_scale, w_zero, r_scale, r_zero],
            outputs,
            domain="com.microsoft",
            **_attributes(layer),
        )

    def _add_quantized(
        self, builder: GraphBuilder, name: str, matrices: list[Array]
    ) -> tuple[str, str, str]:
        """Add each direction's ``[4 * hidden, input]``; name values, scales and zero points."""
        axis = 0 if self.per_channel else None
        found = [quantize(onnx_gates(m), axis, reduce_range=self.reduce_range) for m in matrices]
        scales = np.stack([q.scale for q in found])
        if not self.per_channel:
            scales = scales[:, 0]
        values_name, scale_name, zero_name = int8_names(name)
        return (
            builder.constant(values_name, np.stack([q.values.T for q in found])),
            builder.constant(scale_name, scales),
            builder.constant(zero_name, np.zeros_like(scales, np.int8)),
        )


def onnx_gates(stacked: Array) -> Array:
    """Reorder gates from PyTorch's i, f, g, o to ONNX's i, o, f, g (which it calls c)."""
    i, f, g, o = np.split(stacked, 4)
    return np.concatenate([i, o, f, g])


def _add_matrices(
    builder: GraphBuilder, name: str, layer: Layer, dtype: type[np.floating]
) -> list[str]:
    """Add W, R and B of ONNX's LSTM; return their names."""
    matrices = (
        np.stack([onnx_gates(d.weight_ih) for d in layer]),
        np.stack([onnx_gates(d.weight_hh) for d in layer]),
        _biases(layer),
    )
    pairs = zip(weight_names(name), matrices, strict=True)
    return [builder.constant(name, matrix.astype(dtype)) for name, matrix in pairs]


def _biases(layer: Layer) -> Array:
    rows = [np.concatenate([onnx_gates(d.bias_ih), onnx_gates(d.bias_hh)]) for d in layer]
    return np.stack(rows)


def _attributes(layer: Layer) -> dict[str, int | str]:
    direction = "forward" if len(layer) == 1 else "bidirectional"
    return {"hidden_size": layer[0].weight_hh.shape[1], "direction": direction}
