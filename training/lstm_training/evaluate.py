"""How good a model is on texts that it has not learned from."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy
from torchmetrics.classification import (
    BinaryAccuracy,
    BinaryAUROC,
    BinaryCalibrationError,
    BinaryF1Score,
)

from lstm_training.batches import length_order, make_batch
from lstm_training.dataset import EncodedTexts
from lstm_training.model import SentimentRNN

CALIBRATION_BINS = 10
"""Bins of equal width of the calibration error and of the reliability diagram."""


@dataclass(frozen=True)
class Metrics:
    """Measures of a two-class model."""

    loss: float
    "Mean binary cross-entropy."
    accuracy: float
    "Part of the texts on the right side of one half."
    f1: float
    "F1 of the positive class."
    auroc: float
    "Area under the ROC curve."
    ece: float
    "Expected calibration error: mean distance of the probability from the observed frequency."


def predict(model: SentimentRNN, texts: EncodedTexts, batch_size: int, pad: int) -> Tensor:
    """Return the positive probability of each text, float32 ``[texts]`` on the CPU.

    The model is left in evaluation mode.
    """
    model.eval()
    device = model.fc.weight.device
    probabilities = torch.empty(len(texts))
    with torch.inference_mode():
        for positions in length_order(texts, batch_size):
            batch = make_batch(texts, positions, pad).to(device)
            scores = model.logits(batch.ids, batch.lengths).sigmoid()[:, -1]
            probabilities[torch.tensor(positions)] = scores.float().cpu()
    return probabilities


def measure(probabilities: Tensor, labels: Tensor) -> Metrics:
    """Compare ``probabilities`` with ``labels``, both float ``[texts]``."""
    targets = labels.int()
    return Metrics(
        loss=float(binary_cross_entropy(probabilities, labels)),
        accuracy=float(BinaryAccuracy()(probabilities, targets)),
        f1=float(BinaryF1Score()(probabilities, targets)),
        auroc=float(BinaryAUROC()(probabilities, targets)),
        ece=float(BinaryCalibrationError(CALIBRATION_BINS, norm="l1")(probabilities, targets)),
    )
