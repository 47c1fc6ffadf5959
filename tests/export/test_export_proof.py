"""The proof has to catch a broken exporter, and a failed proof has to leave nothing behind."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from lstm_export import pipeline as export_module
from lstm_export.checkpoint.source import load_source
from lstm_export.config import ExportConfig
from lstm_export.graph import build as graph
from lstm_export.graph import precision as weights
from lstm_export.graph.build import build_graph
from lstm_export.network import LstmWeights, Network
from lstm_export.outcome import ExportResult
from lstm_export.pipeline import export_source
from lstm_runtime.trace.lstm_cell import CellWeights
from onnx import ModelProto

pytestmark = pytest.mark.slow  # each test exports

FP32 = ExportConfig(precisions=("fp32",))
Build = Callable[..., ModelProto]


def run(checkpoint: Path, folder: Path, config: ExportConfig = FP32) -> ExportResult:
    return list(export_source(load_source(checkpoint), folder, config))[-1]


def swap_gates(stacked: np.ndarray) -> np.ndarray:
    i, f, g, o = np.split(stacked, 4)
    return np.concatenate([i, f, o, g])


def without_bias(network: Network, *rest: object) -> ModelProto:
    def clear(layer: LstmWeights) -> LstmWeights:
        return replace(layer, bias_ih=np.zeros_like(layer.bias_ih))

    layers = tuple(tuple(clear(d) for d in layer) for layer in network.layers)
    return build_graph(replace(network, layers=layers), *rest)


def without_lengths(*args: object) -> ModelProto:
    model = build_graph(*args)
    for node in model.graph.node:
        if node.op_type == "LSTM":
            node.input[4] = ""
    return model


def without_state(*args: object) -> ModelProto:
    model = build_graph(*args)
    for node in model.graph.node:
        if node.op_type == "LSTM":
            node.input[5] = node.input[6] = ""
    return model


def swapped_states(*args: object) -> ModelProto:
    model = build_graph(*args)
    for node in model.graph.node:
        if node.op_type == "LSTM":
            node.input[5], node.input[6] = node.input[6], node.input[5]
    return model


@pytest.mark.parametrize("broken", [without_bias, without_lengths, without_state, swapped_states])
def test_broken_graph_is_caught(
    checkpoint_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: Build
) -> None:
    monkeypatch.setattr(export_module, "build_graph", broken)
    outcome = run(checkpoint_file, tmp_path)
    assert outcome.failures and outcome.path is None
    assert not list(tmp_path.iterdir())


def test_wrong_gate_order_is_caught(
    checkpoint_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weights, "onnx_gates", swap_gates)
    for precision in ("fp32", "int8"):
        outcome = run(checkpoint_file, tmp_path, ExportConfig(precisions=(precision,)))
        assert "probability" in " ".join(outcome.failures)
    assert not list(tmp_path.iterdir())


def test_witness_that_disagrees_stops_the_export(
    checkpoint_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = LstmWeights.cell_weights

    def swapped(weights: LstmWeights) -> CellWeights:
        cell = right(weights)
        return replace(cell, forget=cell.use, use=cell.forget)

    monkeypatch.setattr(LstmWeights, "cell_weights", swapped)
    outcome = run(checkpoint_file, tmp_path)
    assert outcome.name == "numpy" and outcome.failures
    assert not list(tmp_path.iterdir())


def test_wrong_tokeniser_in_the_graph_is_caught(
    checkpoint_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def shifted(g, encoder, **options):
        ids, lengths = add_text(g, encoder, **options)
        return g.Sub(ids, g.constant([1])), lengths

    add_text = graph.add_text_frontend
    monkeypatch.setattr(graph, "add_text_frontend", shifted)
    assert run(checkpoint_file, tmp_path).failures


def test_nan_is_a_failure(checkpoint_file: Path, tmp_path: Path, monkeypatch) -> None:
    def with_nan(network: Network, *rest: object) -> ModelProto:
        embedding = network.embedding.copy()
        embedding[7] = np.nan
        return build_graph(replace(network, embedding=embedding), *rest)

    monkeypatch.setattr(export_module, "build_graph", with_nan)
    assert run(checkpoint_file, tmp_path).failures


def test_failed_proof_leaves_an_earlier_file_as_it_was(
    checkpoint_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not run(checkpoint_file, tmp_path).failures
    earlier = (tmp_path / "model.onnx").read_bytes()
    monkeypatch.setattr(export_module, "build_graph", without_bias)
    assert run(checkpoint_file, tmp_path).failures
    assert [path.name for path in tmp_path.iterdir()] == ["model.onnx"]
    assert (tmp_path / "model.onnx").read_bytes() == earlier


def test_tolerance_can_be_tightened(checkpoint_file: Path, tmp_path: Path) -> None:
    config = ExportConfig(precisions=("int8",), atol={"int8": 1e-6})
    outcome = run(checkpoint_file, tmp_path, config)
    assert "allowed is 1e-06" in outcome.failures[0]


def test_same_checkpoint_gives_the_same_bytes(checkpoint_file: Path, tmp_path: Path) -> None:
    config = ExportConfig(precisions=("fp32", "int8", "fp16"))
    for folder in ("first", "second"):
        assert not run(checkpoint_file, tmp_path / folder, config).failures
    for path in (tmp_path / "first").iterdir():
        assert path.read_bytes() == (tmp_path / "second" / path.name).read_bytes()
