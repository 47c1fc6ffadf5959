"""More structures after public code: right in every precision, or refused for a named reason."""

from itertools import pairwise
from pathlib import Path

import further_models as zoo
import numpy as np
import pytest
import torch
from lstm_edge import ArchitectureHints, SentimentModel, Vocabulary, export
from lstm_export.checkpoint.source import module_source
from lstm_export.config import ExportConfig
from lstm_export.errors import UnsupportedModelError
from lstm_export.pipeline import export_source
from structure_page import StructurePage
from torch import Tensor, nn
from weights_alone import weights_alone

pytestmark = pytest.mark.slow  # many exports


def as_it_is(output: Tensor) -> Tensor:
    return output


def softmax(output: Tensor) -> Tensor:
    return torch.softmax(output, -1)


EXPORTED = {
    zoo.ToxicKernel: softmax,
    zoo.TwoTasks: lambda output: softmax(output[0]),
    zoo.TwoNamedTasks: lambda output: softmax(output["topic"]),
    zoo.TimeDistributed: as_it_is,
    zoo.GatedHeads: torch.sigmoid,
    zoo.MaskedHeads: as_it_is,
    zoo.ThreeVoices: as_it_is,
    zoo.WithLabels: lambda output: softmax(output["logits"]),
    zoo.LastOfPadded: torch.exp,
    zoo.SortedPack: torch.sigmoid,
    zoo.OneHot: as_it_is,
    zoo.ScalarMix: softmax,
    zoo.TwoEmbeddings: torch.sigmoid,
    zoo.ParallelConvolutions: softmax,
    zoo.Sentences: as_it_is,
    zoo.Normed: softmax,
    zoo.RawWeights: softmax,
}

REFUSED = {
    zoo.Tagger: "returned .* values for 40 words, where an answer has one size",
    zoo.LabelIndex: "returns whole numbers",
    zoo.GatesByHand: "PyTorch cannot export",
    zoo.TextAndNumbers: "cannot be called on one text",
    zoo.Pair: "takes a second argument that could be .*mask",
    zoo.StarsOrdinal: "results of Sigmoid, by arithmetic: give --activation none",
}


def made(cls: type[nn.Module]) -> nn.Module:
    torch.manual_seed(1)
    module = cls().eval()
    with torch.no_grad():
        for weight in module.parameters():
            weight.mul_(1.4)
    return module


def answers(path: Path, texts: list[list[int]]) -> np.ndarray:
    engine = SentimentModel.load(path, "cpu")._engine
    return engine.probabilities(engine.ids_feed(texts))


@pytest.mark.parametrize("cls", EXPORTED, ids=lambda cls: cls.__name__)
def test_a_further_structure_is_exported_and_right(
    cls: type[nn.Module], tmp_path: Path, page: StructurePage
) -> None:
    module = made(cls)
    source = module_source(module)
    config = ExportConfig(("fp32", "int8", "fp16"))
    results = list(export_source(source, tmp_path, config))
    assert not [result.failures for result in results if result.failures]
    random = np.random.default_rng(3)
    texts = [random.integers(1, zoo.WORDS, n).tolist() for n in (1, 2, 4, 13, 77, 260)]
    with torch.inference_mode():
        outputs = [
            module(torch.tensor([ids]), *([torch.tensor([len(ids)])] * (cls is zoo.SortedPack)))
            for ids in texts
        ]
    wanted = [EXPORTED[cls](output).reshape(-1).numpy() for output in outputs]
    assert max(abs(a - b).max() for a, b in pairwise(wanted)) > 1e-3
    worst = []
    for name, limit in (("model.onnx", 2e-6), ("model.int8.onnx", 0.02), ("model.fp16.onnx", 2e-3)):
        worst.append(np.abs(answers(tmp_path / name, texts) - np.array(wanted)).max())
        assert worst[-1] < limit, name
    alone = weights_alone(module, source.network, tmp_path / "weights.pt")
    page.exported("Tried later", cls.__name__, source.network.exporter, worst, alone)


@pytest.mark.parametrize("cls", REFUSED, ids=lambda cls: cls.__name__)
def test_a_further_structure_is_refused_by_name(
    cls: type[nn.Module], tmp_path: Path, page: StructurePage
) -> None:
    module = made(cls)
    with pytest.raises(UnsupportedModelError, match=REFUSED[cls]) as refused:
        module_source(module)
    alone = weights_alone(module, None, tmp_path / "weights.pt")
    page.refused("Tried later", cls.__name__, str(refused.value), alone)


def test_a_network_that_multiplies_rounding_errors_is_named_as_that() -> None:
    """Its own answers to long texts differ in single and double precision, here by hundredths."""
    module = made(zoo.ThreeVoices)
    with torch.no_grad():
        for weight in module.parameters():
            weight.normal_()
    with pytest.raises(UnsupportedModelError, match=r"moves by .* in double precision"):
        module_source(module)


@pytest.mark.parametrize("cls", [zoo.TwoTasks, zoo.TwoNamedTasks], ids=lambda cls: cls.__name__)
def test_a_second_answer_is_named(cls: type[nn.Module]) -> None:
    assert any("left out: output[" in note for note in module_source(made(cls)).notes)


def test_stars_are_numbers_where_that_is_said(tmp_path: Path) -> None:
    module = made(zoo.StarsOrdinal)
    export(module, tmp_path, hints=ArchitectureHints(activation="none"))
    found = answers(tmp_path / "model.onnx", [[5, 6, 7]])
    assert found[0, 0] == pytest.approx(module(torch.tensor([[5, 6, 7]])).item(), abs=1e-5)


class MaskedMean(zoo.Base):
    """Has NaN for padding alone."""

    def __init__(self) -> None:
        super().__init__()
        self.out = nn.Linear(2 * zoo.H, 1)

    def forward(self, ids: Tensor) -> Tensor:
        mask = (ids != 0).float().unsqueeze(2)
        return torch.sigmoid(self.out((self.steps(ids) * mask).sum(1) / mask.sum(1)))


class Packed(zoo.Base):
    """Raises an error for padding alone."""

    def __init__(self) -> None:
        super().__init__()
        self.attention, self.out = nn.Linear(2 * zoo.H, 1), nn.Linear(2 * zoo.H, 1)

    def forward(self, ids: Tensor) -> Tensor:
        lengths = (ids != 0).sum(1)
        packed = nn.utils.rnn.pack_padded_sequence(self.embedding(ids), lengths, batch_first=True)
        steps, _ = nn.utils.rnn.pad_packed_sequence(self.lstm(packed)[0], batch_first=True)
        return self.out((torch.softmax(self.attention(steps), 1) * steps).sum(1))


class PackedStates(Packed):
    """The same of the family."""

    def forward(self, ids: Tensor) -> Tensor:
        lengths = (ids != 0).sum(1)
        packed = nn.utils.rnn.pack_padded_sequence(self.embedding(ids), lengths, batch_first=True)
        _, (h, _) = self.lstm(packed)
        return self.out(torch.cat([h[-2], h[-1]], 1))


@pytest.mark.parametrize("cls", [MaskedMean, Packed, PackedStates], ids=lambda cls: cls.__name__)
def test_a_forward_without_an_answer_for_padding_alone(
    cls: type[nn.Module], tmp_path: Path
) -> None:
    """Texts of which no word has an id read as padding alone where unknown words are left out."""
    words = ("<pad>", "the", "film", "is", "not", "of", "waste", "great", "awful", "book", "story")
    words += tuple(f"word{n}" for n in range(zoo.WORDS - len(words)))
    module, vocabulary = made(cls), Vocabulary(words, None)
    labelled = tmp_path / "data.csv"
    labelled.write_text("text,label\nthe film,1\nzebra,0\nnot great,0\n", encoding="utf-8")
    export(module, tmp_path, vocabulary=vocabulary, data=labelled)
    assert any("no answer (NaN, or an error)" in n for n in module_source(module).notes)
    model = SentimentModel.load(tmp_path / "model.onnx", "cpu")
    wanted = module_source(module).original.probability([1, 2])[0]
    assert model("The film").scores["positive"] == pytest.approx(wanted, abs=1e-5)
    assert "zebra" not in [one.text for one in model.metadata.reference]
    assert "" not in [one.text for one in model.metadata.reference]
