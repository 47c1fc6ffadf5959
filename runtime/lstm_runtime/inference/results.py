"""Answers: what the model says of one text."""

from collections.abc import Sequence
from dataclasses import dataclass

from lstm_runtime.model_file.contract import Metadata


@dataclass(frozen=True)
class Sentiment:
    """The answer for one text."""

    text: str
    "The text as it was given."
    label: str
    "The label that the model chose."
    score: float
    "Probability of ``label``, 0 to 1."
    scores: dict[str, float]
    "Probability of every label; they add up to 1, but where a model has a sigmoid for each label."


@dataclass(frozen=True)
class Verification:
    """What `SentimentModel.verify` found."""

    count: int
    "Reference inputs replayed."
    max_difference: float
    "Largest difference from the original model's probabilities."
    tolerance: float
    "Largest difference that the export allowed."

    @property
    def passed(self) -> bool:
        """Whether every answer lies within the tolerance (a NaN does not)."""
        return self.max_difference <= self.tolerance


def sentiment(text: str, probability: Sequence[float], metadata: Metadata) -> Sentiment:
    """Name the label for one row of the output ``probability``, ``[classes]``."""
    labels = metadata.labels
    if len(probability) == 1:
        positive = float(probability[0])
        scores = dict(zip(labels, (1.0 - positive, positive), strict=True))
        label = labels[int(positive >= metadata.threshold)]
    else:
        scores = dict(zip(labels, map(float, probability), strict=True))
        label = max(scores, key=scores.__getitem__)
    return Sentiment(text, label, scores[label], scores)
