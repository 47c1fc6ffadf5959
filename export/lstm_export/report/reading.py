"""How texts become ids, and answers labels: what a user has to see to trust the proof."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from lstm_training.data.examples import Examples

from lstm_export.checkpoint.source import Source
from lstm_export.parity.encoding import EncodingParity
from lstm_export.parity.ground_truth import Original
from lstm_export.parity.self_test_texts import REFERENCE_TEXTS, reference_texts
from lstm_export.report.coverage import Coverage, measure_coverage

SHOWN = REFERENCE_TEXTS[:2]
"""One text that praises and one that damns: labels in the wrong order show."""


@dataclass(frozen=True)
class Answer:
    """What the original answers to one text."""

    text: str
    "The text."
    scores: dict[str, float]
    "Label to its probability, or to the number itself."

    def sentence(self) -> str:
        """Return it in words."""
        label = max(self.scores, key=self.scores.__getitem__)
        return f"{self.text!r}: {label} {self.scores[label]:.2f}"


@dataclass(frozen=True)
class Reading:
    """What is told of texts and labels; nothing where there is no vocabulary."""

    coverage: Coverage | None = None
    "How many tokens have ids."
    encoding: EncodingParity | None = None
    "How many texts are read as their owner reads them."
    answers: tuple[Answer, ...] = ()
    "What the original says to `SHOWN`."

    def sentences(self) -> list[str]:
        """Return it in words."""
        told = [self.encoding.sentence()] if self.encoding else []
        if self.coverage and self.coverage.without_id:
            told.append(self.coverage.sentence())
        if self.answers:
            examples = "; ".join(answer.sentence() for answer in self.answers)
            told.append(f"{examples} (the wrong way round? --labels has the order of the ids)")
        return told

    def to_json(self) -> dict[str, Any]:
        """Return it for ``report.json``."""
        return {
            "coverage": self.coverage and asdict(self.coverage),
            "encoding": self.encoding and asdict(self.encoding),
            "answers": [asdict(answer) for answer in self.answers],
        }


NOTHING = Reading()


def measure_reading(
    source: Source, data: Examples | None = None, encoding: EncodingParity | None = None
) -> Reading:
    """Read the reference texts and ``data``, and ask the original for `SHOWN`."""
    if source.encoder is None:
        return NOTHING
    texts = (*reference_texts(source), *(data.texts if data else ()))
    original = Original(source)
    ids = [(text, source.encoder(text)) for text in SHOWN]
    answers = [
        Answer(text, _scores(original.probability(found).tolist(), source))
        for text, found in ids
        if source.is_answerable(found)
    ]
    return Reading(measure_coverage(source.encoder, texts), encoding, tuple(answers))


def _scores(values: Sequence[float], source: Source) -> dict[str, float]:
    if len(values) == 1 and source.network.activation != "none":
        values = (1 - values[0], values[0])
    return dict(zip(source.label_names, values, strict=True))
