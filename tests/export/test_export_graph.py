"""The graph itself: shapes that the exporter never saw, states, operators, versions."""

from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from foreign_models import UdacitySentiment, trained_like
from lstm_export.checkpoint.assume import assume_network
from lstm_export.checkpoint.hints import ArchitectureHints
from lstm_export.checkpoint.source import load_source
from lstm_export.checkpoint.state_dict import read_state_dict
from lstm_export.graph.build import StateForm, build_graph
from lstm_export.graph.precision import FloatWeights, HalfWeights, Int8Weights, PrecisionWriter
from lstm_export.network import Network
from lstm_training.model import SentimentRNN
from onnxruntime import InferenceSession, SessionOptions

SHAPES = [(1, 1), (1, 7), (5, 300), (32, 230)]


@pytest.fixture(scope="module")
def seed_model() -> SentimentRNN:
    """Return the seed at its own size: 10,000 words, 400, 256 units, 2 layers."""
    torch.manual_seed(0)
    return SentimentRNN(10_000, 1, 400, 256, 2).eval()


@pytest.fixture(scope="module")
def seed_network(seed_model: SentimentRNN) -> Network:
    return assume_network(read_state_dict(seed_model.state_dict()), ArchitectureHints("last"))


def session(model: onnx.ModelProto) -> InferenceSession:
    options = SessionOptions()
    options.log_severity_level = 3
    content = model.SerializeToString()
    return InferenceSession(content, options, providers=["CPUExecutionProvider"])


@pytest.mark.parametrize(("batch", "length"), SHAPES)
def test_fp32_equals_the_seed_at_any_shape(
    seed_model: SentimentRNN, seed_network: Network, batch: int, length: int
) -> None:
    ids = np.random.default_rng(batch).integers(0, 10_000, (batch, length))
    with torch.inference_mode():
        wanted, _ = seed_model(torch.from_numpy(ids), seed_model.init_hidden(batch))
    found = session(build_graph(seed_network, FloatWeights())).run(
        ["probability"], {"ids": ids, "lengths": np.full(batch, length, np.int32)}
    )[0]
    assert np.abs(found[:, 0] - wanted.numpy()).max() < 1e-5


def test_padding_of_any_content_changes_nothing(seed_network: Network) -> None:
    model = session(build_graph(seed_network, FloatWeights()))
    random = np.random.default_rng(0)
    lengths = np.array([1, 40, 17, 3], np.int32)
    first, second = random.integers(0, 10_000, (2, 4, 40))
    for row, length in enumerate(lengths):
        second[row, :length] = first[row, :length]
    run = [model.run(None, {"ids": ids, "lengths": lengths}) for ids in (first, second)]
    for output, a, b in zip(model.get_outputs(), *run, strict=True):
        if output.name == "trajectory":
            assert all(np.array_equal(a[n, :k], b[n, :k]) for n, k in enumerate(lengths))
        else:
            assert np.array_equal(a, b), output.name


def test_int8_of_the_seed_is_small_and_has_no_float_lstm(seed_network: Network) -> None:
    model = build_graph(seed_network, Int8Weights())
    assert len(model.SerializeToString()) < 5.5e6
    ops = Counter(node.op_type for node in model.graph.node)
    assert (ops["LSTM"], ops["DynamicQuantizeLSTM"]) == (0, 2)
    large = [t for t in model.graph.initializer if np.prod(t.dims) > 10_000]
    assert {t.data_type for t in large} == {onnx.TensorProto.INT8}


@pytest.mark.parametrize("weights", [FloatWeights(), Int8Weights()])
def test_state_carries_over_and_broadcasts(weights: PrecisionWriter) -> None:
    network = assume_network(
        read_state_dict(trained_like(UdacitySentiment()).state_dict()), ArchitectureHints("last")
    )
    model = session(build_graph(network, weights))
    ids = np.random.default_rng(3).integers(0, 300, (4, 10))
    six, four, ten = (np.full(4, n, np.int32) for n in (6, 4, 10))
    whole = model.run(None, {"ids": ids, "lengths": ten})[0]
    _, _, h, c = model.run(None, {"ids": ids[:, :6], "lengths": six})
    rest = {"ids": ids[:, 6:], "lengths": four}
    atol = 1e-6 if isinstance(weights, FloatWeights) else 4e-3
    assert np.abs(model.run(None, rest | {"h0": h, "c0": c})[0] - whole).max() < atol
    assert np.abs(model.run(None, rest)[0] - whole).max() > 8e-3, "the state must matter"
    one = model.run(None, rest | {"h0": h[:, :1], "c0": c[:, :1]})
    every = {"h0": np.repeat(h[:, :1], 4, axis=1), "c0": np.repeat(c[:, :1], 4, axis=1)}
    assert np.array_equal(one[0], model.run(None, rest | every)[0])


@pytest.mark.parametrize("weights", [FloatWeights(), HalfWeights()])
def test_standard_graph_passes_the_full_check(
    seed_network: Network, weights: PrecisionWriter
) -> None:
    model = build_graph(seed_network, weights)
    onnx.checker.check_model(model, full_check=True)
    assert {opset.domain: opset.version for opset in model.opset_import} == {"": 13}
    assert model.ir_version == 7


@pytest.mark.parametrize("weights", [FloatWeights(), HalfWeights(), Int8Weights()])
def test_contrib_graph_is_well_formed(checkpoint_file: Path, weights: PrecisionWriter) -> None:
    """Checks by hand what the checker does not do for contrib operators."""
    source = load_source(checkpoint_file)
    graph = build_graph(source.network, weights, source.encoder).graph
    known = {i.name for i in graph.input} | {t.name for t in graph.initializer}
    for node in graph.node:
        assert set(node.input) - {""} <= known, node.name
        assert not set(node.output) & known, node.name
        known |= set(node.output) - {""}
    assert {o.name for o in graph.output} <= known
    used = {name for node in graph.node for name in node.input}
    assert {t.name for t in graph.initializer} <= used, "dead weight"


@pytest.mark.parametrize(
    ("state", "inputs", "outputs"),
    [
        ("optional", {"ids", "lengths"}, {"probability", "trajectory", "hn", "cn"}),
        ("required", {"ids", "lengths", "h0", "c0"}, {"probability", "trajectory", "hn", "cn"}),
        ("none", {"ids", "lengths"}, {"probability", "trajectory"}),
    ],
)
def test_state_forms(
    seed_network: Network, state: StateForm, inputs: set[str], outputs: set[str]
) -> None:
    model = session(build_graph(seed_network, FloatWeights(), state=state))
    assert {node.name for node in model.get_inputs()} == inputs
    assert {node.name for node in model.get_outputs()} == outputs
    optional = {node.name for node in model.get_overridable_initializers()}
    assert optional == ({"h0", "c0"} if state == "optional" else set())
