"""``lstm_export.export`` on live modules and checkpoints."""

from pathlib import Path

import pytest
import torch
from foreign_models import MeanPooled, TutorialBidirectional, UdacitySentiment, trained_like
from lstm_export import ArchitectureHints, export
from lstm_export.config import ExportConfig
from lstm_export.errors import ParityError
from lstm_runtime import SentimentModel
from lstm_runtime.text.vocabulary import PAD_WORD, UNKNOWN_WORD, Vocabulary
from lstm_training.model import SentimentRNN

WORDS = Vocabulary((PAD_WORD, UNKNOWN_WORD, *(f"w{n}" for n in range(2, 300))))


def test_live_modules_answer_alike(tmp_path: Path) -> None:
    ids, text = [5, 1, 77, 299], "W5 neverseen w77 w299"
    modules = (UdacitySentiment(), TutorialBidirectional(), SentimentRNN(300, 1, 64, 64, 2))
    for module in map(trained_like, modules):
        folder = tmp_path / type(module).__name__
        export(module, folder, vocabulary=WORDS, labels=("bad", "good"))
        with torch.inference_mode():
            if isinstance(module, TutorialBidirectional):
                wanted = torch.sigmoid(module(torch.tensor([ids]).T, torch.tensor([4])))
            else:
                zeros = torch.zeros(2, 1, module.lstm.hidden_size)
                wanted, _ = module(torch.tensor([ids]), (zeros, zeros))
        found = SentimentModel.load(folder / "model.onnx", "cpu")(text).scores["good"]
        assert abs(found - wanted.item()) < 1e-5


def test_live_module_stays_in_training(tmp_path: Path) -> None:
    module = trained_like(UdacitySentiment()).train()
    export(module, tmp_path)
    assert module.training and module.lstm.training


def test_checkpoint_and_vocabulary_file(tmp_path: Path) -> None:
    torch.save(trained_like(UdacitySentiment()).state_dict(), tmp_path / "w.pt")
    (tmp_path / "words.txt").write_text("\n".join(WORDS.words))
    config = ExportConfig(precisions=("int8",), name="tiny")
    given = {"vocabulary": tmp_path / "words.txt", "hints": ArchitectureHints("last")}
    outcomes = export(tmp_path / "w.pt", tmp_path, config=config, **given)
    assert [outcome.name for outcome in outcomes] == ["numpy", "int8"]
    assert outcomes[1].path == tmp_path / "tiny.int8.onnx"


def test_the_call_takes_what_the_command_takes(tmp_path: Path) -> None:
    module = trained_like(MeanPooled())
    torch.save({"state_dict": module.state_dict(), "epoch": 3}, tmp_path / "w.pt")
    (tmp_path / "words.txt").write_text("\n".join(["pad", "OOV", *WORDS.words[2:]]))
    (tmp_path / "data.csv").write_text("text,label\nw5 neverseen w77,1\nw8,0\n")
    results = export(
        str(tmp_path / "w.pt"),
        str(tmp_path / "out"),
        module=MeanPooled(),
        vocabulary=str(tmp_path / "words.txt"),
        unknown="OOV",
        pattern="[a-z0-9]+",
        labels=["0", "1", "2", "3", "4"],
        data=tmp_path / "data.csv",
    )
    assert all(result.accuracy for result in results[1:])
    found = SentimentModel.load(tmp_path / "out" / "model.onnx", "cpu")("w5 neverseen w77")
    with torch.inference_mode():
        wanted = module(torch.tensor([[5, 1, 77]])).exp()[0].tolist()
    assert list(found.scores.values()) == pytest.approx(wanted, abs=1e-5)


def test_failure_is_raised(checkpoint_file: Path, tmp_path: Path) -> None:
    config = ExportConfig(atol={"int8": 1e-9})
    with pytest.raises(ParityError, match=r"int8: probability \(case .*\) differs by"):
        export(checkpoint_file, tmp_path, config=config)
    assert [path.name for path in tmp_path.iterdir()] == ["model.onnx"]
