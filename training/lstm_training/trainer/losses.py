"""The loss of logits against labels, for two labels and for more, and what a label weighs."""

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy


def label_losses(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the cross-entropy of each answer.

    Args:
        logits: ``[…, 1]`` for the second of two labels, or ``[…, labels]``.
        labels: float ``[…]``; with one logit they may be probabilities.

    Returns:
        Losses ``[…]``.

    """
    if logits.shape[-1] == 1:
        return binary_cross_entropy_with_logits(logits[..., 0], labels, reduction="none")
    flat = cross_entropy(logits.flatten(0, -2), labels.long().flatten(), reduction="none")
    return flat.view(labels.shape)


def balanced_weights(labels: Tensor, classes: int) -> Tensor:
    """Return a weight for each label such that all labels weigh the same, ``[labels]``.

    Their mean over the texts is 1: texts / (labels * texts with the label). A probability counts as
    the label that is nearer.
    """
    counts = torch.bincount(labels.round().long(), minlength=classes)
    return len(labels) / (classes * counts.clamp(min=1)).float()
