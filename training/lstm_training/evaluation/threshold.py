"""The probability from which on a model gives its second label, chosen by labelled texts."""

from typing import Literal

import torch
from torch import Tensor

from lstm_training.evaluation.metrics import THRESHOLD

Aim = Literal["accuracy", "f1"]
"""What a threshold is to make largest: the accuracy, or the mean of both labels' F1."""


def fit_threshold(probabilities: Tensor, labels: Tensor, aim: Aim) -> float:
    """Return the best threshold on some texts.

    Between two neighbouring probabilities it stands in the middle; of equally good ones it is the
    nearest to 0.5.

    Args:
        probabilities: of the second label, ``[texts]``.
        labels: 0 or 1, ``[texts]``.
        aim: what to make largest.

    """
    ends = {0.0, 1.0}  # so that all texts may get one label
    found = torch.tensor(sorted({*probabilities.double().tolist(), *ends})).double()
    middles = (found[1:] + found[:-1]) / 2
    candidates = torch.cat([torch.tensor([THRESHOLD]).double(), middles])
    values, order = probabilities.double().sort()
    positive = labels[order].double()
    # Texts below a candidate, and how many of them are positive.
    below = torch.searchsorted(values, candidates)
    missed = torch.cat([torch.zeros(1).double(), positive.cumsum(0)])[below]
    scores = _scores(below - missed, missed, positive, aim)
    best = candidates[scores >= scores.max() - 1e-12]
    return float(best[(best - THRESHOLD).abs().argmin()])


def _scores(true_negative: Tensor, missed: Tensor, positive: Tensor, aim: Aim) -> Tensor:
    """Return the aim at each candidate."""
    positives, texts = positive.sum(), len(positive)
    found = positives - missed
    if aim == "accuracy":
        return (true_negative + found) / texts
    wrong = texts - true_negative - found
    # A label that no text has and none is given counts nothing.
    parts = [right / (2 * right + wrong).clamp(min=1) for right in (found, true_negative)]
    return torch.stack(parts).sum(0)
