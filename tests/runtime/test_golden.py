"""Python's answers to the golden texts, which JavaScript and C have to give too."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from lstm_runtime import SentimentModel
from lstm_runtime.bundled import DEFAULT_CPU
from lstm_runtime.kernel.library import STOCK, VARIABLE
from lstm_runtime.text.tokenizer import Tokenizer

GOLDEN = Path(__file__).parents[1] / "golden" / "answers.json"


@pytest.fixture(scope="module")
def golden() -> dict[str, Any]:
    return json.loads(GOLDEN.read_text())


@pytest.fixture(params=["python", "kernel"])
def runner(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Whose answers: ONNX Runtime's own, as everywhere, or those of the kernel where it is."""
    monkeypatch.setenv(VARIABLE, STOCK if request.param == "python" else "")
    return str(request.param)


@pytest.fixture
def model(runner: str) -> SentimentModel:
    return SentimentModel.load(provider="cpu")


def test_they_are_the_answers_of_the_bundled_model(golden: dict[str, Any]) -> None:
    digest = hashlib.sha256(DEFAULT_CPU.read_bytes()).hexdigest()
    assert digest == golden["model_sha256"], "run python tests/golden/make_answers.py"


def test_every_text_gets_its_answer(
    golden: dict[str, Any], model: SentimentModel, runner: str
) -> None:
    for item in golden["texts"]:
        answer = model(item["text"])
        found = answer.scores["positive"]
        assert answer.known == item["known"], item["text"][:40]
        allowed = golden["tolerance"][runner]
        assert found == pytest.approx(item["probability"], abs=allowed), item["text"][:40]


def test_every_stream_has_its_answers(
    golden: dict[str, Any], model: SentimentModel, runner: str
) -> None:
    for item in golden["streams"]:
        stream = model.stream()
        results = [*(stream.push(piece) for piece in item["pieces"]), stream.finish()]
        found = [result.scores["positive"] for result in results]
        assert found == pytest.approx(item["probability"], abs=golden["tolerance"][runner])


def test_what_platforms_read_differently_is_replaced_before_the_graph_sees_it(
    golden: dict[str, Any], model: SentimentModel
) -> None:
    # A pattern that would take the characters in shows whether they are replaced in the tokeniser.
    assert Tokenizer(r"\S+").tokens("a\0b \u0130 \u212a \ud800") == [
        "a\ufffdb", "\ufffd", "\ufffd", "\ufffd",
    ]  # fmt: skip
    seen = "A good start.\0 Then awful, terrible, the worst film ever."
    assert model.trace(seen).tokens == model.trace(seen.replace("\0", "\ufffd")).tokens
    assert len(model.trace(seen).tokens) == 10
