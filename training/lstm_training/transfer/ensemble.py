"""The teachers' scores as one probability a text, short texts apart from long ones."""

from dataclasses import dataclass

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from torch import Tensor

SHORT = 40
"""Most tokens of a short text: n-grams say little about one sentence, a sentence encoder much."""


@dataclass(frozen=True)
class Ensemble:
    """A logistic regression on the teachers' logits, one for short and one for long texts."""

    short: tuple[float, ...]
    "Weight of each teacher, then the bias, for texts of at most `SHORT` tokens."
    long: tuple[float, ...]
    "The same for longer texts."

    def probabilities(self, logits: Tensor, lengths: Tensor) -> Tensor:
        """Return the probability of each text, from logits ``[texts, teachers]``."""
        weights = torch.where((lengths <= SHORT)[:, None], _row(self.short), _row(self.long))
        return ((logits * weights[:, :-1]).sum(1) + weights[:, -1]).sigmoid()


def fit_ensemble(logits: Tensor, lengths: Tensor, labels: Tensor) -> Ensemble:
    """Fit the ensemble where no teacher has learned: on held-out texts.

    Args:
        logits: of each teacher, ``[texts, teachers]``.
        lengths: tokens of each text, ``[texts]``.
        labels: 0 or 1, ``[texts]``.

    """
    short = (lengths <= SHORT).numpy()
    return Ensemble(
        _fit(logits.numpy()[short], labels.numpy()[short]),
        _fit(logits.numpy()[~short], labels.numpy()[~short]),
    )


def _fit(logits: np.ndarray, labels: np.ndarray) -> tuple[float, ...]:
    """Return weights and bias; equal trust in all teachers where there is nothing to learn from."""
    if len(np.unique(labels)) < 2:
        return (*(1.0 / logits.shape[1] for _ in range(logits.shape[1])), 0.0)
    regression = LogisticRegression(C=100.0).fit(logits, labels)
    return (*regression.coef_[0].tolist(), float(regression.intercept_[0]))


def _row(values: tuple[float, ...]) -> Tensor:
    return torch.tensor(values)[None, :]
