"""How good a model is on texts that it has not learned from."""

from dataclasses import dataclass

from torch import Tensor
from torch.nn.functional import binary_cross_entropy
from torchmetrics.classification import BinaryAUROC, BinaryCalibrationError

THRESHOLD = 0.5
"""Probability from which on a text is called positive, as in the files of lstm-export."""
CALIBRATION_BINS = 10
"""Bins of equal width of the calibration error and of the reliability diagram."""


@dataclass(frozen=True)
class Metrics:
    """Measures of a two-class model."""

    loss: float
    "Mean binary cross-entropy."
    accuracy: float
    "Part of the texts on the right side of `THRESHOLD`."
    f1: float
    "F1 of the positive class."
    auroc: float
    "Area under the ROC curve."
    ece: float
    "Expected calibration error: mean distance of the probability from the observed frequency."


@dataclass(frozen=True)
class Confusion:
    """How many texts of each label got which answer."""

    true_negative: int
    "Negative texts that were called negative."
    false_positive: int
    "Negative texts that were called positive."
    false_negative: int
    "Positive texts that were called negative."
    true_positive: int
    "Positive texts that were called positive."

    @classmethod
    def count(cls, guesses: Tensor, labels: Tensor) -> "Confusion":
        """Compare ``guesses``, bool ``[texts]``, with ``labels``, float or bool ``[texts]``."""
        truth = labels > 0.5
        return cls(
            int((~guesses & ~truth).sum()),
            int((guesses & ~truth).sum()),
            int((~guesses & truth).sum()),
            int((guesses & truth).sum()),
        )

    @property
    def rows(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """The counts by label (row) and answer (column), negative first."""
        return (
            (self.true_negative, self.false_positive),
            (self.false_negative, self.true_positive),
        )

    @property
    def texts(self) -> int:
        """Number of texts."""
        return sum(map(sum, self.rows))

    @property
    def accuracy(self) -> float:
        """Part of the texts with the right answer."""
        return (self.true_negative + self.true_positive) / self.texts

    @property
    def f1(self) -> float | None:
        """F1 of the positive class; None where no text is positive and none was called so."""
        wrong = self.false_positive + self.false_negative
        found = 2 * self.true_positive + wrong
        return 2 * self.true_positive / found if found else None


def compute_metrics(probabilities: Tensor, labels: Tensor) -> Metrics:
    """Compare ``probabilities`` with ``labels``, both float ``[texts]``."""
    confusion = Confusion.count(probabilities >= THRESHOLD, labels)
    return Metrics(
        loss=log_loss(probabilities, labels),
        accuracy=confusion.accuracy,
        f1=confusion.f1 or 0.0,
        auroc=area_under_roc(probabilities, labels),
        ece=calibration_error(probabilities, labels),
    )


def log_loss(probabilities: Tensor, labels: Tensor) -> float:
    """Return the mean binary cross-entropy, at most 100 for a text."""
    return float(binary_cross_entropy(probabilities, labels))


def area_under_roc(probabilities: Tensor, labels: Tensor) -> float:
    """Return the area under the ROC curve; there must be labels of both classes."""
    return float(BinaryAUROC()(probabilities, labels.int()))


def calibration_error(probabilities: Tensor, labels: Tensor) -> float:
    """Return the expected calibration error over `CALIBRATION_BINS` bins."""
    return float(BinaryCalibrationError(CALIBRATION_BINS, norm="l1")(probabilities, labels.int()))
