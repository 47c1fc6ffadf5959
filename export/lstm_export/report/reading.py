"""How texts become ids, and answers labels: what a user has to see to trust the proof."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from lstm_runtime.text.tokenizer import TextEncoder
from lstm_training.data.examples import Examples

from lstm_export.checkpoint.source import Source
from lstm_export.parity.encoding import EncodingParity
from lstm_export.parity.ground_truth import Original
from lstm_export.parity.self_test_texts import REFERENCE_TEXTS, reference_texts
from lstm_export.report.coverage import Coverage, measure_coverage

SHOWN = REFERENCE_TEXTS[:2]
"""One text that praises and one that damns, in English: labels in the wrong order show."""


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
    "What the original says to `SHOWN`; nothing where no word of theirs has an id."
    about: str = ""
    "Which id has which label and who says so, and how many words of the texts have no id."

    def sentences(self) -> list[str]:
        """Return it in words."""
        told = [self.encoding.sentence()] if self.encoding else []
        if self.coverage and self.coverage.without_id:
            told.append(self.coverage.sentence())
        if self.answers:
            examples = "; ".join(answer.sentence() for answer in self.answers)
            told.append(f"{examples} ({self.about})")
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
    coverage, shown = (measure_coverage(source.encoder, given) for given in (texts, SHOWN))
    answers = _answers(source, source.encoder) if shown.without_id < shown.tokens else ()
    about = f"{_order(source)}{_unknown(shown)}"
    return Reading(coverage, encoding, tuple(answers), about)


def _answers(source: Source, encoder: TextEncoder) -> Iterator[Answer]:
    original = Original(source)
    for text in SHOWN:
        ids = encoder(text)
        if source.is_answerable(ids):
            yield Answer(text, _scores(original.probability(ids).tolist(), source))


def _order(source: Source) -> str:
    """Say which id stands for which label, and that nobody told it where that is so."""
    names = ", ".join(f"{n} is {name}" for n, name in enumerate(source.label_names))
    return f"{names}: {'as labelled' if source.labels else 'assumed'}; --labels gives the order"


def _unknown(shown: Coverage) -> str:
    """Say how little an answer tells where words of these English texts have no id."""
    missing, count = shown.without_id, shown.tokens
    return f"; {missing} of their {count} words have no id" if missing else ""


def _scores(values: Sequence[float], source: Source) -> dict[str, float]:
    if len(values) == 1 and source.network.activation != "none":
        values = (1 - values[0], values[0])
    return dict(zip(source.label_names, values, strict=True))
