"""The student: a `SentimentRNN` that learns from labels and from its teachers' probabilities.

Hinton, Vinyals and Dean, "Distilling the Knowledge in a Neural Network" (2015). The loss stands on
the last step and, with a weight that grows along the text, on all steps before it ("linear gain" in
Dai and Le, 2015): so the probability after each token means something, and gradients reach far.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from lstm_training.data.batching import Batch, drop_words, make_batch
from lstm_training.data.prepare import EncodedTexts
from lstm_training.distillation.cache import StageState
from lstm_training.distillation.config import StudentConfig
from lstm_training.distillation.fit import StageTrainer
from lstm_training.model import SentimentRNN

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
    place = torch.arange(1, trajectory.shape[1] + 1) / batch.lengths[:, None]
    inside = place <= 1
    targets = batch.labels[:, None].expand_as(trajectory)
    losses = binary_cross_entropy_with_logits(trajectory, targets, reduction="none")
    weight = place * inside
    along = (losses * weight).sum(1) / weight.sum(1)
    rows = torch.arange(len(batch.lengths))
    return (losses[rows, batch.lengths - 1] + gain * along).mean()


def train_student(  # noqa: PLR0913, PLR0917 - who learns what, how, and who watches
    student: SentimentRNN,
    training_set: EncodedTexts,
    config: StudentConfig,
    part: StageState,
    after_epoch: Callable[[], str],
    say: Callable[[str], None],
) -> None:
    """Train ``student``.

    Args:
        student: with the weights to start from.
        training_set: texts with targets: the probability that each is positive.
        config: how to train.
        part: state to resume from.
        after_epoch: gives what the log says at the end of an epoch.
        say: takes a line now and then.

    """
    torch.manual_seed(config.optimization.seed)

    def loss_of(positions: list[int]) -> Tensor:
        batch = make_batch(training_set, positions, PAD)
        return loss_along(student, drop_words(batch, config.word_dropout, UNKNOWN), config.gain)

    StageTrainer(student, config.optimization, training_set.lengths, part, say).run(
        loss_of, after_epoch
    )


def average_weights(models: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    """Return the mean of each weight over students that started from the same weights.

    Wortsman et al., "Model soups" (2022): such a mean is mostly better than each of them.
    """
    return {name: torch.stack([m[name] for m in models]).mean(0) for name in models[0]}
