"""`Evaluation`: all measures of a model on labelled texts."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import torch

from lstm_training.data.examples import Examples
from lstm_training.data.labels import ratings
from lstm_training.data.scheme import LabelScheme
from lstm_training.errors import EvaluationError
from lstm_training.evaluation.confusion import Confusion, LabelMeasures
from lstm_training.evaluation.metrics import (
    area_under_roc,
    brier_score,
    calibration_error,
    log_loss,
    mean_absolute_error,
)
from lstm_training.evaluation.mistakes import Mistake, find_mistakes
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
class Evaluation:
    """What a model is worth on some labelled texts.

    Label names, the threshold and hence the answers are the model's own. Where it has two labels,
    the positive class is the second: F1, AUROC and the probabilities speak of it.
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
    """F1 of the positive class, None where no text is positive and none was called so; of three
    labels and more their mean (macro-F1)."""
    auroc: float | None
    """Area under the ROC curve, of three labels and more the mean of each against the rest; None
    where all texts have one label."""
    log_loss: float
    "Mean cross-entropy, in nats."
    ece: float
    """Expected calibration error: mean distance of the probability from the observed frequency; of
    three labels and more, of the given label's."""
    brier: float
    """Brier score: mean square of the distance between probability and label, of three labels and
    more summed over the labels."""
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
    mean_absolute_error: float | None = None
    "How far the given ratings are from the true ones; None where the labels are no ratings."

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

    @property
    def macro_f1(self) -> float:
        """Mean of the labels' F1."""
        return self.confusion.macro_f1

    @property
    def labels(self) -> tuple[LabelMeasures, ...]:
        """How well the model knows each of its labels."""
        return self.confusion.measures(self.model.labels)

    @property
    def one_answer(self) -> str | None:
        """The label that all texts got, though they have several; None where there is none."""
        found = self.confusion.one_answer
        return None if found is None else self.model.labels[found]

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
            "macro_f1": self.macro_f1,
            "mean_absolute_error": self.mean_absolute_error,
            "auroc": self.auroc,
            "log_loss": self.log_loss,
            "ece": self.ece,
            "brier": self.brier,
            "confusion": self.confusion.to_plain(),
            "labels": [one.to_plain() for one in self.labels],
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
    confusion = Confusion.count(predictions.guesses, labels, len(model.labels))
    right = predictions.guesses.long() == labels.long()
    stars = ratings(model.labels)
    return Evaluation(
        model=model,
        data=examples.name,
        seen=model.data_sha256 is not None and model.data_sha256 == examples.sha256(),
        confusion=confusion,
        f1=confusion.f1,
        auroc=area_under_roc(probabilities, labels) if len(set(examples.labels)) > 1 else None,
        log_loss=log_loss(probabilities, labels),
        ece=calibration_error(probabilities, labels),
        brier=brier_score(probabilities, labels),
        lengths=length_buckets(predictions.stats.lengths, right.tolist()),
        unread=predictions.stats.known.count(False),
        mistakes=find_mistakes(model, examples, predictions, right),
        examples=examples,
        predictions=predictions,
        mean_absolute_error=None
        if stars is None
        else mean_absolute_error(predictions.guesses.long(), labels, stars),
    )


def align_labels(model: EvaluatedModel, examples: Examples, scheme: LabelScheme) -> Examples:
    """Return ``examples`` with labels that mean what the model's labels mean.

    Where the model's names are those of ``scheme`` in another order, the labels change places;
    names that have nothing in common are taken in the order in which they stand.

    Raises:
        EvaluationError: when the texts have more labels than the model, or fewer.

    """
    if len(scheme.label_names) != len(model.labels):
        raise EvaluationError(
            f"{model.file} tells {len(model.labels)} labels apart ({', '.join(model.labels)}), "
            f"{examples.name} has {len(scheme.label_names)} ({', '.join(scheme.label_names)})"
        )
    places = scheme.places_in(model.labels)
    labels = tuple(places[label] for label in examples.labels)
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
