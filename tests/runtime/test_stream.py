import itertools
import pickle
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lstm_runtime import InputError, SentimentModel, StreamState
from lstm_runtime.inference.streaming import MOST_PENDING, SentimentStream

from .conftest import MIXED, MODELS


def _chunks(text: str, cuts: list[int]) -> list[str]:
    edges = [0, *sorted(cut % (len(text) + 1) for cut in cuts), len(text)]
    return [text[a:b] for a, b in itertools.pairwise(edges)]


def _whole(stream: SentimentStream, chunks: list[str]) -> float:
    for chunk in chunks:
        stream.push(chunk)
    return stream.finish().scores["positive"]


@given(st.text(st.characters(), max_size=80) | st.just(MIXED), st.lists(st.integers(0, 99)))
@settings(deadline=None, max_examples=100)
def test_any_chunking_gives_the_answer_of_the_whole(
    fp32: SentimentModel, text: str, cuts: list[int]
) -> None:
    found = _whole(fp32.stream(), _chunks(text, cuts))
    assert found == pytest.approx(fp32(text).scores["positive"], abs=1e-5)


def test_a_word_in_pieces_counts_once_it_is_complete(fp32: SentimentModel) -> None:
    stream = fp32.stream()
    assert stream.push("a won").scores == fp32("a").scores
    assert stream.push("der").scores == fp32("a").scores
    assert stream.state.pending == "wonder"
    so_far = stream.push("ful ").score
    assert so_far == pytest.approx(fp32("a wonderful").score, abs=1e-6)


def test_a_word_without_an_end_is_refused_and_changes_nothing(fp32: SentimentModel) -> None:
    stream = fp32.stream()
    stream.push("good " + "x" * (MOST_PENDING - 1))
    before = stream.state
    with pytest.raises(InputError, match="10,001 characters could all be one word"):
        stream.push("yz")
    assert stream.state is before
    assert stream.push("y plot").text == "y plot"
    assert stream.state.pending == "plot"
    fp32.stream().push("good " * MOST_PENDING)


def test_before_any_word_the_answer_is_that_of_an_empty_text(fp32: SentimentModel) -> None:
    stream = fp32.stream()
    assert stream.push("... ").scores == fp32("").scores
    assert stream.finish().scores == fp32("").scores
    assert np.all(stream.state.h == 0)


def test_int8_streams_stay_close_to_the_whole(int8: SentimentModel) -> None:
    found = _whole(int8.stream(), _chunks(MIXED, [5, 20, 40]))
    assert found == pytest.approx(int8(MIXED).scores["positive"], abs=0.05)


def test_state_can_be_saved_and_given_back(fp32: SentimentModel) -> None:
    stream = fp32.stream()
    stream.push(MIXED[:17])
    saved = pickle.loads(pickle.dumps(stream.state))  # noqa: S301 - our own bytes
    stream.push(" something awful in between ")
    assert _whole(fp32.stream(saved), [MIXED[17:]]) == pytest.approx(
        fp32(MIXED).scores["positive"], abs=1e-6
    )


def test_many_streams_share_a_model(fp32: SentimentModel) -> None:
    texts = ["a good film ", "an awful dull mess ", "it's fun "]
    streams = [fp32.stream() for _ in texts]
    for n in range(4):
        for stream, text in zip(streams, texts, strict=True):
            stream.push(text.split(" ")[n] + " " if n < len(text.split(" ")) else "")
    for stream, text in zip(streams, texts, strict=True):
        assert stream.finish().score == pytest.approx(fp32(text).score, abs=1e-6)


def test_ids_can_be_streamed(ids: SentimentModel) -> None:
    stream = ids.stream()
    stream.push_ids([5, 6])
    assert stream.push_ids([7]).score == pytest.approx(ids.score_ids([5, 6, 7]).score, abs=1e-6)
    with pytest.raises(InputError, match="id -1"):
        stream.push_ids([-1])


def test_wrong_pieces_and_states_are_refused(fp32: SentimentModel) -> None:
    good = fp32.stream().state
    with pytest.raises(InputError, match="str"):
        fp32.stream().push(b"good")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="takes text"):
        fp32.stream().push_ids([1])
    for h in (good.h[:1], good.h.astype(np.float64), good.h * np.nan, [0.0]):
        with pytest.raises(InputError, match="state h"):
            fp32.stream(StreamState(h, good.c))  # type: ignore[arg-type]


def test_a_file_that_needs_states_answers_and_streams(fp32: SentimentModel) -> None:
    model = SentimentModel.load(MODELS / "required.onnx")
    assert model(MIXED).score == pytest.approx(fp32(MIXED).score, abs=1e-6)
    assert _whole(model.stream(), _chunks(MIXED, [9])) == pytest.approx(
        fp32(MIXED).scores["positive"], abs=1e-6
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"pending": b"x"}, {"pending": None}, {"model": None}, {"model": 5}, {"h": None},
        {"c": [1.0]}, {"probability": 0.5}, {"probability": ()}, {"probability": ("x",)},
    ],
)  # fmt: skip
def test_a_state_that_is_none_is_refused(wrong: dict[str, Any], int8: SentimentModel) -> None:
    stream = int8.stream()
    stream.push("good film ")
    with pytest.raises(InputError, match="state"):
        int8.stream(replace(stream.state, **wrong))
    for other in (5, "x", {}, stream.state.h):
        with pytest.raises(InputError, match="a state is a StreamState"):
            int8.stream(other)  # type: ignore[arg-type]
