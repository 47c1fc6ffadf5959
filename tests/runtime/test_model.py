import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lstm_runtime
import numpy as np
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lstm_runtime import (
    ClosedError,
    InputError,
    LstmEdgeError,
    ModelFileError,
    Sentiment,
    SentimentModel,
    VerificationError,
    errors,
)
from lstm_runtime.inference.probing import batch_difference

from .conftest import MIXED, MODELS
from .model_bytes import properties, with_properties

TEXTS = [
    "",
    " ",
    MIXED,
    "good",
    "zebra",
    "<br /><br />",
    "👍🏽 שלום 好",
    "a\0good\0film",
    "\ud800good\udfff",
    "good " * 300,
]
ANY_TEXT = st.text(st.characters(), max_size=50)


@pytest.fixture(params=["fp32", "int8"])
def model(request: pytest.FixtureRequest) -> SentimentModel:
    return request.getfixturevalue(request.param)


def test_a_text_gets_the_very_same_answer_alone_and_in_a_list(model: SentimentModel) -> None:
    assert model(TEXTS) == [model(text) for text in TEXTS]


KNOWN = {
    "good zebra": 0.5,
    "good, film!": 1.0,
    "": 0.0,
    "12345 \u7535\u5f71": 0.0,
    "zebra good gnu": 1 / 3,
}


@pytest.mark.parametrize(
    "name", ["tiny.onnx", "tiny.int8.onnx", "dropping.onnx", "both_ways.onnx", "ids.onnx"]
)
def test_an_answer_says_how_many_of_its_words_are_known(name: str) -> None:
    with SentimentModel.load(MODELS / name, "cpu") as model:
        found = model([*KNOWN])
        assert [answer.known for answer in found] == pytest.approx([*KNOWN.values()])
        assert model("good zebra").known == 0.5
        assert model("good zebra gnu", max_tokens=2).known == 0.0
        assert asyncio.run(model.ascore("good zebra")).known == 0.5
        assert model.trace("good zebra").sentiment.known == 0.5


def test_the_share_of_known_words_is_none_where_nobody_counts(
    ids: SentimentModel, fp32: SentimentModel
) -> None:
    assert ids.score_ids([2, 3]).known is None
    assert fp32.stream().push("good ").known is None


def test_no_texts_give_no_answers(model: SentimentModel) -> None:
    assert model([]) == []
    assert list(model.score_many(iter(()))) == []


def test_answers_hold_the_text_and_add_up(model: SentimentModel) -> None:
    for text, found in zip(TEXTS, model(TEXTS), strict=True):
        assert found.text == text
        assert found.score == found.scores[found.label]
        assert sum(found.scores.values()) == pytest.approx(1)


def test_texts_without_a_token_read_like_one_unknown_word(model: SentimentModel) -> None:
    assert {model(text).score for text in ("", " ", "👍", "zebra", "\0", "\ud800")} == {
        model("").score
    }


@given(st.lists(ANY_TEXT, max_size=6))
@settings(deadline=None, max_examples=60)
def test_any_list_answers_like_its_texts_alone(int8: SentimentModel, texts: list[str]) -> None:
    assert int8(texts) == [int8(text) for text in texts]


def test_long_texts(model: SentimentModel) -> None:
    assert 0 <= model("good " * 20_000).score <= 1
    assert model("a" * 1_000_000).score == model("").score


def test_very_long_text(int8: SentimentModel) -> None:
    assert 0 <= int8("a b " * 100_000).score <= 1


@pytest.mark.parametrize("wrong", [None, 3, b"bytes", ["a", None], [b"a"], [["a"]]])
def test_what_is_no_text_is_refused(int8: SentimentModel, wrong: object) -> None:
    with pytest.raises(InputError, match="str"):
        int8(wrong)  # type: ignore[call-overload]


def test_score_many_keeps_order_and_does_not_read_far_ahead(int8: SentimentModel) -> None:
    taken = 0

    def endless() -> Iterator[str]:
        nonlocal taken
        while True:
            taken += 1
            yield f"word{taken} good"

    answers = int8.score_many(endless())
    found = [next(answers).text for _ in range(500)]
    answers.close()  # type: ignore[attr-defined]
    assert found == [f"word{n} good" for n in range(1, 501)]
    assert taken < 2000


def test_score_many_answers_what_came_before_a_bad_text(int8: SentimentModel) -> None:
    texts = ["good"] * 100
    found = []
    with pytest.raises(InputError, match="NoneType"):
        for answer in int8.score_many([*texts, *(["bad"] * 60), None]):  # type: ignore[list-item]
            found.append(answer)
    assert len(found) >= 100


def test_an_error_in_the_texts_comes_behind_the_answers_before_it(int8: SentimentModel) -> None:
    def texts() -> Iterator[str]:
        yield from ["good"] * 64
        raise OSError("cable")

    found = []
    with pytest.raises(OSError, match="cable"):
        for answer in int8.score_many(texts()):
            found.append(answer)
    assert len(found) >= 48


def test_batches_agree_with_single_texts_for_fp32(fp32: SentimentModel) -> None:
    texts = TEXTS * 5
    pairs = zip(fp32.score_many(texts, batch_size=4), fp32(texts), strict=True)
    for batched, alone in pairs:
        assert batched.text == alone.text
        assert batched.scores["positive"] == pytest.approx(alone.scores["positive"], abs=1e-6)


def test_batches_are_refused_for_int8_without_the_kernel(
    model_files: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LSTM_EDGE_KERNEL", "none")
    stock = SentimentModel.load(model_files["int8"], "cpu")
    with pytest.raises(InputError, match="neighbours"):
        stock.score_many(["a"], batch_size=2)


@pytest.mark.parametrize("texts", ["one text", b"bytes", 7])
def test_score_many_wants_an_iterable_of_texts(int8: SentimentModel, texts: object) -> None:
    with pytest.raises(InputError, match="iterable"):
        int8.score_many(texts)  # type: ignore[arg-type]


def test_ascore_leaves_the_event_loop_running(int8: SentimentModel) -> None:
    async def scenario() -> list[Sentiment]:
        return list(await asyncio.gather(*(int8.ascore(text) for text in TEXTS)))

    assert asyncio.run(scenario()) == int8(TEXTS)


def test_eight_threads_get_the_answers_of_one(model: SentimentModel) -> None:
    texts = [f"word{n} is {'good' if n % 3 else 'awful'}" for n in range(50)]
    wanted = [model(text) for text in texts] * 20
    found: dict[int, list[Sentiment]] = {}

    def work(number: int) -> None:
        found[number] = [model(text) for _ in range(20) for text in texts]

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(found[n] == wanted for n in range(8))


def test_a_closed_model_says_so(model_files: dict[str, Path]) -> None:
    with SentimentModel.load(model_files["int8"]) as model:
        stream = model.stream()
        model("good")
    model.close()
    for call in (lambda: model("good"), lambda: model(["good"]), lambda: stream.push("good ")):
        with pytest.raises(ClosedError, match="load it again"):
            call()


def test_info_names_what_runs(model_files: dict[str, Path]) -> None:
    info = SentimentModel.load(model_files["int8"], threads=3).info
    assert (info.provider, info.threads, info.interface) == ("CPUExecutionProvider", 3, "text")
    assert info.has_state
    assert info.versions["onnxruntime"] == onnxruntime.__version__
    assert info.metadata.precision == "int8"


def test_session_options_are_taken_as_they_are(model_files: dict[str, Path]) -> None:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    options.log_severity_level = 4
    model = SentimentModel.load(model_files["fp32"], session_options=options)
    assert model("good").label in {"negative", "positive"}


@pytest.mark.parametrize("number", [0, -1, 1.5, float("nan"), True, "5", [], b"5"])
def test_counts_are_whole_numbers_from_one(
    number: Any, int8: SentimentModel, model_files: dict[str, Path]
) -> None:
    for name in ("threads", "max_tokens"):
        with pytest.raises(InputError, match=f"{name} must be a whole number"):
            SentimentModel.load(model_files["int8"], **{name: number})
    for name in ("batch_size", "max_tokens"):
        with pytest.raises(InputError, match=f"{name} must be a whole number"):
            list(int8.score_many(["good"], **{name: number}))
    for call in (int8, int8.trace):
        with pytest.raises(InputError, match="max_tokens must be a whole number"):
            call("good", max_tokens=number)


def test_numpys_numbers_are_counts_too(int8: SentimentModel, model_files: dict[str, Path]) -> None:
    three = np.int64(3)
    assert int8(MIXED, max_tokens=three) == int8(MIXED, max_tokens=3)  # type: ignore[arg-type]
    with SentimentModel.load(model_files["int8"], threads=three, max_tokens=three) as model:  # type: ignore[arg-type]
        assert model(MIXED) == int8(MIXED, max_tokens=3)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("provider", ["cpu"]), ("provider", 5), ("provider", b"cpu"), ("provider_options", "x"),
        ("provider_options", [("a", "b")]), ("session_options", "x"), ("session_options", {}),
    ],
)  # fmt: skip
def test_settings_of_a_wrong_type_are_named(
    name: str, value: Any, model_files: dict[str, Path]
) -> None:
    with pytest.raises(InputError, match=f"{name} must be a "):
        SentimentModel.load(model_files["int8"], **{name: value})


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"none\.onnx: no such file"):
        SentimentModel.load(tmp_path / "none.onnx")


def test_verify_replays_the_references(model: SentimentModel) -> None:
    found = model.verify()
    assert found.passed
    assert found.count >= 12


def test_verify_finds_other_answers(model_files: dict[str, Path], tmp_path: Path) -> None:
    data = model_files["fp32"].read_bytes()
    references = json.loads(properties(data)["reference"])
    references[0]["probability"][0] += 0.01
    (tmp_path / "bent.onnx").write_bytes(
        with_properties(data, {"reference": json.dumps(references)})
    )
    model = SentimentModel.load(tmp_path / "bent.onnx")
    with pytest.raises(VerificationError, match=r"differs from the original model by 0\.01"):
        model.verify()


def test_ids_of_one_text_a_list_and_a_padded_batch_agree(ids: SentimentModel) -> None:
    one, two = ids.score_ids([3, 5, 8]), ids.score_ids(np.array([9], np.int32))
    assert ids.score_ids([[3, 5, 8], [9]]) == [one, two]
    assert ids.score_ids(np.array([[3, 5, 8], [9, -1, 7000]]), [3, 1]) == [one, two]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ([], "no ids"),
        ([[1], []], "no ids"),
        ("abc", "flat list"),
        ([[1], [[2]]], "flat list"),
        ([-1], "id -1 at position 0"),
        ([1, 100], "id 100 at position 1: ids go from 0 to 99"),
        ([1.0], "not float64"),
        ([True], "not bool"),
        (["a"], "whole numbers"),
        ([2**70], "not object"),
        (None, "a list or an array"),
        (5, "a list or an array"),
        ({2, 3}, "a list or an array"),
        ({2: 3}, "a list or an array"),
        ((n for n in [2, 3]), "a list or an array"),
        (np.zeros((1, 2, 3), int), "flat list"),
    ],
)
def test_wrong_ids_never_reach_the_session(
    ids: SentimentModel, wrong: object, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        ids.score_ids(wrong)


@pytest.mark.parametrize("lengths", [[0, 1], [1, 4], [1], [1.0, 1.0], [[1, 1]], [-1, 2]])
def test_wrong_lengths_are_refused(ids: SentimentModel, lengths: object) -> None:
    with pytest.raises(InputError, match="length"):
        ids.score_ids(np.ones((2, 3), int), lengths)


def test_rows_of_several_lengths_are_refused(ids: SentimentModel) -> None:
    with pytest.raises(InputError, match="length"):
        ids.score_ids([[1], [1, 2]], [1, 1])
    with pytest.raises(InputError, match="length"):
        ids.score_ids([[1, 2], [1, 2]], [[1], [1, 2]])


def test_ids_for_a_text_file_are_refused(int8: SentimentModel) -> None:
    with pytest.raises(InputError, match="--interface ids"):
        int8.score_ids([1])


def test_every_error_is_of_the_family() -> None:
    for name, error in vars(errors).items():
        if isinstance(error, type):
            assert issubclass(error, LstmEdgeError)
            assert error is getattr(lstm_runtime, name)


def test_a_model_that_is_closed_meanwhile_is_said_to_be(model_files: dict[str, Path]) -> None:
    model = SentimentModel.load(model_files["fp32"])
    model.close()
    with pytest.raises(ClosedError):
        model.verify()
    with pytest.raises(ClosedError):
        batch_difference(model._engine)


def test_an_empty_path_is_no_model() -> None:
    with pytest.raises(InputError, match="not an empty one"):
        SentimentModel.load("")
