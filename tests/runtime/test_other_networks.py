"""Files of other networks of the family: read both ways, or with unknown words dropped."""

import pytest
from lstm_runtime import InputError, SentimentModel

from .conftest import MODELS


def test_a_model_that_reads_both_ways_answers_but_cannot_be_continued() -> None:
    model = SentimentModel.load(MODELS / "both_ways.onnx")
    assert model(["good film", ""]) == [model("good film"), model("")]
    assert not model.info.has_state
    with pytest.raises(InputError, match="cannot be streamed"):
        model.stream()


@pytest.mark.parametrize("text", ["good film, zebra!", "", "zebra"])
def test_a_model_that_reads_both_ways_is_traced_by_its_answers_to_each_beginning(text: str) -> None:
    model = SentimentModel.load(MODELS / "both_ways.onnx")
    trace = model.trace(text)
    ends = [text[: text.index(token) + len(token)] if token else text for token in trace.tokens]
    wanted = [model(end).scores["positive"] for end in ends]
    assert trace.probability[:, 0].tolist() == wanted
    assert trace.sentiment == model(text)
    assert trace.learn.shape == (0, len(trace.tokens))


def test_dropped_words_leave_streams_and_traces_alone() -> None:
    model = SentimentModel.load(MODELS / "dropping.onnx")
    stream = model.stream()
    for chunk in ("zebra good ", "zebra ", "yak f", "ilm gnu"):
        stream.push(chunk)
    wanted = model("good film").scores["positive"]
    assert stream.finish().scores["positive"] == pytest.approx(wanted, abs=1e-6)
    assert model.trace("zebra good gnu film").tokens == ("good", "film")
    assert model.trace("zebra").known == (False,)
