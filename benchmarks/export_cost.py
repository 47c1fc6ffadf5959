"""What an export costs: python benchmarks/export_cost.py [ROUNDS].

Each network has 20,000 words, vectors of 128 and an LSTM of 128 units, and is exported in fp32 and
int8 with a vocabulary, in a process of its own.
"""

import statistics
import sys
from tempfile import TemporaryDirectory
from typing import Any

import torch
from processes import Cost, run_process
from torch import Tensor, nn

WORDS, SIZE = 20_000, 128


class Seed(nn.Module):
    """The family: written from the weights."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(WORDS, SIZE)
        self.lstm = nn.LSTM(SIZE, SIZE, 2, batch_first=True)
        self.fc = nn.Linear(SIZE, 1)

    def forward(self, ids: Tensor) -> Tensor:
        """Return the answer to texts, ``[batch, 1]``."""
        return torch.sigmoid(self.fc(self.lstm(self.embedding(ids))[0][:, -1]))


class Attention(nn.Module):
    """Another: written by PyTorch's older exporter."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(WORDS, SIZE)
        self.lstm = nn.LSTM(SIZE, SIZE, batch_first=True, bidirectional=True)
        self.score, self.fc = nn.Linear(2 * SIZE, 1), nn.Linear(2 * SIZE, 1)

    def forward(self, ids: Tensor) -> Tensor:
        """Return the answer to texts, ``[batch, 1]``."""
        steps, _ = self.lstm(self.embedding(ids))
        answer: Tensor = self.fc((torch.softmax(self.score(steps), 1) * steps).sum(1))
        return answer


class Heads(nn.Module):
    """Another: written by PyTorch's newer exporter."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(WORDS, SIZE)
        self.lstm = nn.LSTM(SIZE, SIZE, batch_first=True)
        self.attention = nn.MultiheadAttention(SIZE, 4, batch_first=True)
        self.fc = nn.Linear(SIZE, 1)

    def forward(self, ids: Tensor) -> Tensor:
        """Return the answer to texts, ``[batch, 1]``."""
        steps, _ = self.lstm(self.embedding(ids))
        answer: Tensor = self.fc(self.attention(steps, steps, steps)[0].mean(1))
        return answer


NETWORKS = {"family": Seed, "attention": Attention, "nn.MultiheadAttention": Heads}


def export_once(name: str) -> None:
    """Export one network: what is measured."""
    from lstm_export import Tokenizer, Vocabulary, Window, export

    torch.manual_seed(0)
    words = Vocabulary(("<pad>", "<unk>", *(f"word{n}" for n in range(WORDS - 2))))
    module = NETWORKS[name.removesuffix(", as in the course")]()
    options: dict[str, Any] = {}
    if name.endswith("course"):
        options = {"tokenizer": Tokenizer(r"\S+", delete="'.,"), "window": Window(200, pad_to=200)}
    with TemporaryDirectory() as folder:
        export(module, folder, vocabulary=words, **options)


def main(rounds: int) -> None:
    """Print a table of medians."""
    print("| network | processor, s | most memory, MB |\n| --- | ---: | ---: |")
    for name in (*NETWORKS, "family, as in the course"):
        costs = [run_process([sys.executable, __file__, "--once", name]) for _ in range(rounds)]
        found = Cost(*map(statistics.median, zip(*costs, strict=True)))
        print(f"| {name} | {found.processor:.1f} | {found.megabytes:.0f} |")


if __name__ == "__main__":
    if "--once" in sys.argv:
        export_once(sys.argv[-1])
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
