"""The student: a `SentimentRNN` that learns from labels and from its teachers' probabilities.

Hinton, Vinyals and Dean, "Distilling the Knowledge in a Neural Network" (2015). The loss stands on
the last step and, with a weight that grows along the text, on all steps before it ("linear gain" in
Dai and Le, 2015): so the probability after each token means something, and gradients reach far.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from lstm_training.data.batching import Batch, drop_words, make_batch
from lstm_training.data.prepare import EncodedTexts
from lstm_training.distillation.config import StudentConfig
from lstm_training.distillation.fit import device_of, fit_stage
from lstm_training.evaluation.metrics import Metrics
from lstm_training.model import SentimentRNN
from lstm_training.trainer.state_file import StateFile

PAD, UNKNOWN = 0, 1
"""Ids that every vocabulary of `build_vocabulary` gives to padding and to unknown words."""


def loss_along(model: SentimentRNN, batch: Batch, gain: float) -> Tensor:
    """Return the loss of a batch whose labels are probabilities.

    Args:
        model: the student.
        batch: texts and targets.
        gain: weight of the steps before the last, against 1 for the last.

    """
    trajectory = model.trajectory(batch.ids)[0][:, :, -1]
    device = trajectory.device
    place = torch.arange(1, trajectory.shape[1] + 1, device=device) / batch.lengths[:, None]
    inside = place <= 1
    targets = batch.labels[:, None].expand_as(trajectory)
    losses = binary_cross_entropy_with_logits(trajectory, targets, reduction="none")
    weight = place * inside
    along = (losses * weight).sum(1) / weight.sum(1)
    rows = torch.arange(len(batch.lengths), device=device)
    return (losses[rows, batch.lengths - 1] + gain * along).mean()


class _StudentLoss(nn.Module):
    """A student with its loss, so that gradients hang on ``forward``, as accelerate wants it."""

    def __init__(self, model: SentimentRNN, gain: float) -> None:
        super().__init__()
        self.model, self.gain = model, gain

    def forward(self, ids: Tensor, lengths: Tensor, targets: Tensor) -> Tensor:
        """Return the loss of a batch; see `loss_along`."""
        return loss_along(self.model, Batch(ids, lengths, targets), self.gain)


def train_student(
    student: SentimentRNN,
    training_set: EncodedTexts,
    config: StudentConfig,
    state_file: StateFile,
    evaluate: Callable[[], Metrics],
) -> None:
    """Train ``student``.

    Args:
        student: with the weights to start from.
        training_set: texts with targets: the probability that each is positive.
        config: how to train.
        state_file: state to resume from.
        evaluate: measures the student on held-out texts after an epoch.

    """
    torch.manual_seed(config.optimization.seed)

    def loss_fn(module: nn.Module, positions: list[int]) -> Tensor:
        batch = make_batch(training_set, positions, PAD)
        batch = drop_words(batch, config.word_dropout, UNKNOWN).to(device_of(module))
        return torch.as_tensor(module(batch.ids, batch.lengths, batch.labels))

    module, lengths = _StudentLoss(student, config.gain), training_set.lengths
    fit_stage(module, loss_fn, lengths, config.optimization, state_file, evaluate)


def average_weights(models: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    """Return the mean of each weight over students that started from the same weights.

    Wortsman et al., "Model soups" (2022): such a mean is mostly better than each of them.
    """
    return {name: torch.stack([m[name] for m in models]).mean(0) for name in models[0]}
