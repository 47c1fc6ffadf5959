"""Files of other networks of the family: read both ways, or with unknown words dropped."""

from pathlib import Path

import pytest
import torch
from lstm_export import export
from lstm_runtime import InputError, SentimentModel
from lstm_runtime.text.vocabulary import Vocabulary
from torch import Tensor, nn


class Net(nn.Module):
    """Reads the last output of an LSTM with one direction, or the mean of one with two."""

    def __init__(self, *, bidirectional: bool) -> None:
        super().__init__()
        self.embedding = nn.Embedding(20, 16)
        self.lstm = nn.LSTM(16, 64, batch_first=True, bidirectional=bidirectional)
        self.fc = nn.Linear(128 if bidirectional else 64, 1)

    def forward(self, x: Tensor) -> Tensor:
        steps, _ = self.lstm(self.embedding(x))
        return torch.sigmoid(
            self.fc(steps.mean(dim=1)) if self.lstm.bidirectional else self.fc(steps[:, -1])
        )


def _model(folder: Path, vocabulary: Vocabulary, *, bidirectional: bool) -> SentimentModel:
    torch.manual_seed(0)
    outcomes = export(Net(bidirectional=bidirectional).eval(), folder, vocabulary=vocabulary)
    paths = {outcome.name: outcome.path for outcome in outcomes}
    return SentimentModel.load(paths["fp32"] or "")


def test_a_model_that_reads_both_ways_answers_but_cannot_be_continued(tmp_path: Path) -> None:
    words = Vocabulary(("<pad>", "<unk>", *(f"w{n}" for n in range(18))))
    model = _model(tmp_path, words, bidirectional=True)
    assert model(["w1 w2", ""]) == [model("w1 w2"), model("")]
    assert not model.info.has_state
    with pytest.raises(InputError, match="cannot be streamed"):
        model.stream()
    with pytest.raises(InputError, match="cannot be traced"):
        model.trace("w1")


def test_dropped_words_leave_streams_and_traces_alone(tmp_path: Path) -> None:
    words = Vocabulary(("<pad>", *(f"w{n}" for n in range(19))), unknown_word=None)
    model = _model(tmp_path, words, bidirectional=False)
    stream = model.stream()
    for chunk in ("zebra w1 ", "zebra ", "yak w", "2 gnu"):
        stream.push(chunk)
    wanted = model("w1 w2").scores["positive"]
    assert stream.finish().scores["positive"] == pytest.approx(wanted, abs=1e-6)
    assert model.trace("zebra w1 gnu w2").tokens == ("w1", "w2")
    assert model.trace("zebra").known == (False,)
