"""A model trained as in Udacity's course gives its owner's own labels, from text, as one file."""

from pathlib import Path

import pytest
import torch
from lstm_edge import SentimentModel, Vocabulary, export
from pipelines import (
    PIPELINES,
    UDACITY_WINDOW,
    first_200_padded_left,
    reviews,
    udacity,
    vocabulary_of,
)
from torch import Tensor, nn

pytestmark = pytest.mark.slow  # trains a network

WORDS, TRAINED_ON, ASKED = 5000, 1600, 800


class SentimentLSTM(nn.Module):
    """The course's network: the sigmoid at the last of 200 places."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(WORDS + 1, 32)
        self.lstm = nn.LSTM(32, 64, 2, dropout=0.3, batch_first=True)
        self.dropout = nn.Dropout(0.3)
        self.fc = nn.Linear(64, 1)

    def forward(self, x: Tensor) -> Tensor:
        steps, _ = self.lstm(self.embedding(x.long()))
        last = self.dropout(steps.contiguous()[:, -1])
        return torch.sigmoid(self.fc(last)).squeeze(1)


def trained(features: Tensor, labels: Tensor) -> nn.Module:
    torch.manual_seed(0)
    net = SentimentLSTM()
    optimizer = torch.optim.Adam(net.parameters(), lr=4e-3)
    for _ in range(4):
        for batch in torch.randperm(len(features)).split(50):
            loss = nn.functional.binary_cross_entropy(net(features[batch]), labels[batch])
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 5)
            optimizer.step()
    return net.eval()


def test_the_file_gives_the_owners_labels(tmp_path: Path) -> None:
    texts, labels = reviews(TRAINED_ON + ASKED)
    asked = range(0, len(texts), 3)
    trained_on = [n for n in range(len(texts)) if n % 3]
    ids = vocabulary_of(udacity, (texts[n] for n in trained_on), WORDS, first_id=1)

    def encode(text: str) -> list[int]:
        return first_200_padded_left([ids[word] for word in udacity(text) if word in ids])

    features = torch.tensor([encode(text) for text in texts])
    net = trained(features[trained_on], torch.tensor([float(labels[n]) for n in trained_on]))
    with torch.inference_mode():
        wanted = net(features[asked]) >= 0.5
    right = wanted == torch.tensor([bool(labels[n]) for n in asked])
    assert right.float().mean() > 0.6, "a network that has learned nothing proves nothing"

    export(
        net,
        tmp_path,
        vocabulary=Vocabulary(("", *ids), None),
        tokenizer=PIPELINES["udacity"][1],
        window=UDACITY_WINDOW,
        encode=encode,
    )
    for name in ("model.onnx", "model.int8.onnx"):
        model = SentimentModel.load(tmp_path / name, "cpu")
        found = [one.label == "positive" for one in model.score_many(texts[n] for n in asked)]
        same = torch.tensor(found) == wanted
        assert same.float().mean() >= 0.995, name
