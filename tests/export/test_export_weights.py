"""The runtime's own reader of ONNX files against the onnx library."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from lstm_runtime.model_file.reader import OnnxReader
from onnx import numpy_helper


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_weights_are_read_as_the_onnx_library_reads_them(
    model_files: dict[str, Path], precision: str
) -> None:
    path = model_files[precision]
    found = OnnxReader(path).weights()
    wanted = {
        tensor.name: numpy_helper.to_array(tensor)
        for tensor in onnx.load(path).graph.initializer
        if tensor.data_type != onnx.TensorProto.STRING
    }
    assert found.keys() == wanted.keys()
    for name, values in wanted.items():
        np.testing.assert_array_equal(found[name], values)
