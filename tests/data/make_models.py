"""Make the tiny model files of tests/data/models, with which tests/runtime run without PyTorch.

    python tests/data/make_models.py

needs the extras ``export`` and ``cpu``. The files are committed: make them again when the contract
of the model file changes, and only then.
"""

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import torch
from lstm_export import ExportConfig, export
from lstm_runtime.text.vocabulary import PAD_WORD, UNKNOWN_WORD, Vocabulary
from torch import Tensor, nn

FOLDER = Path(__file__).parent / "models"

WORDS = (
    "the a and of to is it in this that was film movie i not but with one good bad great awful "
    "fun dull best worst plot acting boring love hate don't it's wonderful terrible never ever "
    "br ! ?".split(" ")
)
FILL = tuple(f"word{n}" for n in range(58))


class Tiny(nn.Module):
    """Reads the last output of an LSTM with one direction, or the mean of one with two."""

    def __init__(self, vocab_size: int, *, layers: int = 2, bidirectional: bool = False) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.embedding = nn.Embedding(vocab_size, 12)
        self.lstm = nn.LSTM(12, 16, layers, batch_first=True, bidirectional=bidirectional)
        self.fc = nn.Linear(32 if bidirectional else 16, 1)
        # PyTorch's initial weights give 0.5 for everything; trained ones are larger.
        with torch.no_grad():
            for weight in self.lstm.parameters():
                weight.mul_(1.5)
            self.fc.weight.mul_(12)
        self.eval()

    def forward(self, x: Tensor) -> Tensor:
        """Return the probability, ``[batch]``."""
        steps, _ = self.lstm(self.embedding(x))
        read = steps.mean(dim=1) if self.lstm.bidirectional else steps[:, -1]
        return torch.sigmoid(self.fc(read)).squeeze(-1)


class Looped(nn.Module):
    """An LSTM cell in a loop over time, and attention: a graph with graphs inside."""

    def __init__(self, vocab_size: int) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.embedding = nn.Embedding(vocab_size, 6)
        self.cell = nn.LSTMCell(6, 8)
        self.score = nn.Linear(8, 1)
        self.fc = nn.Linear(8, 1)
        with torch.no_grad():
            for weight in self.parameters():
                weight.mul_(2.5)
        self.eval()

    def forward(self, ids: Tensor) -> Tensor:
        """Return the probability, ``[batch]``."""
        x = self.embedding(ids)
        h = torch.zeros(len(ids), self.cell.hidden_size)
        c = torch.zeros(len(ids), self.cell.hidden_size)
        steps = []
        for t in range(x.shape[1]):
            h, c = self.cell(x[:, t], (h, c))
            steps.append(h)
        read = torch.stack(steps, 1)
        weights = torch.softmax(self.score(read), dim=1)
        return torch.sigmoid(self.fc((weights * read).sum(dim=1))).squeeze(-1)


def main() -> None:
    """Write every file that the tests of the runtime ask for."""
    words = Vocabulary((PAD_WORD, UNKNOWN_WORD, *WORDS, *FILL))
    dropping = Vocabulary((PAD_WORD, *WORDS, *FILL), unknown_word=None)
    one_way = Tiny(len(words))
    fp32 = ExportConfig(precisions=("fp32",))
    write("tiny", one_way, words, ExportConfig(precisions=("fp32", "int8", "fp16")))
    write("ids", one_way, words, replace(fp32, interface="ids"))
    write("required", one_way, words, replace(fp32, state="required"))
    write("both_ways", Tiny(len(words), layers=1, bidirectional=True), words, fp32)
    write("looped", Looped(len(words)), words, fp32)
    write("dropping", Tiny(len(dropping), layers=1), dropping, fp32)


def write(name: str, network: nn.Module, vocabulary: Vocabulary, config: ExportConfig) -> None:
    """Export ``network`` and keep the model files alone."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        config = replace(config, name=name)
        for result in export(network, folder, vocabulary=vocabulary, config=config):
            if result.path is not None:  # None for the comparison with the NumPy cell
                shutil.copy(result.path, FOLDER)


main()
