"""Pre-training: the student's embedding and LSTM learn to predict the next word.

Dai and Le, "Semi-supervised Sequence Learning" (2015): an LSTM that starts from a language model of
the task's own texts learns the task better than one that starts from nothing.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from lstm_training.distillation.fit import device_of, fit_stage
from lstm_training.distillation.student.student_config import LanguageModelConfig
from lstm_training.model import ModelConfig, SentimentRNN
from lstm_training.trainer.state_file import StateFile


class LanguageModel(nn.Module):
    """The student's lower part with an adaptive softmax over the next word.

    The adaptive softmax (Grave et al., "Efficient softmax approximation for GPUs", 2016) spends
    little on rare words; ids must run from frequent to rare, as those of our vocabularies do.
    """

    def __init__(self, model: SentimentRNN, cutoffs: Sequence[int]) -> None:
        super().__init__()
        self.model = model
        words = model.embedding.num_embeddings
        # With fewer words than the first cutoff, all but one of them are frequent.
        known = sorted({n for n in cutoffs if n < words}) or [words - 1]
        self.softmax = nn.AdaptiveLogSoftmaxWithLoss(model.hidden_dim, words, known, div_value=2.0)

    def forward(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """Return the mean loss of the words that follow, from ids ``[batch, sequence]``."""
        real = torch.arange(1, ids.shape[1], device=ids.device) < lengths[:, None]
        if not real.any():  # the mean of nothing is no number, and would spoil every weight
            return torch.stack([weight.sum() * 0.0 for weight in self.parameters()]).sum()
        steps, _ = self.model.lstm(self.model.embedding_dropout(self.model.embedding(ids[:, :-1])))
        return torch.as_tensor(
            self.softmax(self.model.dropout(steps[real]), ids[:, 1:][real].long()).loss
        )


def pretrain(
    sizes: ModelConfig,
    texts: Sequence[Tensor],
    config: LanguageModelConfig,
    state_file: StateFile,
) -> SentimentRNN:
    """Train a language model on ``texts`` and return the `SentimentRNN` that it holds.

    Args:
        sizes: of the student.
        texts: ids of each text, int32 ``[tokens]``.
        config: how to train.
        state_file: state to resume from.

    """
    torch.manual_seed(config.optimization.seed)
    language = LanguageModel(SentimentRNN.from_config(sizes, config.dropout), config.cutoffs)

    def loss_fn(module: nn.Module, positions: list[int]) -> Tensor:
        windows = [_window(texts[p], config.window) for p in positions]
        lengths, device = torch.tensor([len(ids) for ids in windows]), device_of(module)
        ids = pad_sequence(windows, batch_first=True)
        return torch.as_tensor(module(ids.to(device), lengths.to(device)))

    lengths = [min(len(ids), config.window) for ids in texts]
    fit_stage(language, loss_fn, lengths, config.optimization, state_file)
    return language.model


def _window(ids: Tensor, size: int) -> Tensor:
    """Return at most ``size`` tokens of a text, from a random place in it."""
    start = int(torch.randint(max(len(ids) - size, 0) + 1, ()))
    return ids[start : start + size]
