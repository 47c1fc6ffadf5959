"""The seed model: embedding, LSTM layers, dropout, a linear layer, a sigmoid."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

State = tuple[Tensor, Tensor]
"""Hidden state h and cell state c, each ``[n_layers, batch, hidden_dim]``."""


@dataclass(frozen=True)
class ModelConfig:
    """The sizes that define a `SentimentRNN`."""

    vocab_size: int
    "Number of ids, padding and unknown included."
    output_size: int = 1
    "Logits; one means the probability of the positive label, several that of each."
    embedding_dim: int = 128
    "Length of a word's vector."
    hidden_dim: int = 128
    "Units of each LSTM layer."
    n_layers: int = 2
    "LSTM layers."
    drop_prob: float = 0.5
    "Dropout between LSTM layers, in training only."


class SentimentRNN(nn.Module):
    """The sentiment LSTM that the project starts from.

    Constructor, ``forward``, ``init_hidden`` and the names in the state dict are those of the
    seed class, so code and checkpoints written for it work unchanged.

    Args:
        vocab_size: number of ids.
        output_size: number of logits.
        embedding_dim: length of a word's vector.
        hidden_dim: units of each LSTM layer.
        n_layers: LSTM layers.
        drop_prob: dropout between LSTM layers, in training only.
        embedding_dropout: dropout on the word vectors, in training only; not in the seed.

    """

    def __init__(  # noqa: PLR0913, PLR0917 - the seed's own signature
        self,
        vocab_size: int,
        output_size: int,
        embedding_dim: int,
        hidden_dim: int,
        n_layers: int,
        drop_prob: float = 0.5,
        *,
        embedding_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.output_size = output_size
        self.n_layers = n_layers
        self.hidden_dim = hidden_dim
        self.embedding = nn.Embedding(vocab_size, embedding_dim)
        self.embedding_dropout = nn.Dropout(embedding_dropout)
        # nn.LSTM warns about dropout on a single layer, where it has no effect.
        between = drop_prob if n_layers > 1 else 0.0
        self.lstm = nn.LSTM(embedding_dim, hidden_dim, n_layers, dropout=between, batch_first=True)
        self.dropout = nn.Dropout(0.3)
        self.fc = nn.Linear(hidden_dim, output_size)
        self.sig = nn.Sigmoid()

    @staticmethod
    def from_config(config: ModelConfig, embedding_dropout: float = 0.0) -> "SentimentRNN":
        """Build the model that ``config`` describes, with fresh weights.

        With several logits it is a `LabelRNN`.
        """
        kind = SentimentRNN if config.output_size == 1 else LabelRNN
        return kind(
            config.vocab_size,
            config.output_size,
            config.embedding_dim,
            config.hidden_dim,
            config.n_layers,
            config.drop_prob,
            embedding_dropout=embedding_dropout,
        )

    def forward(self, x: Tensor, hidden: State) -> tuple[Tensor, State]:
        """Score texts of one length, as the seed does.

        Args:
            x: ids, int ``[batch, sequence]``.
            hidden: states, each ``[n_layers, batch, hidden_dim]``; see `init_hidden`.

        Returns:
            The sigmoid at the last step, ``[batch]`` (of the last logit where there are several),
            and the states after it.

        """
        trajectory, hidden = self.trajectory(x, hidden)
        return self.sig(trajectory[:, -1, -1]), hidden

    def init_hidden(self, batch_size: int) -> State:
        """Return zero states for ``batch_size`` texts, on the device of the weights."""
        weight = self.fc.weight
        shape = (self.n_layers, batch_size, self.hidden_dim)
        return weight.new_zeros(shape), weight.new_zeros(shape)

    def trajectory(self, ids: Tensor, hidden: State | None = None) -> tuple[Tensor, State]:
        """Return the logits after every token, ``[batch, sequence, output_size]``, and the states.

        ``hidden`` is zero when left out. The states are those after the last column.
        """
        embedded = self.embedding_dropout(self.embedding(ids))
        steps, hidden = self.lstm(embedded, hidden)
        return self.fc(self.dropout(steps)), hidden

    def logits(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """Score right-padded texts; each gives exactly what it gives alone.

        A one-directional LSTM never looks ahead, so the step at ``lengths - 1`` has seen the
        text and none of the padding. Gathering it is equal to packing, and backward is 10 to 18
        times faster than through ``pack_padded_sequence`` on CPU.

        Args:
            ids: int ``[batch, sequence]``, padded on the right with any valid id.
            lengths: int ``[batch]``, 1 to ``sequence``.

        Returns:
            Logits ``[batch, output_size]``.

        """
        steps, _ = self.lstm(self.embedding_dropout(self.embedding(ids)))
        rows = torch.arange(len(lengths), device=ids.device)
        return torch.as_tensor(self.fc(self.dropout(steps[rows, lengths.long() - 1])))


class LabelRNN(SentimentRNN):
    """The same network for three labels or more, which gives the probability of each.

    The seed's ``forward`` speaks of its last logit alone.
    """

    def forward(self, x: Tensor, hidden: State) -> tuple[Tensor, State]:
        """Score texts of one length.

        Args:
            x: ids, int ``[batch, sequence]``.
            hidden: states, each ``[n_layers, batch, hidden_dim]``; see `init_hidden`.

        Returns:
            The softmax at the last step, ``[batch, output_size]``, and the states after it.

        """
        trajectory, hidden = self.trajectory(x, hidden)
        return trajectory[:, -1].softmax(dim=-1), hidden
