"""What makes probabilities mean what they say: a scale and a shift, folded into the last layer.

Platt, "Probabilistic Outputs for Support Vector Machines" (1999); with the scale alone it is the
temperature of Guo et al., "On Calibration of Modern Neural Networks" (2017).
"""

from dataclasses import dataclass

import torch
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from lstm_training.model import SentimentRNN


@dataclass(frozen=True)
class Calibration:
    """Calibrated logits are ``scale * logits + shift``."""

    scale: float
    "More than 1 for a model that is too cautious."
    shift: float
    "Less than 0 for a model that says positive too often."


def fit_calibration(logits: Tensor, labels: Tensor) -> Calibration:
    """Return the calibration of the lowest cross-entropy.

    Args:
        logits: of held-out texts, ``[texts]``.
        labels: 0 or 1, ``[texts]``, both there.

    """
    # So weak a penalty is none.
    regression = LogisticRegression(C=1e6).fit(logits.numpy()[:, None], labels.numpy())
    return Calibration(float(regression.coef_[0, 0]), float(regression.intercept_[0]))


def fold_into(calibration: Calibration, model: SentimentRNN) -> None:
    """Make the model's logits the calibrated ones for good."""
    with torch.no_grad():
        model.fc.weight.mul_(calibration.scale)
        model.fc.bias.mul_(calibration.scale).add_(calibration.shift)
