"""Text classifiers as people write them: one LSTM, and everything that may stand around it.

`FAMILY` is written from the weights; `OTHERS` does something that no such graph has.
"""

from collections import OrderedDict
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import parametrizations, prune
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

WORDS, EMBEDDING, HIDDEN = 90, 24, 64
Pick = Callable[[Tensor, Tensor, Tensor], Tensor]


class Net(nn.Module):
    """Embedding, LSTM, something picked of it, a head."""

    def __init__(
        self,
        pick: Pick,
        head: nn.Module,
        *,
        embed: nn.Module | None = None,
        inputs: int = EMBEDDING,
        **options: object,
    ) -> None:
        super().__init__()
        self.embedding = nn.Embedding(WORDS, EMBEDDING)
        self.embed = embed or nn.Identity()
        self.lstm = nn.LSTM(inputs, HIDDEN, batch_first=True, **options)  # type: ignore[arg-type]
        self.pick = pick
        self.head = head

    def forward(self, ids: Tensor) -> Tensor:
        steps, (h, c) = self.lstm(self.embed(self.embedding(ids)))
        return self.head(self.pick(steps, h, c))


def last(_: Tensor, h: Tensor, __: Tensor) -> Tensor:
    return h[-1]


def both(_: Tensor, h: Tensor, __: Tensor) -> Tensor:
    return torch.cat([h[-2], h[-1]], dim=1)


def mean(steps: Tensor, *_: Tensor) -> Tensor:
    return steps.mean(dim=1)


def halves(steps: Tensor) -> tuple[Tensor, Tensor]:
    return steps[..., :HIDDEN], steps[..., HIDDEN:]


def linear(factor: float = 1, classes: int = 1) -> nn.Linear:
    return nn.Linear(int(HIDDEN * factor), classes)


def two(function: nn.Module, factor: float = 1, classes: int = 3) -> nn.Sequential:
    return nn.Sequential(linear(factor, 32), function, nn.Linear(32, classes))


class Functional(nn.Module):
    """A function as a layer that cannot be watched."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function
        self.inner = nn.Identity()  # a child, so that it is no leaf

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


class Scaled(nn.Module):
    """The Transformer's scale behind the embedding."""

    def forward(self, x: Tensor) -> Tensor:
        return x * EMBEDDING**0.5


class LearnedStates(nn.Module):
    """First states are parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(WORDS, EMBEDDING)
        self.lstm = nn.LSTM(EMBEDDING, HIDDEN, 2, batch_first=True)
        self.h0 = nn.Parameter(torch.randn(2, 1, HIDDEN))
        self.c0 = nn.Parameter(torch.randn(2, 1, HIDDEN))
        self.fc = linear()

    def forward(self, ids: Tensor) -> Tensor:
        batch = len(ids)
        states = tuple(s.expand(-1, batch, -1).contiguous() for s in (self.h0, self.c0))
        return torch.sigmoid(self.fc(self.lstm(self.embedding(ids), states)[0][:, -1]))


class OutputFirst(nn.Module):
    """The output layer stands before the hidden one, and a loss keeps weights of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.out = nn.Linear(HIDDEN, 4)
        self.hidden = nn.Linear(HIDDEN, HIDDEN)
        self.loss = nn.CrossEntropyLoss(weight=torch.ones(4))
        self.register_buffer("steps_seen", torch.tensor(7))
        self.rnn = nn.LSTM(EMBEDDING, HIDDEN, batch_first=True)
        self.words = nn.Embedding(WORDS, EMBEDDING)

    def forward(self, ids: Tensor) -> Tensor:
        return self.out(torch.relu(self.hidden(self.rnn(self.words(ids))[1][0][-1])))


class Masked(nn.Module):
    """Finds its lengths by the padding id, packs, and takes the mean of what is no padding."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(WORDS, EMBEDDING, padding_idx=0)
        self.lstm = nn.LSTM(EMBEDDING, HIDDEN, batch_first=True, bidirectional=True)
        self.fc = linear(2, 2)

    def forward(self, ids: Tensor) -> Tensor:
        mask = ids != 0
        lengths = mask.sum(dim=1)
        packed = pack_padded_sequence(
            self.embedding(ids), lengths, batch_first=True, enforce_sorted=False
        )
        steps, _ = pad_packed_sequence(self.lstm(packed)[0], batch_first=True)
        return self.fc(steps.sum(dim=1) / lengths[:, None])


class Stacked(nn.Module):
    """Two LSTMs of different widths behind each other, as Keras code is ported."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(WORDS, EMBEDDING)
        self.lstm1 = nn.LSTM(EMBEDDING, 96, batch_first=True)
        self.lstm2 = nn.LSTM(96, HIDDEN, batch_first=True)
        self.fc = linear()

    def forward(self, ids: Tensor) -> dict[str, Tensor]:
        steps, _ = self.lstm2(self.lstm1(self.embedding(ids))[0])
        return {"logits": self.fc(steps[:, -1]), "features": steps[:, -1]}


class EveryStep(nn.Module):
    """The head runs at every step, and the last answer counts; states come from the caller."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(WORDS, EMBEDDING)
        self.lstm = nn.LSTM(EMBEDDING, HIDDEN, 2, batch_first=True)
        self.fc1, self.fc2, self.sig = nn.Linear(HIDDEN, 32), nn.Linear(32, 1), nn.Sigmoid()

    def forward(self, x: Tensor, hidden: tuple[Tensor, Tensor]) -> tuple[Tensor, object]:
        out, hidden = self.lstm(self.embedding(x), hidden)
        out = self.fc2(functional.relu(self.fc1(out.contiguous().view(-1, HIDDEN))))
        return self.sig(out).view(x.size(0), -1)[:, -1], hidden


class TimeMajorMask(nn.Module):
    """Time first, a mask that it multiplies by, and hidden states of all layers joined."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(WORDS, EMBEDDING)
        self.lstm = nn.LSTM(EMBEDDING, HIDDEN, 2)
        self.fc = linear(2)

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        vectors = self.embedding(ids) * mask.unsqueeze(-1)
        _, (h, _) = self.lstm(vectors.transpose(0, 1))
        return self.fc(h.transpose(0, 1).reshape(ids.size(0), -1))


class TwoEmbeddings(nn.Module):
    """A fixed and a trained embedding, joined."""

    def __init__(self) -> None:
        super().__init__()
        self.fixed, self.trained = nn.Embedding(WORDS, 16), nn.Embedding(WORDS, 8)
        self.lstm = nn.LSTM(EMBEDDING, HIDDEN, batch_first=True)
        self.fc = linear()

    def forward(self, ids: Tensor) -> Tensor:
        vectors = torch.cat([self.fixed(ids), self.trained(ids)], dim=-1)
        return self.fc(self.lstm(vectors)[1][0].squeeze(0))


class MultiTask(nn.Module):
    """Two heads on one LSTM; the first one's answer comes first."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(WORDS, EMBEDDING)
        self.lstm = nn.LSTM(EMBEDDING, HIDDEN, batch_first=True)
        self.topic, self.mood = linear(classes=5), linear(classes=3)

    def forward(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        h = self.lstm(self.embedding(ids))[1][0][-1]
        topic = self.topic(h)
        return functional.softmax(self.mood(h), dim=-1), topic


def weight_norm() -> nn.Module:
    net = Net(last, linear())
    parametrizations.weight_norm(net.head)
    parametrizations.weight_norm(net.lstm, "weight_hh_l0")
    return net


def pruned() -> nn.Module:
    net = Net(last, two(nn.ReLU()))
    prune.random_unstructured(net.head[0], "weight", 0.5)  # type: ignore[index]
    prune.random_unstructured(net.lstm, "weight_ih_l0", 0.3)
    return net


def normed(kind: Callable[[int], nn.Module], *rest: nn.Module) -> nn.Module:
    return Net(last, nn.Sequential(linear(1, 32), kind(32), *rest, nn.Linear(32, 2)))


def tanh_of_max(steps: Tensor, *_: Tensor) -> Tensor:
    return torch.tanh(steps).max(dim=1).values


def joined(steps: Tensor, h: Tensor, _: Tensor) -> Tensor:
    return torch.cat([steps.mean(1), steps.max(1).values, h[-1]], dim=1)


def joined_both(steps: Tensor, *_: Tensor) -> Tensor:
    return torch.cat([steps.max(dim=1).values, steps.mean(dim=1)], dim=1)


class LogitsAndProbabilities(nn.Module):
    """Returns both, so that the logits are known to be those of single labels."""

    def __init__(self) -> None:
        super().__init__()
        self.net = Net(last, linear(classes=3))

    def forward(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        logits = self.net(ids)
        return logits, torch.sigmoid(logits)


class OneOfTwo(LogitsAndProbabilities):
    """Two logits, and the probability of the second."""

    def __init__(self) -> None:
        super().__init__()
        self.net = Net(last, linear(classes=2))

    def forward(self, ids: Tensor) -> Tensor:
        return torch.softmax(self.net(ids), dim=1)[:, 1]


class FiveDropouts(OneOfTwo):
    """The mean over five dropouts, which are none in evaluation mode."""

    def __init__(self) -> None:
        super().__init__()
        self.fc, self.dropout = linear(classes=3), nn.Dropout(0.5)
        self.net = Net(last, nn.Identity())

    def forward(self, ids: Tensor) -> Tensor:
        features = self.net(ids)
        return sum(self.fc(self.dropout(features)) for _ in range(5)) / 5  # type: ignore[return-value]


BOTH = {"bidirectional": True}

FAMILY: "OrderedDict[str, Callable[[], nn.Module]]" = OrderedDict(
    {
        "last": lambda: Net(last, linear()),
        "both": lambda: Net(both, linear(2), **BOTH),
        "backward first": lambda: Net(
            lambda _, h, __: torch.cat([h[-1], h[-2]], dim=1), linear(2), num_layers=2, **BOTH
        ),
        "backward only": lambda: Net(last, linear(), **BOTH),
        "sum of states": lambda: Net(lambda _, h, __: h[-2] + h[-1], linear(), **BOTH),
        "sum of steps": lambda: Net(lambda s, *_: sum(halves(s))[:, -1], linear(), **BOTH),
        "mean of sum": lambda: Net(lambda s, *_: sum(halves(s)).mean(dim=1), linear(), **BOTH),
        "max of sum": lambda: Net(lambda s, *_: sum(halves(s)).amax(dim=1), linear(), **BOTH),
        "average": lambda: Net(lambda _, h, __: (h[-2] + h[-1]) / 2, linear(), **BOTH),
        "step both": lambda: Net(lambda s, *_: s[:, -1], linear(2), **BOTH),
        "first and last": lambda: Net(
            lambda s, *_: torch.cat([halves(s)[0][:, -1], halves(s)[1][:, 0]], dim=1),
            linear(2),
            **BOTH,
        ),
        "mean": lambda: Net(mean, linear(classes=3)),
        "max both": lambda: Net(lambda s, *_: s.amax(dim=1), linear(2, 3), **BOTH),
        "mean max last": lambda: Net(joined, linear(3)),
        "max mean both": lambda: Net(joined_both, linear(4, 3), **BOTH),
        "cell": lambda: Net(lambda _, __, c: c[-1], linear()),
        "state and cell": lambda: Net(lambda _, h, c: torch.cat([h[-1], c[-1]], 1), linear(2)),
        "first layer": lambda: Net(lambda _, h, __: h[0], linear(), num_layers=2),
        "time major": TimeMajorMask,
        "tanh of max": lambda: Net(tanh_of_max, linear()),
        "relu before": lambda: Net(lambda _, h, __: torch.relu(h[-1]), linear()),
        "relu between": lambda: Net(last, two(nn.ReLU(inplace=True))),
        "tanh between": lambda: Net(last, two(nn.Tanh())),
        "sigmoid between": lambda: Net(last, two(nn.Sigmoid())),
        "gelu between": lambda: Net(last, two(nn.GELU())),
        "gelu-tanh between": lambda: Net(last, two(nn.GELU(approximate="tanh"))),
        "leaky between": lambda: Net(last, two(nn.LeakyReLU(0.17))),
        "elu between": lambda: Net(last, two(nn.ELU(0.7))),
        "silu between": lambda: Net(last, two(nn.SiLU())),
        "selu between": lambda: Net(last, two(nn.SELU())),
        "functional leaky": lambda: Net(last, two(Functional(functional.leaky_relu))),
        "functional gelu": lambda: Net(last, two(Functional(functional.gelu))),
        "relu then softmax": lambda: Net(
            last, nn.Sequential(linear(classes=4), nn.ReLU(), nn.Softmax(dim=-1))
        ),
        "log softmax": lambda: Net(last, nn.Sequential(two(nn.ReLU()), nn.LogSoftmax(dim=-1))),
        "multi label": lambda: Net(last, nn.Sequential(linear(classes=4), nn.Sigmoid())),
        "batch norm": lambda: normed(nn.BatchNorm1d, nn.ReLU(), nn.Dropout()),
        "batch norm first": lambda: Net(mean, nn.Sequential(nn.BatchNorm1d(HIDDEN), linear())),
        "layer norm": lambda: normed(nn.LayerNorm, nn.GELU()),
        "layer norm before pooling": lambda: Net(
            lambda s, *_: s[:, -1], nn.Sequential(nn.LayerNorm(HIDDEN), linear())
        ),
        "weight norm": weight_norm,
        "pruned": pruned,
        "learned states": LearnedStates,
        "output first": OutputFirst,
        "scaled embedding": lambda: Net(last, linear(), embed=Scaled()),
        "linear behind embedding": lambda: Net(
            last, linear(), embed=nn.Sequential(nn.Linear(EMBEDDING, 48), nn.ReLU()), inputs=48
        ),
        "normed embedding": lambda: Net(last, linear(), embed=nn.LayerNorm(EMBEDDING)),
        "two embeddings": TwoEmbeddings,
        "masked": Masked,
        "stacked": Stacked,
        "every step": EveryStep,
        "multi task": MultiTask,
        "logits and probabilities": LogitsAndProbabilities,
        "one of two": OneOfTwo,
        "five dropouts": FiveDropouts,
        "no bias": lambda: Net(both, nn.Linear(128, 1, bias=False), bias=False, **BOTH),
    }
)


class Attention(nn.Module):
    """Weighs the steps by a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(WORDS, EMBEDDING)
        self.lstm = nn.LSTM(EMBEDDING, HIDDEN, batch_first=True, bidirectional=True)
        self.attention = nn.Linear(2 * HIDDEN, 1)
        self.fc = linear(2)

    def forward(self, ids: Tensor) -> Tensor:
        steps, _ = self.lstm(self.embedding(ids))
        weights = torch.softmax(self.attention(torch.tanh(steps)), dim=1)
        return self.fc((steps * weights).sum(dim=1))


class Convolution(nn.Module):
    """Reads words together with their neighbours."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(WORDS, EMBEDDING)
        self.conv = nn.Conv1d(EMBEDDING, EMBEDDING, 3, padding=1)
        self.lstm = nn.LSTM(EMBEDDING, HIDDEN, batch_first=True)
        self.fc = linear()

    def forward(self, ids: Tensor) -> Tensor:
        vectors = torch.relu(self.conv(self.embedding(ids).transpose(1, 2)))
        return self.fc(self.lstm(vectors.transpose(1, 2))[1][0][-1])


class Residual(nn.Module):
    """Two LSTMs and a sum around the second."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(WORDS, HIDDEN)
        self.one = nn.LSTM(HIDDEN, HIDDEN, batch_first=True)
        self.two = nn.LSTM(HIDDEN, HIDDEN, batch_first=True)
        self.fc = linear()

    def forward(self, ids: Tensor) -> Tensor:
        first, _ = self.one(self.embedding(ids))
        second, _ = self.two(first)
        return self.fc((first + second)[:, -1])


class Gru(nn.Module):
    """Another recurrent layer."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(WORDS, EMBEDDING)
        self.gru = nn.GRU(EMBEDDING, HIDDEN, batch_first=True)
        self.fc = linear()

    def forward(self, ids: Tensor) -> Tensor:
        return self.fc(self.gru(self.embedding(ids))[0][:, -1])


class BatchForgotten(Attention):
    """``batch_first`` was forgotten: the LSTM runs over the batch."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(EMBEDDING, HIDDEN)
        self.fc = linear()

    def forward(self, ids: Tensor) -> Tensor:
        return self.fc(self.lstm(self.embedding(ids))[0][:, -1, :])


class DropoutLeftOn(Gru):
    """The functional dropout, which knows nothing of the module's mode."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(EMBEDDING, HIDDEN, batch_first=True)

    def forward(self, ids: Tensor) -> Tensor:
        return self.fc(functional.dropout(self.lstm(self.embedding(ids))[0][:, -1], 0.5))


class RandomStates(DropoutLeftOn):
    """First states drawn anew in every call, as a tutorial has it."""

    def forward(self, ids: Tensor) -> Tensor:
        states = (torch.randn(1, len(ids), HIDDEN), torch.randn(1, len(ids), HIDDEN))
        return self.fc(self.lstm(self.embedding(ids), states)[0][:, -1])


class KeptStates(DropoutLeftOn):
    """States that stay from call to call."""

    state: tuple[Tensor, Tensor] | None = None

    def forward(self, ids: Tensor) -> Tensor:
        steps, self.state = self.lstm(self.embedding(ids), self.state)
        return self.fc(steps[:, -1])


class Positions(DropoutLeftOn):
    """A vector for each place is added."""

    def __init__(self) -> None:
        super().__init__()
        self.places = nn.Embedding(WORDS, EMBEDDING)

    def forward(self, ids: Tensor) -> Tensor:
        vectors = self.embedding(ids) + self.places(torch.arange(ids.shape[1]))
        return self.fc(self.lstm(vectors)[0][:, -1])


class EndsInTanh(DropoutLeftOn):
    """A number between -1 and 1, neither probability nor logit."""

    def forward(self, ids: Tensor) -> Tensor:
        return torch.tanh(self.fc(self.lstm(self.embedding(ids))[0][:, -1]))


class Tagger(DropoutLeftOn):
    """An answer for every word."""

    def forward(self, ids: Tensor) -> Tensor:
        return self.fc(self.lstm(self.embedding(ids))[0])


OTHERS: dict[str, tuple[Callable[[], nn.Module], str]] = {
    "attention": (Attention, r"attention.*differs by .*not placed: fc \(Linear\)"),
    "convolution": (Convolution, r"neighbours or its place; first runs conv \(Conv1d\)"),
    "residual": (Residual, r"differs by .*not placed: fc \(Linear\)"),
    "gru": (Gru, r"no LSTM, but gru \(GRU\)"),
    "batch forgotten": (BatchForgotten, "batch_first"),
    "dropout left on": (DropoutLeftOn, "a dropout left on"),
    "random states": (RandomStates, "random first states"),
    "kept states": (KeptStates, "keeps states from call to call"),
    "positions": (Positions, "its place"),
    "ends in tanh": (EndsInTanh, "--activation none"),
    "softmax over one": (
        lambda: Net(last, nn.Sequential(linear(), nn.Softmax(dim=-1))),
        "the same for every text",
    ),
    "tagger": (Tagger, "returned 40 values for 40 words"),
    "projections": (
        lambda: Net(lambda s, *_: s[:, -1], nn.Linear(16, 1), proj_size=16),
        "proj_size",
    ),
}
