"""The student: a `SentimentRNN` that learns from labels and from its teachers' probabilities.

Hinton, Vinyals and Dean, "Distilling the Knowledge in a Neural Network" (2015). The loss stands on
every step of a text: see `lstm_training.trainer.step_loss`.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from lstm_training.data.batching import drop_spans, drop_words, make_batch
from lstm_training.data.prepare import EncodedTexts
from lstm_training.distillation.fit import device_of, fit_stage
from lstm_training.distillation.student.student_config import StudentConfig
from lstm_training.evaluation.metrics import Metrics
from lstm_training.model import SentimentRNN
from lstm_training.trainer.state_file import StateFile
from lstm_training.trainer.step_loss import StepLoss

PAD, UNKNOWN = 0, 1
"""Ids that every vocabulary of `build_vocabulary` gives to padding and to unknown words."""


def train_student(
    student: SentimentRNN,
    training_set: EncodedTexts,
    config: StudentConfig,
    state_file: StateFile,
    evaluate: Callable[[SentimentRNN], Metrics],
) -> SentimentRNN:
    """Train ``student`` and return it, or the running mean of its weights where one is kept.

    Args:
        student: with the weights to start from.
        training_set: texts with targets: the probability that each is positive.
        config: how to train.
        state_file: state to resume from.
        evaluate: measures on held-out texts what would be returned after an epoch.

    """
    torch.manual_seed(config.optimization.seed)

    def loss_fn(module: nn.Module, positions: list[int]) -> Tensor:
        batch = make_batch(training_set, positions, PAD)
        batch = drop_spans(batch, config.span_dropout, PAD)
        batch = drop_words(batch, config.word_dropout, UNKNOWN).to(device_of(module))
        return torch.as_tensor(module(batch.ids, batch.lengths, batch.labels))

    module, lengths = StepLoss(student, config.gain, config.ema), training_set.lengths
    fit_stage(
        module, loss_fn, lengths, config.optimization, state_file, lambda: evaluate(module.result())
    )
    module.update_mean()
    return module.result()


def average_weights(models: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    """Return the mean of each weight over students that started from the same weights.

    Wortsman et al., "Model soups" (2022): such a mean is mostly better than each of them.
    """
    return {name: torch.stack([m[name] for m in models]).mean(0) for name in models[0]}
