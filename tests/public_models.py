"""Classifiers as public repositories have them, none of which the exporter was written for."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

WORDS, E, H = 80, 16, 64


class Reader(nn.Module):
    """An embedding, an LSTM and a linear layer, from which the others differ."""

    def __init__(self, classes: int = 1, *, both: bool = False, wide: int = 1, **lstm: Any) -> None:
        super().__init__()
        self.embedding = nn.Embedding(WORDS, E, padding_idx=0)
        self.lstm = nn.LSTM(E, H, **{"batch_first": True, "bidirectional": both, **lstm})
        self.fc = nn.Linear(wide * (2 if both else 1) * H, classes)


class LengthInFront(Reader):
    """The first number of a text is its length, as the SageMaker course has it."""

    def __init__(self) -> None:
        super().__init__(batch_first=False)

    def forward(self, x: Tensor) -> Tensor:
        x = x.t()
        lengths, reviews = x[0, :], x[1:, :]
        out = self.fc(self.lstm(self.embedding(reviews))[0])
        out = out[lengths - 1, range(len(lengths))]
        return torch.sigmoid(out.squeeze())


class ArticleBiLstm(Reader):
    """Packed, with the ends of both directions picked by index, sigmoid after a squeeze."""

    def __init__(self) -> None:
        super().__init__(both=True)

    def forward(self, text: Tensor, text_len: Tensor) -> Tensor:
        packed = pack_padded_sequence(
            self.embedding(text), text_len, batch_first=True, enforce_sorted=False
        )
        out, _ = pad_packed_sequence(self.lstm(packed)[0], batch_first=True)
        forward = out[range(len(out)), text_len - 1, :H]
        return torch.sigmoid(self.fc(torch.cat((forward, out[:, 0, H:]), 1)).squeeze(1))


class OneSentence(Reader):
    """The tutorial's tagger made a classifier: ids without a batch, states made anew."""

    def __init__(self) -> None:
        super().__init__(3, batch_first=False)

    def init_hidden(self) -> tuple[Tensor, Tensor]:
        return torch.zeros(1, 1, H), torch.zeros(1, 1, H)

    def forward(self, sentence: Tensor) -> Tensor:
        self.hidden = self.init_hidden()
        embeds = self.embedding(sentence)
        out, self.hidden = self.lstm(embeds.view(len(sentence), 1, -1), self.hidden)
        return functional.log_softmax(self.fc(out[-1]), dim=1)


class AttentionByBatchSize(Reader):
    """Dot-product attention whose states have the batch size that is given, or one's own."""

    def __init__(self) -> None:
        super().__init__(2, batch_first=False)
        self.batch_size = 32

    def forward(self, sentences: Tensor, batch_size: int | None = None) -> Tensor:
        x = self.embedding(sentences).permute(1, 0, 2)
        size = self.batch_size if batch_size is None else batch_size
        steps, (h, _) = self.lstm(x, (torch.zeros(1, size, H), torch.zeros(1, size, H)))
        steps = steps.permute(1, 0, 2)
        weights = functional.softmax(torch.bmm(steps, h.squeeze(0).unsqueeze(2)).squeeze(2), 1)
        return self.fc(torch.bmm(steps.transpose(1, 2), weights.unsqueeze(2)).squeeze(2))


class OwnBatchSize(Reader):
    """First states of a batch size that the constructor fixes."""

    def __init__(self) -> None:
        super().__init__(1)
        self.batch_size = 50

    def forward(self, x: Tensor) -> Tensor:
        zeros = torch.zeros(1, self.batch_size, H)
        out, _ = self.lstm(self.embedding(x), (zeros, zeros))
        return torch.sigmoid(self.fc(out[:, -1])).view(self.batch_size)


class TextWithLengths(Reader):
    """torchtext's pair of text and lengths as one argument."""

    def __init__(self) -> None:
        super().__init__(both=True, num_layers=2)

    def forward(self, batch: tuple[Tensor, Tensor]) -> Tensor:
        text, lengths = batch
        packed = pack_padded_sequence(
            self.embedding(text), lengths.cpu(), batch_first=True, enforce_sorted=False
        )
        _, (h, _) = self.lstm(packed)
        return self.fc(torch.cat((h[-2], h[-1]), 1)).squeeze(1)


class TwoStateArguments(Reader):
    """Hidden and cell state as two arguments."""

    def forward(
        self, x: Tensor, hidden: Tensor, cell: Tensor
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        out, states = self.lstm(self.embedding(x), (hidden, cell))
        return torch.sigmoid(self.fc(out[:, -1])), states


class PackedDataAttention(Reader):
    """Attention over the data of a packed sequence, put into a new one."""

    def __init__(self) -> None:
        super().__init__(4, both=True)
        self.w, self.v = nn.Linear(2 * H, 2 * H), nn.Linear(2 * H, 1, bias=False)

    def forward(self, text: Tensor, words_per_sentence: Tensor) -> Tensor:
        packed = pack_padded_sequence(
            self.embedding(text), words_per_sentence.tolist(), batch_first=True
        )
        steps, _ = self.lstm(packed)
        scores = self.v(torch.tanh(self.w(steps.data))).squeeze(1)
        scores = torch.exp(scores - scores.max())
        weights, _ = pad_packed_sequence(
            PackedSequence(scores, packed.batch_sizes), batch_first=True
        )
        weights = weights / weights.sum(1, keepdim=True)
        padded, _ = pad_packed_sequence(steps, batch_first=True)
        return self.fc((padded * weights.unsqueeze(2)).sum(1))


class PooledByKernel(Reader):
    """A pooling as wide as the text, whose size a tracer takes for a constant."""

    def __init__(self) -> None:
        super().__init__(2, both=True)

    def forward(self, x: Tensor) -> Tensor:
        steps = self.lstm(self.embedding(x))[0].permute(0, 2, 1)
        pooled = functional.max_pool1d(torch.tanh(steps), steps.size(2)).squeeze(2)
        return self.fc(pooled)


class TwoPoolings(Reader):
    """Mean and maximum by pooling layers of the text's own width, joined with the last step."""

    def __init__(self) -> None:
        super().__init__(3, wide=3)

    def forward(self, x: Tensor) -> Tensor:
        steps = self.lstm(self.embedding(x))[0]
        by_time = steps.permute(0, 2, 1)
        mean = functional.avg_pool1d(by_time, by_time.shape[-1]).squeeze(-1)
        best = functional.adaptive_max_pool1d(by_time, 1).view(len(x), -1)
        return torch.softmax(self.fc(torch.cat([mean, best, steps[:, -1]], 1)), 1)


class BagOfOne(Reader):
    """An embedding bag for each word, as which some code looks words up."""

    def __init__(self) -> None:
        super().__init__(2)
        self.embedding = nn.EmbeddingBag(WORDS, E, mode="sum")

    def forward(self, x: Tensor) -> Tensor:
        words = self.embedding(x.reshape(-1, 1)).view(*x.shape, E)
        return self.fc(self.lstm(words)[1][0][-1])


class EmbeddingDropout(Reader):
    """AWD-LSTM's dropout of whole words, which looks words up by function."""

    def forward(self, x: Tensor) -> Tensor:
        weight = self.embedding.weight
        if self.training:
            weight = weight * weight.new_empty(WORDS, 1).bernoulli_(0.9) / 0.9
        words = functional.embedding(x, weight, self.embedding.padding_idx)
        return self.fc(self.lstm(words)[0][:, -1])


class VectorsAsParameter(Reader):
    """Word vectors are a bare parameter, and are looked up by indexing."""

    def __init__(self) -> None:
        super().__init__(2, both=True)
        del self.embedding
        self.vectors = nn.Parameter(torch.randn(WORDS, E))

    def forward(self, x: Tensor) -> Tensor:
        _, (h, _) = self.lstm(self.vectors[x])
        return self.fc(h.transpose(0, 1).flatten(1))


class BoundedVectors(Reader):
    """Word vectors are shortened to length 1 when they are looked up."""

    def __init__(self) -> None:
        super().__init__(2)
        self.embedding = nn.Embedding(WORDS, E, max_norm=1.0)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.lstm(self.embedding(x))[1][0][-1])


class Temperature(Reader):
    """Logits divided by a temperature, as after calibration."""

    def __init__(self) -> None:
        super().__init__(3)
        self.temperature = nn.Parameter(torch.tensor(1.7))

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.lstm(self.embedding(x))[0][:, -1]) / self.temperature


class BothProbabilities(Reader):
    """One sigmoid made into two columns."""

    def forward(self, x: Tensor) -> Tensor:
        p = torch.sigmoid(self.fc(self.lstm(self.embedding(x))[0][:, -1]))
        return torch.cat([1 - p, p], dim=1)


class Everything(Reader):
    """A dictionary of logits, probabilities, prediction and attention."""

    def __init__(self) -> None:
        super().__init__(3)
        self.score = nn.Linear(H, 1)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        steps = self.lstm(self.embedding(x))[0]
        weights = torch.softmax(self.score(steps), 1)
        logits = self.fc((weights * steps).sum(1))
        probs = torch.softmax(logits, -1)
        return {"preds": probs.argmax(-1), "attention": weights, "logits": logits, "probs": probs}


class KeptAxis(Reader):
    """The axis of time stays, of length one."""

    def __init__(self) -> None:
        super().__init__(3)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.lstm(self.embedding(x))[0][:, -1:, :])


class KeywordArguments(Reader):
    """Takes whatever a batch has."""

    def __init__(self) -> None:
        super().__init__(2)

    def forward(self, input_ids: Tensor, **batch: Any) -> dict[str, Tensor | None]:
        logits = self.fc(self.lstm(self.embedding(input_ids))[0].mean(1))
        labels = batch.get("labels")
        loss = None if labels is None else functional.cross_entropy(logits, labels)
        return {"loss": loss, "logits": logits}


class Switches(Reader):
    """A switch whose name speaks of hidden states."""

    def forward(self, x: Tensor, from_hidden: bool = False) -> Tensor:
        steps, (h, _) = self.lstm(self.embedding(x))
        return torch.sigmoid(self.fc(h[-1] if from_hidden else steps.mean(1)))


class AttentiveSwitches(Reader):
    """The same beside an attention, which only PyTorch's exporter writes."""

    def forward(self, x: Tensor, from_hidden: bool = False) -> Tensor:
        steps, (h, _) = self.lstm(self.embedding(x))
        weights = torch.softmax(torch.tanh(steps).sum(-1, keepdim=True), 1)
        return torch.sigmoid(self.fc(h[-1] if from_hidden else (weights * steps).sum(1)))


class ByDirection(Reader):
    """The states as layers by directions, and the last layer's two."""

    def __init__(self) -> None:
        super().__init__(2, both=True, num_layers=2)

    def forward(self, x: Tensor) -> Tensor:
        _, (h, _) = self.lstm(self.embedding(x))
        h = h.view(2, 2, x.size(0), H)[-1]
        return nn.LogSoftmax(dim=1)(self.fc(torch.cat((h[0], h[1]), dim=-1)))


class Extract(nn.Module):
    """Takes the last step out of what an LSTM returns."""

    def forward(self, output: tuple[Tensor, Any]) -> Tensor:
        return output[0][:, -1, :]


def sequential() -> nn.Module:
    """Return a model without a class."""
    lstm = nn.LSTM(E, H, num_layers=2, batch_first=True)
    head = (nn.Dropout(0.2), nn.Linear(H, 32), nn.ReLU(), nn.Linear(32, 1), nn.Sigmoid())
    return nn.Sequential(nn.Embedding(WORDS, E), lstm, Extract(), *head)


class HardLabels(Reader):
    """Returns the rounded probability, which is a label."""

    def forward(self, x: Tensor) -> Tensor:
        logit = self.fc(self.lstm(self.embedding(x))[0][:, -1]) - self.fc.bias
        return torch.round(torch.sigmoid(logit))


class IdsAsNumbers(nn.Module):
    """No embedding: the ids themselves are the LSTM's one feature."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(1, H, batch_first=True)
        self.fc = nn.Linear(H, 1)

    def forward(self, x: Tensor) -> Tensor:
        steps, _ = self.lstm(x.float().unsqueeze(2) / WORDS)
        return torch.sigmoid(self.fc(steps[:, -1]))


class OnCuda(Reader):
    """First states on a device that need not be there."""

    def forward(self, x: Tensor) -> Tensor:
        zeros = torch.zeros(1, len(x), H).cuda()
        return torch.sigmoid(self.fc(self.lstm(self.embedding(x), (zeros, zeros))[0][:, -1]))


class DualChannel(nn.Module):
    """A frozen and a learned channel with an LSTM each."""

    def __init__(self) -> None:
        super().__init__()
        self.fixed = nn.Embedding.from_pretrained(torch.randn(WORDS, E), freeze=True)
        self.learned = nn.Embedding(WORDS, E)
        self.one, self.two = (nn.LSTM(E, H, batch_first=True) for _ in range(2))
        self.fc = nn.Sequential(nn.BatchNorm1d(2 * H), nn.Linear(2 * H, 2))

    def forward(self, x: Tensor) -> Tensor:
        one, two = self.one(self.fixed(x))[1][0][-1], self.two(self.learned(x))[1][0][-1]
        return self.fc(torch.cat([one, two], 1))


class ChunkedSides(Reader):
    """Both directions' steps taken apart and multiplied."""

    def __init__(self) -> None:
        super().__init__(1, both=True)
        self.fc = nn.Linear(H, 1)

    def forward(self, x: Tensor) -> Tensor:
        one, two = self.lstm(self.embedding(x))[0].chunk(2, dim=-1)
        return self.fc((one * two).mean(1)).squeeze(-1)


class Reversed(Reader):
    """Flips the text, and lets the LSTM read it from its end."""

    def __init__(self) -> None:
        super().__init__(2)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.lstm(self.embedding(x.flip(1)))[1][0].squeeze(0))
