"""What an answer is: a probability, one for each label, or a plain number, and said so."""

import json
from pathlib import Path
from threading import Lock

import numpy as np
import pytest
import structures
import torch
from foreign_models import ThreeLinear, trained_like
from lstm_export import (
    ArchitectureHints,
    CheckpointError,
    ExportConfig,
    InputError,
    LstmEdgeError,
    OutputError,
    ParityError,
    UnsupportedModelError,
    VocabularyError,
    export,
)
from lstm_export.checkpoint.source import load_source, module_source
from lstm_export.layers import Elementwise
from lstm_runtime import SentimentModel
from lstm_runtime.text.vocabulary import Vocabulary
from torch import Tensor, nn

pytestmark = pytest.mark.slow  # many exports

WORDS = Vocabulary(("<pad>", "<unk>", *(f"w{n}" for n in range(2, structures.WORDS))))
TEXT, IDS = "w5 w77 w8 w30", [5, 77, 8, 30]


class Stars(structures.DropoutLeftOn):
    """A regression: a number of stars."""

    def __init__(self, stars: int = 1) -> None:
        super().__init__()
        self.fc = structures.linear(classes=stars)

    def forward(self, ids: Tensor) -> Tensor:
        return self.fc(self.lstm(self.embedding(ids))[0][:, -1]) * 1.0


def test_a_plain_number_is_a_value_and_no_score(run, tmp_path: Path) -> None:
    module = trained_like(Stars())
    hints = ArchitectureHints(activation="none")
    results = export(module, tmp_path, vocabulary=WORDS, hints=hints)
    assert [result.parity.plain for result in results] == [True] * 3
    wanted = module(torch.tensor([IDS])).item()
    found = SentimentModel.load(tmp_path / "model.onnx", "cpu")(TEXT)
    assert (found.label, found.score, found.scores) == ("value", None, {"value": found.value})
    assert found.value == pytest.approx(wanted, abs=1e-5) == found.number
    done = run("lstm-run", "--model", str(tmp_path / "model.int8.onnx"), "--json", TEXT)
    answer = json.loads(done.stdout)
    assert "score" not in answer and abs(answer["value"] - wanted) < 0.1
    assert run("lstm-run", "--model", str(tmp_path / "model.onnx"), "--verify").returncode == 0


def test_several_plain_numbers_keep_their_names(tmp_path: Path) -> None:
    module = trained_like(Stars(3))
    hints = ArchitectureHints(activation="none")
    labels = (" plot", "acting ", "music")
    export(module, tmp_path, vocabulary=WORDS, labels=labels, hints=hints)
    found = SentimentModel.load(tmp_path / "model.onnx", "cpu")(TEXT)
    wanted = module(torch.tensor([IDS]))[0].tolist()
    assert list(found.scores) == ["plot", "acting", "music"]
    assert list(found.scores.values()) == pytest.approx(wanted, abs=1e-5)


def test_each_label_of_a_multi_label_model_has_its_own_probability(tmp_path: Path) -> None:
    module = trained_like(structures.FAMILY["multi label"]())
    export(module, tmp_path, vocabulary=WORDS)
    found = SentimentModel.load(tmp_path / "model.onnx", "cpu")(TEXT)
    wanted = module(torch.tensor([IDS]))[0].tolist()
    assert list(found.scores.values()) == pytest.approx(wanted, abs=1e-5)
    assert abs(sum(wanted) - 1) > 0.01


def test_logits_are_said_to_be_taken_for_probabilities() -> None:
    source = module_source(trained_like(structures.FAMILY["mean"]()))
    assert "returns logits, taken as softmax over 3 labels" in " ".join(source.notes)
    sigmoid = module_source(source.original.module, ArchitectureHints(activation="sigmoid"))
    assert sigmoid.network.activation == "sigmoid"
    assert "taken as sigmoid over 3 labels" in " ".join(sigmoid.notes)


def test_logits_mean_what_forward_makes_of_them_elsewhere() -> None:
    source = module_source(trained_like(structures.FAMILY["logits and probabilities"]()))
    assert source.network.activation == "sigmoid" and source.original.returned == "probabilities"


def test_a_function_that_texts_never_show_is_seen() -> None:
    """Its numbers are positive for every text, so that no answer tells of the ReLU."""

    class Positive(structures.DropoutLeftOn):
        def forward(self, ids: Tensor) -> Tensor:
            return torch.relu(self.fc(self.lstm(self.embedding(ids))[0][:, -1]))

    module = trained_like(Positive())
    with torch.no_grad():
        module.fc.bias.fill_(50.0)
    source = module_source(module, ArchitectureHints(activation="none"))
    assert source.network.head[-1] == Elementwise("relu")


def test_half_precision_is_run_in_full(tmp_path: Path) -> None:
    module = trained_like(structures.FAMILY["last"]()).bfloat16()
    export(module, tmp_path, vocabulary=WORDS)
    found = SentimentModel.load(tmp_path / "model.onnx", "cpu")(TEXT).scores["positive"]
    wanted = torch.sigmoid(module.float()(torch.tensor([IDS]))).item()
    assert found == pytest.approx(wanted, abs=1e-5)


def test_a_word_against_what_forward_does_is_refused() -> None:
    module = trained_like(structures.FAMILY["multi label"]())
    with pytest.raises(UnsupportedModelError, match="itself applies sigmoid"):
        module_source(module, ArchitectureHints(activation="softmax"))
    with pytest.raises(UnsupportedModelError, match="reads last of the LSTM, not mean"):
        module_source(module, ArchitectureHints("mean"))


def test_a_bounded_number_needs_a_word(tmp_path: Path) -> None:
    module = trained_like(structures.EndsInTanh())
    hints = ArchitectureHints(activation="none")
    export(module, tmp_path, vocabulary=WORDS, hints=hints)
    found = SentimentModel.load(tmp_path / "model.onnx", "cpu")(TEXT)
    assert found.value == pytest.approx(module(torch.tensor([IDS])).item(), abs=1e-5)


def test_padding_stays_out_of_the_proof(tmp_path: Path) -> None:
    module = trained_like(structures.Masked())
    source = module_source(module)
    assert source.padding == {0} and "leaves out the padding (id 0)" in " ".join(source.notes)
    results = export(module, tmp_path)
    assert not any(result.failures for result in results)


def test_characters_are_tokens_too(tmp_path: Path) -> None:
    letters = "abcdefghijklmnopqrstuvwxyz .!"
    words = Vocabulary(("<pad>", "<unk>", *letters))
    module = trained_like(structures.FAMILY["last"]())
    results = export(module, tmp_path, vocabulary=words, pattern="[a-z .!]")
    assert not any(result.failures for result in results)
    found = SentimentModel.load(tmp_path / "model.onnx", "cpu")("no way.")
    ids = [2 + letters.index(letter) for letter in "no way."]
    assert found.scores["positive"] == pytest.approx(
        torch.sigmoid(module(torch.tensor([ids]))).item(), abs=1e-5
    )


@pytest.mark.filterwarnings("ignore:.*is deprecated")
def test_a_torchscript_archive_is_its_own_original(tmp_path: Path) -> None:
    module = trained_like(ThreeLinear())
    torch.jit.save(torch.jit.script(module), str(tmp_path / "scripted.pt"))
    source = load_source(tmp_path / "scripted.pt")
    assert source.original_name == "ThreeLinear.forward in PyTorch" and source.verdict == "equal"
    wanted = torch.sigmoid(module(torch.tensor([[5, 9]])))[0].detach()
    assert np.allclose(source.original.probability([5, 9]), wanted)


def test_weights_that_the_answer_needs_have_to_be_there(tmp_path: Path) -> None:
    state = trained_like(ThreeLinear()).state_dict()
    del state["mlp.0.bias"]
    torch.save(state, tmp_path / "weights.pt")
    with pytest.raises(UnsupportedModelError, match=r"mlp\.0\.bias is not in the checkpoint"):
        load_source(tmp_path / "weights.pt", module=ThreeLinear())


def test_tensors_that_the_class_lacks_are_left_out_and_named(tmp_path: Path) -> None:
    state = {**trained_like(ThreeLinear()).state_dict(), "loss.weight": torch.ones(3)}
    torch.save(state, tmp_path / "weights.pt")
    source = load_source(tmp_path / "weights.pt", module=ThreeLinear())
    assert "no place for loss.weight" in " ".join(source.notes)
    with pytest.raises(UnsupportedModelError, match=r"loss\.weight"):
        load_source(tmp_path / "weights.pt", ArchitectureHints("last", between="tanh"))


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ({"norm": nn.BatchNorm1d(64)}, r"batch normalisation \(norm\)"),
        ({"norm": nn.LayerNorm(64)}, r"layer normalisation \(norm; "),
        ({"conv": nn.Conv1d(64, 64, 3)}, r"conv\.weight, conv\.bias \(attention, a convolution"),
    ],
)
def test_what_weights_alone_cannot_place_is_named(layers, message: str, tmp_path: Path) -> None:
    module = nn.ModuleDict(
        {"emb": nn.Embedding(20, 8), "rnn": nn.LSTM(8, 64), **layers, "out": nn.Linear(64, 1)}
    )
    torch.save(module.state_dict(), tmp_path / "weights.pt")
    with pytest.raises(UnsupportedModelError, match=message):
        load_source(tmp_path / "weights.pt", ArchitectureHints("last"))


@pytest.mark.parametrize("readout", ["middle", "", "last:reversed", "last:up", "last,,mean"])
def test_a_readout_that_makes_no_sense_is_refused(readout: str, tmp_path: Path) -> None:
    torch.save(structures.FAMILY["last"]().state_dict(), tmp_path / "weights.pt")
    with pytest.raises(UnsupportedModelError):
        load_source(tmp_path / "weights.pt", ArchitectureHints(readout))


class Uncopied(nn.Module):
    """Holds something that cannot be copied."""

    def __init__(self) -> None:
        super().__init__()
        self.net = structures.FAMILY["last"]()
        self.lock = Lock()


def test_every_failure_of_the_call_is_of_the_family(tmp_path: Path) -> None:
    module = trained_like(structures.FAMILY["last"]())
    (tmp_path / "file").write_text("")
    calls = [
        (InputError, lambda: export(5, tmp_path)),
        (InputError, lambda: ExportConfig(precisions=("int4",))),
        (InputError, lambda: ExportConfig(precisions=())),
        (InputError, lambda: ExportConfig(atol={"fp32": -1})),
        (InputError, lambda: ExportConfig(atol={"fp32": float("nan")})),
        (InputError, lambda: ExportConfig(name="../model")),
        (InputError, lambda: ExportConfig(state="sometimes")),
        (InputError, lambda: export(module, tmp_path, pattern="a")),
        (InputError, lambda: export(module, tmp_path, vocabulary=["<pad>", "<unk>", "good"])),
        (OutputError, lambda: export(module, tmp_path / "file")),
        (CheckpointError, lambda: export(tmp_path / "none.pt", tmp_path)),
        (VocabularyError, lambda: export(module, tmp_path, vocabulary=tmp_path / "none.txt")),
        (UnsupportedModelError, lambda: export(nn.Linear(2, 2), tmp_path)),
        (UnsupportedModelError, lambda: export(nn.LazyLinear(2), tmp_path)),
        (UnsupportedModelError, lambda: export(Uncopied(), tmp_path)),
        (LstmEdgeError, lambda: export(module, tmp_path, data=tmp_path / "none.csv")),
        (ParityError, lambda: export(module, tmp_path, config=ExportConfig(atol={"int8": 1e-12}))),
    ]
    for error, call in calls:
        with pytest.raises(error) as caught:
            call()
        assert isinstance(caught.value, LstmEdgeError)
