"""What is done with a mutated file and with hostile texts, and what must hold."""

import os
import random
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

from fuzz.mutations import mutated, sealed
from fuzz.texts import hostile_texts
from lstm_runtime import LstmEdgeError, Sentiment, SentimentModel
from lstm_runtime.inference import bounds

MODELS = Path(__file__).parents[1] / "data" / "models"
TEXTS = ("a good film", "", "awful \0 dull " * 40)
CHUNK = 1000
"""Hostile texts of a case."""
_MEMORY = 400 * 2**20
_SECONDS = 0.5
"""What a run may take: less than what a worker is watched for."""


def try_file(files: Sequence[Path], seed: int) -> str:
    """Load a mutated file and ask it all that a file can be asked; every second has a seal."""
    source = random.Random(seed)
    original = _bytes(source.choice(files))
    data = mutated(original, source)
    fits = bool(seed % 2)
    if fits:
        data = sealed(data)
    elif data == original:
        return "unchanged"
    try:
        model = SentimentModel.load(data, "cpu")
    except LstmEdgeError:
        return "refused"
    if not fits and sealed(data) != data:
        return "!accepted without a fitting checksum"
    outcomes = {_ask(model, call) for call in _calls(model)}
    problems = [outcome for outcome in outcomes if outcome.startswith("!")]
    return problems[0] if problems else " and ".join(sorted(outcomes))


def try_texts(seed: int) -> str:
    """Score hostile texts, some of them alone again."""
    model = _model()
    texts = list(hostile_texts(seed, CHUNK))
    answers = list(model.score_many(texts))
    for text, answer in zip(texts, answers, strict=True):
        if answer.text != text or _wrong(answer):
            return f"!wrong: {answer!r}"
    place = seed % CHUNK
    again = model(texts[place]) if model.info.kernel else answers[place]
    return "answers" if again == answers[place] else f"!differs alone: {texts[place]!r}"


def _calls(model: SentimentModel) -> list[Callable[[], "Sentiment | None"]]:
    if model.info.interface == "ids" and model.metadata.tokenizer is None:
        return [lambda: model.score_ids([0, 1])]

    def stream() -> Sentiment:
        reader = model.stream()
        reader.push("a good fi")
        return reader.finish()

    def verify() -> None:
        model.verify()

    texts = [lambda text=text: model(text) for text in TEXTS]
    together = [lambda: list(model.score_many(TEXTS))[-1], lambda: model(TEXTS[2], max_tokens=3)]
    return [*texts, *together, stream, lambda: model.trace(TEXTS[0]).sentiment, verify]


def _ask(model: SentimentModel, call: "Callable[[], Sentiment | None]") -> str:
    try:
        answer = call()
    except LstmEdgeError as error:
        return type(error).__name__
    if answer is not None and (_wrong(answer) or answer.label not in model.metadata.labels):
        return f"!wrong: {answer!r}"
    return "answers"


def _wrong(answer: Sentiment) -> bool:
    if answer.score is None:
        return answer.value is None or not abs(answer.value) < float("inf")
    return not all(0 <= score <= 1.001 for score in answer.scores.values())


@cache
def _bytes(path: Path) -> bytes:
    return path.read_bytes()


@cache
def _model() -> SentimentModel:
    return SentimentModel.load(MODELS / "tiny.int8.onnx", "cpu", threads=1)


def prepare() -> None:
    """Load in the parent what workers share, and bound what their models may take."""
    os.environ.setdefault(bounds.MEMORY_VARIABLE, str(_MEMORY))
    bounds.SECONDS, bounds.SECONDS_PER_CHARACTER = _SECONDS, 0.0
    _model()("good")
