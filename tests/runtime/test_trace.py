from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lstm_runtime import AnswerError, ModelFileError, SentimentModel
from lstm_runtime.model_file.protobuf import fields
from lstm_runtime.model_file.reader import OnnxReader
from lstm_runtime.trace.lstm_cell import run_layers
from lstm_runtime.trace.weights import read_weights

from .conftest import MIXED


def test_the_vocabulary_is_read_out_of_the_graph(model_files: dict[str, Path]) -> None:
    words = OnnxReader(model_files["int8"]).vocabulary()
    assert words["the"] == 2
    assert words["word7"] == len(words) - 1 - [*words][::-1].index("word7") + 1
    assert words[""] == -1


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_the_cell_with_the_files_weights_gives_the_files_answers(
    model_files: dict[str, Path], precision: str
) -> None:
    model = SentimentModel.load(model_files[precision])
    stream = model.stream()
    stream.push(MIXED)
    stream.finish()
    weights = read_weights(OnnxReader(model_files[precision]), 2)
    words = OnnxReader(model_files[precision]).vocabulary()
    ids = [words.get(token, 1) for token in model.trace(MIXED).tokens]
    zero = np.zeros((2, 1, 16), np.float32)
    steps = run_layers(weights.layers, weights.embedding[ids][:, np.newaxis], zero, zero)
    tolerance = 1e-5 if precision == "fp32" else 0.05
    np.testing.assert_allclose(steps[-1][-1].use, stream.state.h[1], atol=tolerance)


def test_a_trace_ends_where_the_answer_is(fp32: SentimentModel, int8: SentimentModel) -> None:
    for model in (fp32, int8):
        trace = model.trace(MIXED)
        assert trace.sentiment == model(MIXED)
        assert trace.probability[-1, 0] == pytest.approx(
            trace.sentiment.scores["positive"], abs=1e-6
        )
        assert trace.tokens[:3] == ("i", "don't", "love")
        for gate in (trace.learn, trace.forget, trace.remember, trace.use):
            assert gate.shape == (2, len(trace.tokens))
            assert np.all(gate >= 0)
        assert np.all(trace.forget <= 1)


def test_each_probability_is_the_answer_of_the_text_so_far(fp32: SentimentModel) -> None:
    trace = fp32.trace("a good film")
    for n in range(3):
        so_far = fp32(" ".join(trace.tokens[: n + 1])).scores["positive"]
        assert trace.probability[n, 0] == pytest.approx(so_far, abs=1e-6)


def test_unknown_words_are_marked(fp32: SentimentModel, ids: SentimentModel) -> None:
    assert fp32.trace("good zebra").known == (True, False)
    assert ids.trace("good zebra").known == (True, False)
    assert fp32.trace("").tokens == ("",)
    assert fp32.trace("").known == (False,)


@pytest.mark.parametrize("junk", [b"\x0a\x7f", b"\xff" * 12, b"\x0b", b"\x08"])
def test_the_wire_reader_refuses_what_is_no_message(junk: bytes) -> None:
    with pytest.raises(ModelFileError):
        list(fields(memoryview(junk)))


def test_a_file_without_a_graph_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.onnx"
    path.write_bytes(b"")
    with pytest.raises(ModelFileError, match="no graph"):
        OnnxReader(path)


def test_gates_that_are_no_numbers_are_no_trace(
    model_files: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def damaged(*arguments: Any) -> Any:
        found = run_layers(*arguments)
        found[-1][-1] = replace(found[-1][-1], forget=found[-1][-1].forget * np.nan)
        return found

    monkeypatch.setattr("lstm_runtime.trace.tracer.run_layers", damaged)
    with SentimentModel.load(model_files["int8"]) as model:
        assert model("good film").label
        with pytest.raises(AnswerError, match="the gates are no numbers"):
            model.trace("good film")
