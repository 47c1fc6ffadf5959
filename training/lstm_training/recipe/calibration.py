"""The temperature that makes probabilities mean what they say, folded into the last layer.

Guo et al., "On Calibration of Modern Neural Networks" (2017).
"""

import torch
from scipy.optimize import minimize_scalar
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from lstm_training.model import SentimentRNN


def best_temperature(logits: Tensor, labels: Tensor) -> float:
    """Return the temperature of the lowest cross-entropy, between 1/8 and 8.

    Args:
        logits: of held-out texts, ``[texts]``.
        labels: 0 or 1, float ``[texts]``.

    """

    def loss(exponent: float) -> float:
        return float(binary_cross_entropy_with_logits(logits / 2**exponent, labels))

    return float(2 ** minimize_scalar(loss, bounds=(-3, 3), method="bounded").x)


def fold_temperature(model: SentimentRNN, temperature: float) -> None:
    """Divide the model's logits by ``temperature`` for good."""
    with torch.no_grad():
        model.fc.weight.div_(temperature)
        model.fc.bias.div_(temperature)
