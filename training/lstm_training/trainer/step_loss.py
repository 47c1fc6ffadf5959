"""A loss on every step of a text, and not on its last one alone.

The last step counts 1, and all steps together, with a weight that grows along the text, count
``gain`` ("linear gain" in Dai and Le, "Semi-supervised Sequence Learning", 2015): so the
probability after each token means something, and gradients reach far.
"""

import torch
from torch import Tensor

from lstm_training.data.batching import Batch
from lstm_training.model import SentimentRNN
from lstm_training.trainer.losses import label_losses
from lstm_training.trainer.running_mean import RunningMean


def loss_along(
    model: SentimentRNN, batch: Batch, gain: float, weights: Tensor | None = None
) -> Tensor:
    """Return the loss of a batch whose labels, where there are two, may be probabilities.

    Args:
        model: what learns.
        batch: texts and targets.
        gain: weight of the steps before the last, against 1 for the last.
        weights: what each text weighs, ``[batch]``; 1 when left out.

    """
    if gain:
        losses = _losses_along(model, batch, gain)
    else:
        losses = label_losses(model.logits(batch.ids, batch.lengths).float(), batch.labels)
    return (losses if weights is None else losses * weights).mean()


def _losses_along(model: SentimentRNN, batch: Batch, gain: float) -> Tensor:
    """Return the loss of each text, ``[batch]``."""
    trajectory = model.trajectory(batch.ids)[0]
    device = trajectory.device
    place = torch.arange(1, trajectory.shape[1] + 1, device=device) / batch.lengths[:, None]
    inside = place <= 1
    losses = label_losses(trajectory, batch.labels[:, None].expand(trajectory.shape[:2]))
    weight = place * inside
    along = (losses * weight).sum(1) / weight.sum(1)
    rows = torch.arange(len(batch.lengths), device=device)
    return losses[rows, batch.lengths - 1] + gain * along


class StepLoss(RunningMean[SentimentRNN]):
    """A model with its loss, so that gradients hang on ``forward``, as accelerate wants it.

    Args:
        model: what learns.
        gain: see `loss_along`.
        ema: decay of the mean of the weights; see `RunningMean`.

    """

    def __init__(self, model: SentimentRNN, gain: float, ema: float = 0.0) -> None:
        super().__init__(model, ema)
        self.gain = gain

    def forward(
        self, ids: Tensor, lengths: Tensor, targets: Tensor, weights: Tensor | None = None
    ) -> Tensor:
        """Return the loss of a batch; see `loss_along`."""
        self.update_mean()  # before a step, since the trainer has no say after one
        return loss_along(self.model, Batch(ids, lengths, targets), self.gain, weights)
