"""Models of the family as other people write them: other names, wrappers, directions and heads."""

import re

import torch
from torch import Tensor, nn


class UdacitySentiment(nn.Module):
    """The course's sentiment RNN, spelled as the seed: returns (probability, states)."""

    def __init__(self, vocab_size: int = 300, hidden: int = 72) -> None:
        super().__init__()
        self.n_layers, self.hidden = 2, hidden
        self.embedding = nn.Embedding(vocab_size, 40)
        self.lstm = nn.LSTM(40, hidden, 2, dropout=0.5, batch_first=True)
        self.dropout = nn.Dropout(0.3)
        self.fc = nn.Linear(hidden, 1)
        self.sig = nn.Sigmoid()

    def forward(self, x: Tensor, hidden: tuple[Tensor, Tensor]) -> tuple[Tensor, object]:
        out, hidden = self.lstm(self.embedding(x), hidden)
        out = self.fc(self.dropout(out.contiguous().view(-1, self.hidden)))
        return self.sig(out).view(x.size(0), -1)[:, -1], hidden


class TutorialBidirectional(nn.Module):
    """The usual bidirectional tutorial: time-major, packed, both final states, logits out."""

    def __init__(self, vocab_size: int = 300) -> None:
        super().__init__()
        self.emb = nn.Embedding(vocab_size, 50, padding_idx=0)
        self.rnn = nn.LSTM(50, 64, num_layers=2, bidirectional=True, dropout=0.5)
        self.out = nn.Linear(128, 1)
        self.drop = nn.Dropout(0.5)

    def forward(self, text: Tensor, text_lengths: Tensor) -> Tensor:
        embedded = self.drop(self.emb(text))
        packed = nn.utils.rnn.pack_padded_sequence(embedded, text_lengths, enforce_sorted=False)
        _, (hidden, _) = self.rnn(packed)
        return self.out(self.drop(torch.cat((hidden[-2], hidden[-1]), dim=1))).squeeze(1)


class MeanPooled(nn.Module):
    """Five classes, mean over time, two linear layers with ReLU, log-probabilities out."""

    def __init__(self, vocab_size: int = 300) -> None:
        super().__init__()
        self.word_vectors = nn.Embedding(vocab_size, 33)
        self.encoder = nn.LSTM(33, 65, batch_first=True)
        self.hidden_layer = nn.Linear(65, 20)
        self.classifier = nn.Linear(20, 5)

    def forward(self, ids: Tensor) -> Tensor:
        steps, _ = self.encoder(self.word_vectors(ids))
        hidden = torch.relu(self.hidden_layer(steps.mean(dim=1)))
        return torch.log_softmax(self.classifier(hidden), dim=-1)


class MaxPooledBidirectional(nn.Module):
    """Three layers both ways without biases, maximum over time, softmax over three classes."""

    def __init__(self, vocab_size: int = 300) -> None:
        super().__init__()
        self.net = nn.ModuleDict(
            {
                "embed": nn.Embedding(vocab_size, 24),
                "lstm": nn.LSTM(24, 70, 3, bidirectional=True, bias=False, batch_first=True),
                "head": nn.Linear(140, 3, bias=False),
            }
        )

    def forward(self, ids: Tensor) -> Tensor:
        steps, _ = self.net["lstm"](self.net["embed"](ids))
        return torch.softmax(self.net["head"](steps.max(dim=1).values), dim=-1)


class LastStepBidirectional(nn.Module):
    """Both directions read at the last token, with which many mistake the final states."""

    def __init__(self, vocab_size: int = 300) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, 30)
        self.lstm = nn.LSTM(30, 64, bidirectional=True, batch_first=True)
        self.linear = nn.Linear(128, 2)

    def forward(self, ids: Tensor) -> Tensor:
        steps, _ = self.lstm(self.embedding(ids))
        return self.linear(steps[:, -1])


class ThreeLinear(nn.Module):
    """One layer, three linear layers with tanh, one logit, inside a Sequential."""

    def __init__(self, vocab_size: int = 300) -> None:
        super().__init__()
        self.token_embedding = nn.Embedding(vocab_size, 16)
        self.recurrent = nn.LSTM(16, 96, batch_first=True)
        self.mlp = nn.Sequential(
            nn.Linear(96, 32), nn.Tanh(), nn.Linear(32, 16), nn.Tanh(), nn.Linear(16, 1)
        )

    def forward(self, ids: Tensor) -> Tensor:
        _, (hidden, _) = self.recurrent(self.token_embedding(ids))
        return self.mlp(hidden[-1])


class WithAttention(nn.Module):
    """Not of the family: an attention vector weighs the steps."""

    def __init__(self, vocab_size: int = 300) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, 16)
        self.lstm = nn.LSTM(16, 32, batch_first=True)
        self.attention = nn.Parameter(torch.randn(32))
        self.fc = nn.Linear(32, 1)

    def forward(self, ids: Tensor) -> Tensor:
        steps, _ = self.lstm(self.embedding(ids))
        weights = torch.softmax(steps @ self.attention, dim=1)
        return self.fc((steps * weights.unsqueeze(-1)).sum(dim=1))


class Doubled(ThreeLinear):
    """Of the family by its weights, but its forward does something else."""

    def forward(self, ids: Tensor) -> Tensor:
        return super().forward(ids) * 2


FAMILY: tuple[type[nn.Module], ...] = (
    UdacitySentiment,
    TutorialBidirectional,
    MeanPooled,
    MaxPooledBidirectional,
    LastStepBidirectional,
    ThreeLinear,
)


EMBEDDING = re.compile(r"(^|[._])emb|word")
"""Names of embeddings; of the members of an ensemble, only theirs."""


def trained_like(module: nn.Module, seed: int = 0) -> nn.Module:
    """Give ``module`` weights of the size that training gives, so that answers differ."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, weight in module.named_parameters():
            width = weight.shape[-1] if weight.dim() else 1
            scale = 1.0 if EMBEDDING.search(name) else 1.3 / width**0.5
            weight.copy_(torch.randn(weight.shape, generator=generator) * scale)
    return module.eval()
