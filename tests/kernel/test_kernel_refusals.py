"""What the kernel cannot take it refuses in words; the stock operator is then at hand."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from kernel.nodes import PORTABLE, Feed, Node, chosen, instruction_sets, needs_kernel, session
from lstm_runtime.errors import ProviderError
from lstm_runtime.kernel.library import STOCK, kernel_in_use
from onnx import load_from_string, numpy_helper

pytestmark = needs_kernel

NODE = Node(8, 8, lengths=True, states=True)


def weights(**changed: Any) -> Feed:
    return {**NODE.weights(np.random.default_rng(0)), **changed}


def refusal(model: bytes, instruction_set: str = PORTABLE) -> str:
    with pytest.raises(Exception) as caught:
        session(model, instruction_set)
    return str(caught.value)


def test_attributes_that_it_lacks_are_refused() -> None:
    assert "input_forget is not supported" in refusal(NODE.model(weights(), input_forget=1))
    assert "clip is not supported" in refusal(NODE.model(weights(), clip=3.0))
    assert "direction must be" in refusal(NODE.model(weights(), direction="sideways"))
    assert "hidden_size must be" in refusal(NODE.model(weights(), hidden_size=1 << 20))


def test_peepholes_are_refused() -> None:
    peepholes = np.zeros((1, 24), np.float32)
    assert "peepholes are not supported" in refusal(NODE.model(weights(P=peepholes)))


def test_zero_points_are_refused() -> None:
    zeros = np.zeros((1, 32), np.int8)
    zeros[0, 3] = 1
    assert "zero points" in refusal(NODE.model(weights(W_zero=zeros)))


def test_weights_that_are_no_constants_are_refused() -> None:
    model = load_from_string(NODE.model(weights()))
    (found,) = (i for i in model.graph.initializer if i.name == "R")
    array = numpy_helper.to_array(found)
    model.graph.initializer.remove(found)
    value = model.graph.input.add(name="R")
    value.type.tensor_type.elem_type = 3
    for size in array.shape:
        value.type.tensor_type.shape.dim.add(dim_value=size)
    assert "weights must be constant int8" in refusal(model.SerializeToString())


@pytest.mark.skipif("avx2" not in instruction_sets(), reason="no AVX2")
def test_weights_of_eight_bits_are_refused_where_they_would_saturate() -> None:
    eight = replace(NODE, bits=8)
    model = eight.model(eight.weights(np.random.default_rng(0)))
    assert "weights must have seven bits" in refusal(model, "avx2")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"lengths": np.array([6, 1], np.int32)}, "length is outside"),
        ({"lengths": np.array([-1, 1], np.int32)}, "length is outside"),
        ({"lengths": np.array([1], np.int32)}, "sequence_lens must be"),
        ({"h0": np.zeros((1, 3, 8), np.float32)}, "initial_h must be"),
        ({"c0": np.zeros((1, 1, 8), np.float32)}, "initial_c must be"),
        # Scalars, which libFuzzer found to be taken for inputs that are left out.
        ({"lengths": np.array(1, np.int32)}, "sequence_lens must be"),
        ({"h0": np.array(0, np.float32)}, "initial_h must be"),
        ({"c0": np.array(0, np.float32)}, "initial_c must be"),
    ],
)
def test_runs_that_make_no_sense_are_refused(changed: Feed, said: str) -> None:
    model = load_from_string(NODE.model(weights()))
    for value in model.graph.input:  # else ONNX Runtime refuses before the kernel sees it
        value.type.tensor_type.ClearField("shape")
    made = session(model.SerializeToString(), PORTABLE)
    with pytest.raises(Exception, match=said):
        made.run(None, {**NODE.feed(np.random.default_rng(0), 5, 2), **changed})


def test_nothing_to_do_is_done() -> None:
    made = session(NODE.model(weights()), PORTABLE)
    for steps, batch in ((0, 3), (4, 0), (0, 0)):
        y, h, c = made.run(NODE.outputs, NODE.feed(np.random.default_rng(0), steps, batch))
        assert y.shape == (steps, 1, batch, 8)
        assert h.shape == c.shape == (1, batch, 8)


def test_a_set_that_cannot_run_is_an_error() -> None:
    with chosen("avx1024"), pytest.raises(ProviderError, match="LSTM_EDGE_KERNEL=avx1024"):
        kernel_in_use()
    assert "LSTM_EDGE_KERNEL" in refusal(NODE.model(weights()), "avx1024")


def test_the_environment_turns_it_off() -> None:
    with chosen(STOCK):
        assert kernel_in_use() is None


def test_the_portable_one_runs_only_where_it_is_asked_for() -> None:
    with chosen(""):
        assert kernel_in_use() in (*instruction_sets(), None)
    with chosen(PORTABLE):
        assert kernel_in_use() == PORTABLE
