"""What makes probabilities mean what they say: a scale and a shift, folded into the last layer.

Platt, "Probabilistic Outputs for Support Vector Machines" (1999); with the scale alone it is the
temperature of Guo et al., "On Calibration of Modern Neural Networks" (2017).
"""

from dataclasses import dataclass

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from lstm_training.model import SentimentRNN

_LARGEST = 16.0
"""Logit that larger ones count as: from 17 on the probability is 1 in float32."""


@dataclass(frozen=True)
class Calibration:
    """Calibrated logits are ``scale * logits + shift``."""

    scale: float
    "More than 1 for a model that is too cautious."
    shift: float
    "Less than 0 for a model that says positive too often."


def fit_calibration(logits: Tensor, labels: Tensor) -> Calibration:
    """Return the calibration of the lowest cross-entropy against Platt's targets.

    Those fall short of 0 and 1 by what so few labels leave open, as if each label had one text more
    of either kind: logits that part the labels would be scaled without bound otherwise.

    Args:
        logits: of held-out texts, ``[texts]``; infinite where the probability is 0 or 1.
        labels: 0 or 1, ``[texts]``, both there.

    """
    logits = logits.clamp(-_LARGEST, _LARGEST)
    positive = labels.double().numpy()
    counts = len(positive) - positive.sum(), positive.sum()
    targets = np.where(positive > 0, (counts[1] + 1) / (counts[1] + 2), 1 / (counts[0] + 2))
    # A text with a target between the labels is one of each, which share its weight.
    both = np.repeat([1, 0], len(targets))
    weights = np.concatenate([targets, 1 - targets])
    regression = LogisticRegression(C=1e6)  # so weak a penalty is none
    regression.fit(np.tile(logits.numpy(), 2)[:, None], both, weights)
    return Calibration(float(regression.coef_[0, 0]), float(regression.intercept_[0]))


def fold_into(calibration: Calibration, model: SentimentRNN) -> None:
    """Make the model's logits the calibrated ones for good."""
    with torch.no_grad():
        model.fc.weight.mul_(calibration.scale)
        model.fc.bias.mul_(calibration.scale).add_(calibration.shift)
