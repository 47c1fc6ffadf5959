"""More classifiers after public code: shared heads, several answers, odd inputs, odd poolings."""

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

WORDS, E, H = 80, 16, 64


class Base(nn.Module):
    """An embedding and an LSTM that reads both ways."""

    def __init__(self, *, both: bool = True, features: int = E, layers: int = 1) -> None:
        super().__init__()
        self.embedding = nn.Embedding(WORDS, E, padding_idx=0)
        self.lstm = nn.LSTM(features, H, layers, batch_first=True, bidirectional=both)
        self.width = 2 * H if both else H

    def steps(self, ids: Tensor) -> Tensor:
        return self.lstm(self.embedding(ids))[0]


class ToxicKernel(Base):
    """Kaggle's "toxic" kernel: two LSTMs, two poolings, a residual head and an auxiliary one."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm2 = nn.LSTM(2 * H, H, batch_first=True, bidirectional=True)
        self.linear1, self.linear2 = nn.Linear(4 * H, 4 * H), nn.Linear(4 * H, 4 * H)
        self.out, self.aux = nn.Linear(4 * H, 1), nn.Linear(4 * H, 6)
        self.dropout = nn.Dropout2d(0.3)

    def forward(self, ids: Tensor) -> Tensor:
        x = self.embedding(ids).unsqueeze(2).permute(0, 3, 2, 1)
        x = self.dropout(x).permute(0, 3, 2, 1).squeeze(2)
        second = self.lstm2(self.lstm(x)[0])[0]
        pooled = torch.cat((torch.max(second, 1)[0], torch.mean(second, 1)), 1)
        one, two = functional.relu(self.linear1(pooled)), functional.relu(self.linear2(pooled))
        hidden = pooled + one + two
        return torch.cat([self.out(hidden), self.aux(hidden)], 1)


class TwoTasks(Base):
    """Two heads on one reading, as a tuple."""

    def __init__(self) -> None:
        super().__init__()
        self.sentiment, self.topic = nn.Linear(2 * H, 2), nn.Linear(2 * H, 5)

    def forward(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        pooled = self.steps(ids).amax(1)
        return self.sentiment(pooled), self.topic(pooled)


class TwoNamedTasks(TwoTasks):
    """The same as a dictionary without any usual name."""

    def forward(self, ids: Tensor) -> dict[str, Tensor]:  # type: ignore[override]
        pooled = self.steps(ids).amax(1)
        return {"topic": self.topic(pooled), "sentiment": self.sentiment(pooled)}


class TimeDistributed(Base):
    """Keras' TimeDistributed(Dense): an opinion at each word, and their mean."""

    def __init__(self) -> None:
        super().__init__()
        self.dense = nn.Linear(2 * H, 1)

    def forward(self, ids: Tensor) -> Tensor:
        steps = self.steps(ids)
        flat = self.dense(steps.contiguous().view(-1, steps.size(2)))
        return torch.sigmoid(flat.view(steps.size(0), -1, 1)).mean(1)


class Tagger(Base):
    """A tagger: an answer at each word, which is no answer for a text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags = nn.Linear(2 * H, 4)

    def forward(self, ids: Tensor) -> Tensor:
        return self.tags(self.steps(ids))


class LabelIndex(Base):
    """Returns the label's number alone."""

    def __init__(self) -> None:
        super().__init__()
        self.out = nn.Linear(2 * H, 3)

    def forward(self, ids: Tensor) -> Tensor:
        return self.out(self.steps(ids).mean(1)).argmax(1)


class GatedHeads(Base):
    """Attention of four heads with a gate, as in multiple-instance learning."""

    def __init__(self) -> None:
        super().__init__()
        self.v, self.u, self.w = nn.Linear(2 * H, 32), nn.Linear(2 * H, 32), nn.Linear(32, 4)
        self.out = nn.Linear(8 * H, 1)

    def forward(self, ids: Tensor) -> Tensor:
        steps = self.steps(ids)
        weights = torch.softmax(self.w(torch.tanh(self.v(steps)) * torch.sigmoid(self.u(steps))), 1)
        return self.out(torch.einsum("bth,btk->bkh", steps, weights).flatten(1)).squeeze(-1)


class GatesByHand(nn.Module):
    """An LSTM written out, gate by gate."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(WORDS, E)
        self.x, self.h = nn.Linear(E, 4 * H), nn.Linear(H, 4 * H)
        self.out = nn.Linear(H, 2)

    def forward(self, ids: Tensor) -> Tensor:
        x = self.embedding(ids)
        h = torch.zeros(x.size(0), H)
        c = torch.zeros(x.size(0), H)
        for t in range(x.size(1)):
            i, f, g, o = (self.x(x[:, t]) + self.h(h)).chunk(4, 1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
        return self.out(h)


class MaskedHeads(Base):
    """nn.MultiheadAttention that is told where the padding is."""

    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(2 * H, 4, batch_first=True)
        self.out = nn.Linear(2 * H, 1)

    def forward(self, ids: Tensor) -> Tensor:
        steps = self.steps(ids)
        read, _ = self.attention(steps, steps, steps, key_padding_mask=ids == 0)
        return torch.sigmoid(self.out(read.mean(1)))


class ThreeVoices(nn.Module):
    """Three networks whose probabilities are averaged."""

    def __init__(self) -> None:
        super().__init__()
        self.members = nn.ModuleList(Base(both=False) for _ in range(3))
        self.outs = nn.ModuleList(nn.Linear(H, 3) for _ in range(3))

    def forward(self, ids: Tensor) -> Tensor:
        answers = [
            torch.softmax(out(member.steps(ids)[:, -1]), 1)
            for member, out in zip(self.members, self.outs, strict=True)
        ]
        return torch.stack(answers).mean(0)


class WithLabels(Base):
    """Hugging Face's habit: a loss where labels are given, and a dictionary."""

    def __init__(self) -> None:
        super().__init__(both=False, layers=2)
        self.out = nn.Linear(H, 3)

    def forward(self, input_ids: Tensor, labels: Tensor | None = None) -> dict[str, Tensor]:
        logits = self.out(self.steps(input_ids)[:, -1])
        if labels is None:
            return {"logits": logits}
        return {"loss": functional.cross_entropy(logits, labels), "logits": logits}


class LastOfPadded(Base):
    """Counts the words that are no padding, and takes the step at the last of them."""

    def __init__(self) -> None:
        super().__init__(both=False)
        self.out = nn.Linear(H, 2)

    def forward(self, ids: Tensor) -> Tensor:
        lengths = (ids != 0).sum(1).clamp(min=1)
        steps = self.steps(ids)
        at = (lengths - 1).view(-1, 1, 1).expand(-1, 1, steps.size(2))
        return functional.log_softmax(self.out(steps.gather(1, at).squeeze(1)), dim=-1)


class SortedPack(Base):
    """Sorts a batch by length, packs, unpacks, restores the order, and takes masked means."""

    def __init__(self) -> None:
        super().__init__()
        self.out = nn.Linear(2 * H, 1)

    def forward(self, ids: Tensor, lengths: Tensor) -> Tensor:
        order = torch.argsort(lengths, descending=True)
        packed = pack_padded_sequence(
            self.embedding(ids[order]), lengths[order].cpu(), batch_first=True
        )
        steps, _ = pad_packed_sequence(self.lstm(packed)[0], batch_first=True)
        steps = steps[torch.argsort(order)]
        return self.out(steps.sum(1) / lengths.unsqueeze(1)).squeeze(1)


class OneHot(nn.Module):
    """No embedding: words as vectors of zeros and a one."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(WORDS, H, batch_first=True)
        self.out = nn.Linear(H, 1)

    def forward(self, ids: Tensor) -> Tensor:
        steps, _ = self.lstm(functional.one_hot(ids, WORDS).float())
        return torch.sigmoid(self.out(steps[:, -1]))


class ScalarMix(Base):
    """ELMo's learned mean of layers."""

    def __init__(self) -> None:
        super().__init__()
        self.second = nn.LSTM(2 * H, H, batch_first=True, bidirectional=True)
        self.mix, self.gamma = nn.Parameter(torch.randn(2)), nn.Parameter(torch.ones(1) * 1.3)
        self.out = nn.Linear(2 * H, 2)

    def forward(self, ids: Tensor) -> Tensor:
        low = self.steps(ids)
        high = self.second(low)[0]
        weights = torch.softmax(self.mix, 0)
        return self.out((self.gamma * (weights[0] * low + weights[1] * high)).amax(1))


class TwoEmbeddings(nn.Module):
    """A frozen and a learned vector for each word, gated."""

    def __init__(self) -> None:
        super().__init__()
        self.frozen, self.learned = nn.Embedding(WORDS, E), nn.Embedding(WORDS, E)
        self.gate = nn.Linear(2 * E, E)
        self.lstm = nn.LSTM(E, H, batch_first=True)
        self.out = nn.Linear(H, 1)

    def forward(self, ids: Tensor) -> Tensor:
        a, b = self.frozen(ids), self.learned(ids)
        gate = torch.sigmoid(self.gate(torch.cat([a, b], -1)))
        return self.out(self.lstm(gate * a + (1 - gate) * b)[1][0][-1])


class ParallelConvolutions(Base):
    """Convolutions of three widths side by side, then the LSTM."""

    def __init__(self) -> None:
        super().__init__(features=36, both=False)
        self.convs = nn.ModuleList(nn.Conv1d(E, 12, k, padding=k // 2) for k in (1, 3, 5))
        self.out = nn.Linear(H, 4)

    def forward(self, ids: Tensor) -> Tensor:
        x = self.embedding(ids).transpose(1, 2)
        x = torch.cat([functional.relu(conv(x)) for conv in self.convs], 1).transpose(1, 2)
        return self.out(self.lstm(x)[1][0].squeeze(0))


class Sentences(Base):
    """A document as sentences of ten words, padded inside, read by an LSTM over their maxima."""

    def __init__(self) -> None:
        super().__init__(both=False)
        self.upper = nn.LSTM(H, H, batch_first=True)
        self.out = nn.Linear(H, 2)

    def forward(self, ids: Tensor) -> Tensor:
        short = (10 - ids.size(1) % 10) % 10
        ids = functional.pad(ids, (0, short)).view(-1, 10)
        sentences = self.steps(ids).amax(1).unsqueeze(0)
        return torch.softmax(self.out(self.upper(sentences)[1][0][-1]), 1)


class TextAndNumbers(Base):
    """Reads a text and three numbers, which no file of texts can give."""

    def __init__(self) -> None:
        super().__init__()
        self.out = nn.Linear(2 * H + 3, 1)

    def forward(self, ids: Tensor, features: Tensor) -> Tensor:
        return self.out(torch.cat([self.steps(ids).mean(1), features], 1))


class Pair(Base):
    """Compares two texts."""

    def __init__(self) -> None:
        super().__init__()
        self.out = nn.Bilinear(2 * H, 2 * H, 1)

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        return self.out(self.steps(first).amax(1), self.steps(second).amax(1))


class StarsOrdinal(Base):
    """Stars as one number between 1 and 5."""

    def __init__(self) -> None:
        super().__init__(both=False)
        self.out = nn.Linear(H, 1)

    def forward(self, ids: Tensor) -> Tensor:
        return 1 + 4 * torch.sigmoid(self.out(self.steps(ids)[:, -1]))


class Normed(Base):
    """A residual and a layer norm around the LSTM, and added positions."""

    def __init__(self) -> None:
        super().__init__(features=2 * H)
        self.embedding = nn.Embedding(WORDS, 2 * H)
        self.positions = nn.Embedding(512, 2 * H)
        self.norm = nn.LayerNorm(2 * H)
        self.out = nn.Linear(2 * H, 2)

    def forward(self, ids: Tensor) -> Tensor:
        x = self.embedding(ids) + self.positions(torch.arange(ids.size(1)))
        return self.out(self.norm(x + self.lstm(x)[0]).mean(1))


class RawWeights(Base):
    """AWD-LSTM's weight drop: the recurrent weights are set anew at each call."""

    def __init__(self) -> None:
        super().__init__(both=False)
        self.out = nn.Linear(H, 2)
        raw = self.lstm.weight_hh_l0
        del self.lstm._parameters["weight_hh_l0"]
        self.raw = nn.Parameter(raw.data)
        self.lstm.weight_hh_l0 = raw.data

    def forward(self, ids: Tensor) -> Tensor:
        self.lstm.weight_hh_l0 = functional.dropout(self.raw, 0.5, self.training)
        return self.out(self.steps(ids)[:, -1])
