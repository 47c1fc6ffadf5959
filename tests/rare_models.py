"""Networks that do something which short random texts do not show."""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

WORDS, LOUD, E, H = 2000, 40, 12, 16
"""The first words have long vectors, so that what is behind the LSTM reaches its bounds."""


class Classifier(nn.Module):
    """Embedding, LSTM, and a head of one's own on the last state."""

    def __init__(self, width: int = 8, words: int = WORDS, **embedding: Any) -> None:
        super().__init__()
        self.emb = nn.Embedding(words, E, **embedding)
        self.rnn = nn.LSTM(E, H, batch_first=True)
        self.linear = nn.Linear(H, width)
        self.fc2 = nn.Linear(width, 1)
        with torch.no_grad():
            self.emb.weight[:LOUD] *= 10
            self.emb.weight[LOUD:] *= 0.3
            self.linear.weight *= 12

    def steps(self, x: Tensor) -> Tensor:
        out: Tensor = self.rnn(self.emb(x))[0]
        return out

    def last(self, x: Tensor) -> Tensor:
        return self.steps(x)[:, -1]


class Relu6(Classifier):
    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(functional.relu6(self.linear(self.last(x))))


class Hardtanh(Classifier):
    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(functional.hardtanh(self.linear(self.last(x)), -8.0, 8.0))


class Threshold(Classifier):
    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(functional.threshold(self.linear(self.last(x)), -7.0, 0.0))


class Stars(Classifier):
    """One to five stars."""

    def __init__(self) -> None:
        super().__init__(1)
        with torch.no_grad():
            self.linear.bias.fill_(3.0)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(self.last(x)).clamp(1.0, 5.0)


class BoundedCells(Classifier):
    """Reads cell states, which nothing but itself bounds."""

    def forward(self, x: Tensor) -> Tensor:
        _, (_, c) = self.rnn(self.emb(x))
        return self.fc2(self.linear(c[-1].clamp(-2.0, 2.0)))


class CutAt512(Classifier):
    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(self.linear(self.last(x[:, :512])))


class LastFifty(Classifier):
    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(self.linear(self.steps(x)[:, -50:].mean(1)))


class OtherHeadBeyond300(Classifier):
    def forward(self, x: Tensor) -> Tensor:
        out = self.linear(self.last(x))
        if x.size(1) > 300:
            return self.fc2(torch.tanh(out))
        return self.fc2(out)


class CutWithAttention(Classifier):
    def forward(self, x: Tensor) -> Tensor:
        if x.size(1) > 512:
            x = x[:, :512]
        out = self.steps(x)
        weights = torch.softmax(out.sum(-1, keepdim=True), 1)
        return self.fc2(self.linear((weights * out).sum(1)))


class EndMark(Classifier):
    """Reads the state at the first id 2, which ends a text."""

    def forward(self, x: Tensor) -> Tensor:
        at = (x == 2).int().argmax(1)
        return self.fc2(self.linear(self.steps(x)[torch.arange(len(x)), at]))


class NothingBehindTheMark(Classifier):
    """Reads the mean of the states before the first id 2."""

    def forward(self, x: Tensor) -> Tensor:
        counted = ((x == 2).int().cumsum(1) == 0).float().unsqueeze(-1)
        mean = (self.steps(x) * counted).sum(1) / counted.sum(1).clamp(min=1)
        return self.fc2(self.linear(mean))


class MaskedWithoutSayingSo(Classifier):
    """Leaves the id 3 out behind a text, which no layer says is padding."""

    def forward(self, x: Tensor) -> Tensor:
        at = ((x != 3).sum(1) - 1).clamp(min=0)
        return self.fc2(self.linear(self.steps(x)[torch.arange(len(x)), at]))


class PaddedWithTheLastId(Classifier):
    def __init__(self) -> None:
        super().__init__(words=60, padding_idx=59)

    def forward(self, x: Tensor) -> Tensor:
        lengths = (x != 59).sum(1)
        packed = nn.utils.rnn.pack_padded_sequence(self.emb(x), lengths, batch_first=True)
        return self.fc2(self.linear(self.rnn(packed)[1][0][-1]))


class Chunks(Classifier):
    """Reads texts of 4, 8, 12 words and so on."""

    def forward(self, x: Tensor) -> Tensor:
        if x.size(1) % 4:
            raise ValueError("pad to 4")
        out = self.steps(x)
        total = sum(out[:, 4 * n : 4 * n + 4].amax(1) for n in range(x.size(1) // 4))
        return self.fc2(self.linear(torch.as_tensor(total)))


class OtherwiseAtSeven(Classifier):
    """Answers texts of seven words otherwise, in Python."""

    def forward(self, x: Tensor) -> Tensor:
        out = self.steps(x)
        weights = torch.softmax(out.sum(-1, keepdim=True), 1)
        answer = self.fc2(self.linear((weights * out).sum(1)))
        return answer - 0.3 if x.size(1) in {7} else answer


class MixesTheBatch(nn.Module):
    """Reshapes states by batch, which mixes the texts of one."""

    def __init__(self) -> None:
        super().__init__()
        self.emb = nn.Embedding(60, E)
        self.rnn = nn.LSTM(E, H, batch_first=True, bidirectional=True)
        self.fc = nn.Linear(2 * H, 1)

    def forward(self, x: Tensor) -> Tensor:
        _, (h, _) = self.rnn(self.emb(x))
        return self.fc(h.view(x.size(0), -1))


class GatesInALoop(Classifier):
    """The LSTM written out."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden = H
        self.from_words = nn.Linear(E, 4 * H)
        self.from_state = nn.Linear(H, 4 * H)

    def forward(self, x: Tensor) -> Tensor:
        vectors = self.emb(x)
        h = torch.zeros(x.size(0), self.hidden)
        c = torch.zeros(x.size(0), self.hidden)
        for step in range(x.size(1)):
            gates = self.from_words(vectors[:, step]) + self.from_state(h)
            i, f, g, o = gates.chunk(4, 1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
        return self.fc2(self.linear(h))


class Gru(nn.Module):
    """Outside the family, with something of its own at the end."""

    def __init__(self, end: Callable[[Tensor, Tensor], Any] = lambda logits, _: logits) -> None:
        super().__init__()
        self.emb = nn.Embedding(60, E)
        self.rnn = nn.GRU(E, H, batch_first=True)
        self.fc = nn.Linear(H, 3)
        self.end = end

    def forward(self, x: Tensor) -> Any:
        h = self.rnn(self.emb(x))[1][-1]
        return self.end(self.fc(h), h)


class Output(NamedTuple):
    hidden: Tensor
    logits: Tensor


class NeedsArguments(Gru):
    def __init__(self) -> None:
        super().__init__()
        raise SystemExit(2)
