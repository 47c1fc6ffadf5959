"""fp16, for CUDA: a finished fp32 graph with its weights and arithmetic in half precision."""

from typing import cast

from onnx import ModelProto
from onnxruntime.transformers.float16 import convert_float_to_float16


def to_half(model: ModelProto) -> ModelProto:
    """Return ``model`` in float16; inputs and outputs stay float32.

    The conversion is ONNX Runtime's own. It is meant for CUDA; a CPU runs it too, casting around
    every operator that it has in float32 only, which is slow but lets the file be checked there.
    """
    return cast(ModelProto, convert_float_to_float16(model, keep_io_types=True))
