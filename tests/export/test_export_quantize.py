"""int8: the arithmetic, ONNX Runtime's own quantiser as a second opinion, and the count."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from foreign_models import UdacitySentiment, trained_like
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from lstm_export.checkpoint.assume import assume_network
from lstm_export.checkpoint.hints import ArchitectureHints
from lstm_export.checkpoint.state_dict import read_state_dict
from lstm_export.errors import QuantizationError
from lstm_export.graph.build import build_graph
from lstm_export.graph.precision import FloatWeights, Int8Weights
from lstm_export.graph.quantize import quantize, require_quantized
from lstm_export.network import Network
from onnx import numpy_helper
from onnxruntime.quantization import quantize_dynamic

MATRICES = arrays(np.float32, (3, 4), elements=st.floats(-1e3, 1e3, width=32))


@given(matrix=MATRICES, axis=st.sampled_from([None, 0, 1]), reduce_range=st.booleans())
def test_rounding_is_within_half_a_step(matrix, axis, reduce_range) -> None:
    found = quantize(matrix, axis, reduce_range=reduce_range)
    scale = found.scale if axis in {None, 1} else found.scale[:, np.newaxis]
    assert np.abs(found.values).max() <= (64 if reduce_range else 127)
    assert np.all(np.abs(found.values * scale - matrix) <= scale * 0.501 + 1e-9)


@pytest.fixture(scope="module")
def network() -> Network:
    return assume_network(
        read_state_dict(trained_like(UdacitySentiment()).state_dict()), ArchitectureHints("last")
    )


@pytest.mark.parametrize("per_channel", [True, False])
@pytest.mark.parametrize("reduce_range", [True, False])
def test_weights_are_those_of_onnxruntimes_quantiser(
    network: Network, tmp_path: Path, per_channel: bool, reduce_range: bool
) -> None:
    quantize_dynamic(
        build_graph(network, FloatWeights()),
        tmp_path / "theirs.onnx",
        op_types_to_quantize=["LSTM"],
        per_channel=per_channel,
        reduce_range=reduce_range,
    )
    theirs = _initializers(onnx.load(tmp_path / "theirs.onnx"))
    ours = _initializers(build_graph(network, Int8Weights(per_channel, reduce_range)))
    for name in ("lstm_0_W", "lstm_0_R", "lstm_1_W", "lstm_1_R"):
        scale = theirs[f"{name}_scale"].ravel()
        assert np.allclose(ours[f"{name}_scale"].ravel(), scale, rtol=1e-2)
        ours_float = ours[f"{name}_int8"] * ours[f"{name}_scale"].reshape(1, 1, -1)
        zero = theirs[f"{name}_zero_point"].reshape(1, 1, -1).astype(np.float32)
        theirs_float = (theirs[f"{name}_quantized"] - zero) * theirs[f"{name}_scale"].reshape(
            1, 1, -1
        )
        assert np.abs(ours_float - theirs_float).max() <= 1.01 * scale.max()


def test_float_lstm_left_over_is_an_error(network: Network) -> None:
    require_quantized(build_graph(network, Int8Weights()), 2)
    with pytest.raises(QuantizationError, match="left 2 float LSTM"):
        require_quantized(build_graph(network, FloatWeights()), 2)


def _initializers(model: onnx.ModelProto) -> dict[str, np.ndarray]:
    return {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
