"""Symmetric int8 quantisation of matrices, and the count that proves a graph is quantised."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto

from lstm_export.errors import QuantizationError

FULL_RANGE = 127
REDUCED_RANGE = 64


@dataclass(frozen=True)
class QuantizedMatrix:
    """Integers and the scale that turns them back: ``value * scale``."""

    values: NDArray[np.int8]
    "Of the matrix's shape."
    scale: NDArray[np.float32]
    "``[channels]``, or ``[1]`` for the whole matrix."


def quantize(
    matrix: NDArray[np.float32], channel_axis: int | None = None, *, reduce_range: bool = False
) -> QuantizedMatrix:
    """Round ``matrix`` to int8 around zero.

    The ranges are those of ONNX Runtime's own quantiser: ±127, or ±64 where ``reduce_range``
    leaves a bit free.

    Args:
        matrix: two-dimensional.
        channel_axis: the axis along which each slice gets a scale of its own; None for one scale.
        reduce_range: use seven bits.

    """
    top = REDUCED_RANGE if reduce_range else FULL_RANGE
    others = None if channel_axis is None else 1 - channel_axis
    largest = np.max(np.abs(matrix), axis=others, keepdims=True)
    # A channel of zeros (or of numbers whose scale is none) has any scale; 1 keeps the division
    # defined.
    scale = (largest / top).astype(np.float32)
    scale = np.where(scale > 0, scale, np.float32(1.0))
    values = np.clip(np.rint(matrix / scale), -top, top).astype(np.int8)
    return QuantizedMatrix(values, scale.reshape(-1))


def require_quantized(model: ModelProto, n_layers: int) -> None:
    """Check that every LSTM layer of ``model`` is an int8 operator and none is left in float.

    Raises:
        QuantizationError: when the counts are others.

    """
    ops = Counter(node.op_type for node in model.graph.node)
    if ops["LSTM"] or ops["DynamicQuantizeLSTM"] != n_layers:
        raise QuantizationError(
            f"quantisation left {ops['LSTM']} float LSTM layers and made "
            f"{ops['DynamicQuantizeLSTM']} int8 layers of {n_layers}"
        )
