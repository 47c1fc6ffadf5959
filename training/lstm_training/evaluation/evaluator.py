"""`Evaluation`: all measures of a model on labelled texts."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from lstm_training.data.examples import Examples, LabelScheme
from lstm_training.evaluation.metrics import Confusion, area_under_roc, calibration_error, log_loss
from lstm_training.evaluation.predictions import EvaluatedModel, Predictions

_LONGEST = (10, 50, 100, 200, 400)
"""Where the buckets of lengths end, in tokens; the last bucket has no end."""
_NORMAL_95 = 1.959963984540054
"""Standard deviations that hold 95 % of a normal distribution."""


@dataclass(frozen=True)
class LengthBucket:
    """The texts of like length."""

    shortest: int
    "Fewest tokens of a text in here."
    longest: int | None
    "Most tokens of a text in here; None for any number."
    texts: int
    "Number of texts, at least 1."
    right: int
    "How many of them got the right answer."

    @property
    def name(self) -> str:
        """The lengths in words, such as 11-50 or 401+."""
        return f"{self.shortest}+" if self.longest is None else f"{self.shortest}-{self.longest}"

    @property
    def accuracy(self) -> float:
        """Part of the texts with the right answer."""
        return self.right / self.texts

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the accuracy."""
        return wilson_interval(self.right, self.texts)


@dataclass(frozen=True)
class Mistake:
    """A text with the wrong answer."""

    number: int
    "Which of the texts, counted from 1 in the order of the source."
    text: str
    "The whole text."
    label: str
    "Its label, as the model calls it."
    answer: str
    "The label that the model gave."
    probability: float
    "The model's probability of ``answer``."


@dataclass(frozen=True)
class Evaluation:
    """What a model is worth on some labelled texts.

    Label names, the threshold and hence the answers are the model's own. The positive class is
    the model's second label: F1, AUROC and the probabilities speak of it.
    """

    model: EvaluatedModel
    "The model."
    data: str
    "What the texts are called."
    seen: bool
    "Whether the model was made from these very texts, so that nothing here says how good it is."
    confusion: Confusion
    "How many texts of each label got which answer."
    f1: float | None
    "F1 of the positive class; None where no text is positive and none was called so."
    auroc: float | None
    "Area under the ROC curve; None where all texts have one label."
    log_loss: float
    "Mean binary cross-entropy, in nats."
    ece: float
    "Expected calibration error: mean distance of the probability from the observed frequency."
    brier: float
    "Brier score: mean square of the distance between probability and label."
    lengths: tuple[LengthBucket, ...]
    "The texts by length, shortest first; each is in one bucket and no bucket is empty."
    unread: int
    "Texts that hold no word of the vocabulary."
    mistakes: tuple[Mistake, ...]
    "Every wrong answer, the most confident first."
    examples: Examples = field(repr=False, compare=False)
    "The texts, with labels in the model's sense."
    predictions: Predictions = field(repr=False, compare=False)
    "The model's answers to them."

    @property
    def texts(self) -> int:
        """Number of texts."""
        return self.confusion.texts

    @property
    def accuracy(self) -> float:
        """Part of the texts with the right answer."""
        return self.confusion.accuracy

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the accuracy."""
        return wilson_interval(self.texts - len(self.mistakes), self.texts)

    def to_plain(self, mistakes: int) -> dict[str, Any]:
        """Return plain values for JSON, with that many mistakes."""
        return {
            "model": asdict(self.model),
            "data": self.data,
            "seen_in_training": self.seen,
            "texts": self.texts,
            "without_known_word": self.unread,
            "accuracy": self.accuracy,
            "accuracy_interval": self.interval,
            "f1": self.f1,
            "auroc": self.auroc,
            "log_loss": self.log_loss,
            "ece": self.ece,
            "brier": self.brier,
            "confusion": asdict(self.confusion),
            "lengths": [
                {**asdict(bucket), "accuracy": bucket.accuracy, "interval": bucket.interval}
                for bucket in self.lengths
            ],
            "mistakes": [asdict(mistake) for mistake in self.mistakes[:mistakes]],
        }


def evaluate_predictions(
    model: EvaluatedModel, examples: Examples, predictions: Predictions
) -> Evaluation:
    """Measure ``predictions`` against the labels of ``examples``.

    Args:
        model: the model that answered.
        examples: the texts with their labels in the model's sense; see `align_labels`.
        predictions: the model's answers to the texts, in their order.

    """
    probabilities = predictions.probabilities
    labels = torch.tensor(examples.labels, dtype=torch.float32)
    confusion = Confusion.count(predictions.guesses, labels)
    right = predictions.guesses == (labels > 0.5)
    return Evaluation(
        model=model,
        data=examples.name,
        seen=model.data_sha256 is not None and model.data_sha256 == examples.sha256(),
        confusion=confusion,
        f1=confusion.f1,
        auroc=area_under_roc(probabilities, labels) if len(set(examples.labels)) == 2 else None,
        log_loss=log_loss(probabilities, labels),
        ece=calibration_error(probabilities, labels),
        brier=float((probabilities - labels).square().mean()),
        lengths=length_buckets(predictions.stats.lengths, right.tolist()),
        unread=predictions.stats.known.count(False),
        mistakes=_mistakes(model, examples, predictions, right),
        examples=examples,
        predictions=predictions,
    )


def align_labels(model: EvaluatedModel, examples: Examples, scheme: LabelScheme) -> Examples:
    """Return ``examples`` with labels that mean what the model's labels mean.

    Where the model's names are those of ``scheme`` the other way round, 0 and 1 change places;
    names that have nothing in common are taken in the order in which they stand.
    """
    turned = scheme.reverses(model.labels)
    labels = tuple(1 - label for label in examples.labels) if turned else examples.labels
    return replace(examples, labels=labels, label_names=model.labels)


def wilson_interval(right: int, texts: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval of an accuracy, which lies within 0 and 1 and contains it."""
    share, square = right / texts, _NORMAL_95**2 / texts
    middle = share + square / 2
    half = math.sqrt(square * (share * (1 - share) + square / 4))
    low, high = (middle - half) / (1 + square), (middle + half) / (1 + square)
    return max(min(low, share), 0.0), min(max(high, share), 1.0)  # rounding may miss both


def length_buckets(lengths: Sequence[int], right: Sequence[bool]) -> tuple[LengthBucket, ...]:
    """Sort texts into buckets by their length in tokens, at least 1, and count right answers."""
    found = []
    for shortest, longest in zip((1, *(n + 1 for n in _LONGEST)), (*_LONGEST, None), strict=True):
        inside = [
            is_right
            for length, is_right in zip(lengths, right, strict=True)
            if shortest <= length and (longest is None or length <= longest)
        ]
        if inside:
            found.append(LengthBucket(shortest, longest, len(inside), sum(inside)))
    return tuple(found)


def _mistakes(
    model: EvaluatedModel, examples: Examples, predictions: Predictions, right: Tensor
) -> tuple[Mistake, ...]:
    """Return the wrong answers, the most confident first; equals in the order of the texts."""
    found = []
    for n in (~right).nonzero().flatten().tolist():
        guess, positive = bool(predictions.guesses[n]), float(predictions.probabilities[n])
        label, answer = model.labels[examples.labels[n]], model.labels[guess]
        probability = positive if guess else 1 - positive
        found.append(Mistake(n + 1, examples.texts[n], label, answer, probability))
    return tuple(sorted(found, key=lambda mistake: -mistake.probability))
