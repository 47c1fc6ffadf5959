"""What a model gives back: the answer for a text."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import isfinite

from lstm_runtime.errors import AnswerError
from lstm_runtime.model_file.contract import Metadata


@dataclass(frozen=True)
class Sentiment:
    """The answer for one text."""

    text: str
    "The text as it was given."
    label: str
    "The label that the model chose."
    score: float | None
    "Probability of ``label``, 0 to 1; None of a model that answers with plain numbers."
    scores: dict[str, float]
    """Probability of every label; they add up to 1, but where a model has a sigmoid for each label.
    Of a model that answers with plain numbers, those."""
    value: float | None = field(default=None, repr=False)
    "The number of a model that answers with plain numbers, as a regression does; else None."
    known: float | None = None
    """Share of the text's words that the model knows, 0 to 1, and 0 of a text without any: an
    answer to words that it has never seen says little. None where the model was given ids, and in
    a stream."""

    @property
    def number(self) -> float:
        """The score, or the value where there is no score."""
        return self.scores[self.label]


_ROUNDED_ONE = 1.001


def sentiment(
    text: str, probability: Sequence[float], metadata: Metadata, known: float | None = None
) -> Sentiment:
    """Name the label for one row of the output ``probability``, ``[classes]``.

    Raises:
        AnswerError: when it holds what is no answer, such as NaN.

    """
    labels = metadata.labels
    if metadata.activation == "none":
        _require(all(map(isfinite, probability)), probability)
        values = dict(zip(labels, map(float, probability), strict=True))
        label = max(values, key=values.__getitem__)
        return Sentiment(text, label, None, values, values[label], known)
    # NaN fails every comparison; half precision may round a sum of 1 up.
    if len(probability) == 1:
        positive = float(probability[0])
        _require(0.0 <= positive <= _ROUNDED_ONE, probability)
        scores = {labels[0]: 1.0 - positive, labels[1]: positive}
        label = labels[int(positive >= metadata.threshold)]
    else:
        _require(all(0.0 <= value <= _ROUNDED_ONE for value in probability), probability)
        scores = dict(zip(labels, map(float, probability), strict=True))
        label = max(scores, key=scores.__getitem__)
    return Sentiment(text, label, scores[label], scores, known=known)


def too_little_known(found: Sentiment, least: float | None) -> str:
    """Say that an answer stands on fewer known words than wanted; '' where it does not."""
    if least is None or found.known is None or found.known >= least:
        return ""
    return f"the model knows {found.known:.0%} of its words, less than --min-known {least}"


def _require(is_answer: bool, values: Sequence[float]) -> None:
    if not is_answer:
        shown = ", ".join(f"{value:.3g}" for value in values[:5])
        raise AnswerError(
            f"the model answers {shown}, which is no answer: the file's weights are damaged, or "
            "this device cannot run them (lstm-run --verify)"
        )
