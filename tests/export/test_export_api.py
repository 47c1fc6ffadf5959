"""``lstm_export.export`` on live modules and checkpoints."""

from pathlib import Path

import pytest
import torch
from foreign_models import TutorialBidirectional, UdacitySentiment, trained_like
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


def test_failure_is_raised(checkpoint_file: Path, tmp_path: Path) -> None:
    config = ExportConfig(atol={"int8": 1e-9})
    with pytest.raises(ParityError, match=r"int8: probability \(case .*\) differs by"):
        export(checkpoint_file, tmp_path, config=config)
    assert [path.name for path in tmp_path.iterdir()] == ["model.onnx"]
