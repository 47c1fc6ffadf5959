"""How good a model is on texts that it has not learned from."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy, nll_loss, one_hot
from torchmetrics.classification import BinaryAUROC, BinaryCalibrationError

from lstm_training.evaluation.confusion import Confusion

THRESHOLD = 0.5
"""Probability from which on a text is called positive, where none was fitted."""
CALIBRATION_BINS = 10
"""Bins of equal width of the calibration error and of the reliability diagram."""
_LEAST = torch.exp(torch.tensor(-100.0)).item()
"""Least probability that a log loss counts, as PyTorch's binary one has it."""


@dataclass(frozen=True)
class Metrics:
    """Measures of a model."""

    loss: float
    "Mean cross-entropy."
    accuracy: float
    "Part of the texts that get their own label."
    f1: float
    "F1 of the positive class; of three labels and more their mean (macro-F1)."
    auroc: float
    "Area under the ROC curve; of three labels and more the mean of each against the rest."
    ece: float
    "Expected calibration error: mean distance of the probability from the observed frequency."


def guesses(probabilities: Tensor, threshold: float = THRESHOLD) -> Tensor:
    """Return the label that each text gets, int64 ``[texts]``.

    Args:
        probabilities: of the second of two labels, ``[texts]``, or of each, ``[texts, labels]``.
        threshold: probability from which on the second of two labels is given.

    """
    if probabilities.dim() == 1:
        return (probabilities >= threshold).long()
    return probabilities.argmax(dim=1)


def compute_metrics(probabilities: Tensor, labels: Tensor, threshold: float = THRESHOLD) -> Metrics:
    """Compare ``probabilities``, see `guesses`, with ``labels``, float ``[texts]``."""
    classes = 2 if probabilities.dim() == 1 else probabilities.shape[1]
    confusion = Confusion.count(guesses(probabilities, threshold), labels, classes)
    return Metrics(
        loss=log_loss(probabilities, labels),
        accuracy=confusion.accuracy,
        f1=confusion.f1 or 0.0,
        auroc=area_under_roc(probabilities, labels),
        ece=calibration_error(probabilities, labels),
    )


def log_loss(probabilities: Tensor, labels: Tensor) -> float:
    """Return the mean cross-entropy, at most 100 for a text."""
    if probabilities.dim() == 1:
        return float(binary_cross_entropy(probabilities, labels))
    return float(nll_loss(probabilities.clamp(min=_LEAST).log(), labels.long()))


def area_under_roc(probabilities: Tensor, labels: Tensor) -> float:
    """Return the area under the ROC curve; there must be labels of two classes.

    Of three labels and more, it is the mean over those that some texts have, each against the rest.
    """
    if probabilities.dim() == 1:
        return float(BinaryAUROC()(probabilities, labels.int()))
    found = sorted({int(label) for label in labels.tolist()})
    areas = [area_under_roc(probabilities[:, n], (labels == n).float()) for n in found]
    return sum(areas) / len(areas)


def calibration_error(probabilities: Tensor, labels: Tensor) -> float:
    """Return the expected calibration error over `CALIBRATION_BINS` bins.

    Of three labels and more, the probability of the label that is given is compared with how often
    it is right (Guo et al., "On Calibration of Modern Neural Networks", 2017).
    """
    if probabilities.dim() == 2:
        probabilities, labels = confidence(probabilities, labels)
    return float(BinaryCalibrationError(CALIBRATION_BINS, norm="l1")(probabilities, labels.int()))


def confidence(probabilities: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Return the probability of the given label, ``[texts]``, and whether it is right."""
    most = probabilities.max(dim=1)
    return most.values, (most.indices == labels).float()


def brier_score(probabilities: Tensor, labels: Tensor) -> float:
    """Return the mean square of the distance between probabilities and labels, 0 at best.

    For three labels and more, Brier's own sum over the labels ("Verification of Forecasts Expressed
    in Terms of Probability", 1950), 2 at worst.
    """
    if probabilities.dim() == 1:
        return float((probabilities - labels).square().mean())
    truth = one_hot(labels.long(), probabilities.shape[1])
    return float((probabilities - truth).square().sum(dim=1).mean())


def mean_absolute_error(given: Tensor, labels: Tensor, values: Sequence[float]) -> float:
    """Return how far the given ratings are from the true ones in the mean.

    Args:
        given: the label that each text gets, int64 ``[texts]``.
        labels: the true ones, ``[texts]``.
        values: the number that each label is, such as its stars.

    """
    stars = torch.tensor(values, dtype=torch.float32)
    return float((stars[given] - stars[labels.long()]).abs().mean())
