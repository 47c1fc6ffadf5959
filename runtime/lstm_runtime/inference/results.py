"""What a model gives back: an answer, a verification, and what it says of itself."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path

from lstm_runtime.errors import AnswerError
from lstm_runtime.model_file.contract import Interface, Metadata


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


@dataclass(frozen=True)
class Verification:
    """What `SentimentModel.verify` found."""

    count: int
    "Reference inputs replayed."
    max_difference: float
    "Largest difference from the original model's probabilities."
    tolerance: float
    "Largest difference that the export allowed."
    differences: dict[str, float]
    """The largest difference of each LSTM that ran: the kernel's, by its instruction set, and
    ``none``, ONNX Runtime's own; an int8 file is replayed on both where the kernel runs."""

    batch_difference: float | None = None
    """The largest difference between answers alone and in one padded batch; None where texts run
    alone, as with a provider that is wrong about batches."""

    @property
    def passed(self) -> bool:
        """Whether every answer lies within the tolerance (a NaN does not)."""
        return self.max_difference <= self.tolerance


@dataclass(frozen=True)
class ModelInfo:
    """A loaded model, in a form made for logs and bug reports."""

    path: Path
    "The model file."
    digest: str
    "Its checksum, 64 hex digits: that of no other file."
    provider: str
    "The execution provider in use, as ONNX Runtime spells it."
    kernel: str | None
    "Instruction set of the int8 kernel; None where ONNX Runtime's own operators run."
    threads: int
    "Texts that are scored at once when there are many."
    interface: Interface
    "What the file takes: ``text`` or ``ids``."
    has_state: bool
    "Whether texts can be streamed."
    versions: dict[str, str]
    "Versions of lstm-edge, onnxruntime, numpy and Python here; those that wrote the file are in "
    "``metadata.versions``."
    metadata: Metadata
    "What the file says about itself: labels, sizes, precision, metrics, parity and more."


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


def _require(is_answer: bool, values: Sequence[float]) -> None:
    if not is_answer:
        shown = ", ".join(f"{value:.3g}" for value in values[:5])
        raise AnswerError(
            f"the model answers {shown}, which is no answer: the file's weights are damaged, or "
            "this device cannot run them (lstm-run --verify)"
        )
