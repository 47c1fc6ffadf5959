"""Structures outside of the family: exported and right in any precision, or refused by name."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import general_models as zoo
import numpy as np
import pytest
import torch
from lstm_export import Vocabulary, Window
from lstm_export.checkpoint.source import module_source
from lstm_export.config import ExportConfig
from lstm_export.errors import UnsupportedModelError
from lstm_export.pipeline import export_source
from lstm_runtime import SentimentModel
from structure_page import StructurePage
from torch import Tensor, nn
from weights_alone import weights_alone

pytestmark = pytest.mark.slow  # many exports

Answer = Callable[[nn.Module, Tensor], Tensor]


def sigmoid(module: nn.Module, ids: Tensor) -> Tensor:
    return torch.sigmoid(module(ids))


def softmax(module: nn.Module, ids: Tensor) -> Tensor:
    return torch.softmax(module(ids), -1)


def itself(module: nn.Module, ids: Tensor) -> Tensor:
    return module(ids)


def exp(module: nn.Module, ids: Tensor) -> Tensor:
    return torch.exp(module(ids))


def first(module: nn.Module, ids: Tensor) -> Tensor:
    return torch.softmax(module(ids)[0], -1)


def with_lengths(module: nn.Module, ids: Tensor) -> Tensor:
    return torch.sigmoid(module(ids, torch.tensor([ids.shape[1]])))


def gathered(module: nn.Module, ids: Tensor) -> Tensor:
    return torch.softmax(module(ids, torch.tensor([ids.shape[1]])), -1)


def masked(module: nn.Module, ids: Tensor) -> Tensor:
    return torch.softmax(module(ids, torch.ones_like(ids))["logits"], -1)


def with_states(module: nn.Module, ids: Tensor) -> Tensor:
    zeros = torch.zeros(2, 1, zoo.H)
    return module(ids, (zeros, zeros))[0]


def by_time(module: nn.Module, ids: Tensor) -> Tensor:
    return torch.sigmoid(module(ids.T))


def logits(module: nn.Module, ids: Tensor) -> Tensor:
    return torch.softmax(module(ids).logits, -1)


def padded_to(length: int, answer: Answer) -> Answer:
    def padded(module: nn.Module, ids: Tensor) -> Tensor:
        return answer(module, nn.functional.pad(ids, (0, max(0, length - ids.shape[1]))))

    return padded


TRACED, SCRIPTED, DYNAMO = (f"torch.onnx, {way}" for way in ("traced", "scripted", "dynamo"))
OURS = "lstm-edge"
"""Written from the weights: the network does what one of the family does, in other words."""

EXPORTED: list[tuple[type[nn.Module], Answer, str]] = [
    (zoo.BahdanauAttention, sigmoid, TRACED),
    (zoo.DotAttention, first, TRACED),
    (zoo.VectorAttention, itself, TRACED),
    (zoo.SelfAttention, itself, DYNAMO),
    (zoo.StructuredSelfAttention, softmax, TRACED),
    (zoo.TransformerThenLstm, softmax, DYNAMO),
    (zoo.ConvPoolLstm, itself, TRACED),
    (zoo.NarrowConvLstm, padded_to(8, itself), TRACED),
    (zoo.LstmThreePools, exp, TRACED),
    (zoo.LstmTextCnn, softmax, TRACED),
    (zoo.RecurrentCnn, softmax, TRACED),
    (zoo.Gru, sigmoid, TRACED),
    (zoo.LstmGru, itself, TRACED),
    (zoo.StackedLstms, itself, TRACED),
    (zoo.ResidualLstms, softmax, TRACED),
    (zoo.MaskedMean, softmax, TRACED),
    (zoo.MaskGiven, masked, OURS),
    (zoo.PackedAttention, with_lengths, TRACED),
    (zoo.PackedByMask, softmax, TRACED),
    (zoo.DataclassOutput, logits, TRACED),
    (zoo.MultiLabel, itself, TRACED),
    (zoo.BagAndLstm, softmax, TRACED),
    (zoo.HierarchicalPooling, softmax, TRACED),
    (zoo.CharCnnLstm, softmax, TRACED),
    (zoo.Highway, sigmoid, OURS),
    (zoo.CellLoop, itself, SCRIPTED),
    (zoo.HierarchicalAttention, first, TRACED),
    (zoo.PlainRnnLstm, softmax, TRACED),
    (zoo.AdditiveStates, with_states, TRACED),
    (zoo.TimeMajor, by_time, TRACED),
    (zoo.LastByLength, gathered, OURS),
    (zoo.KMax, padded_to(3, softmax), TRACED),
    (zoo.AdaptivePool, sigmoid, OURS),
    (zoo.TwoWays, sigmoid, SCRIPTED),
]

PRECISIONS = ExportConfig(("fp32", "int8", "fp16"))

REFUSED: list[tuple[type[nn.Module], str]] = [
    (zoo.DropoutLeftOn, "answers differently .* dropout left on"),
    (zoo.ProjectedLstm, "proj_size"),
]


def made(cls: type[nn.Module]) -> nn.Module:
    """Return a module whose answers differ from text to text."""
    torch.manual_seed(1)
    module = cls().eval()
    with torch.no_grad():
        for weight in module.parameters():
            weight.mul_(1.4)
    return module


@pytest.mark.parametrize(
    ("cls", "answer", "exporter"), EXPORTED, ids=[row[0].__name__ for row in EXPORTED]
)
def test_structure_is_exported_and_right(
    cls: type[nn.Module], answer: Answer, exporter: str, tmp_path: Path, page: StructurePage
) -> None:
    module = made(cls)
    source = module_source(module)
    assert source.network.exporter == exporter
    results = {r.name: r for r in export_source(source, tmp_path, PRECISIONS)}
    assert not [r.failures for r in results.values() if r.failures]

    random = np.random.default_rng(3)
    texts = [random.integers(1, zoo.WORDS, n).tolist() for n in (1, 2, 4, 13, 16, 77, 260)]
    with torch.inference_mode():
        wanted = [answer(module, torch.tensor([ids])).reshape(-1).numpy() for ids in texts]
    assert max(abs(a - b).max() for a, b in pairwise(wanted)) > 1e-3
    worst = []
    for name, atol in (("fp32", 2e-6), ("int8", 0.02), ("fp16", 2e-3)):
        path = results[name].path
        assert path is not None
        worst.append(np.abs(raw(path, texts) - np.array(wanted)).max())
        assert worst[-1] < atol, name
    alone = weights_alone(module, source.network, tmp_path / "weights.pt")
    page.exported("After public code", cls.__name__, exporter, worst, alone)


@pytest.mark.parametrize(("cls", "reason"), REFUSED, ids=[row[0].__name__ for row in REFUSED])
def test_structure_is_refused_by_name(
    cls: type[nn.Module], reason: str, tmp_path: Path, page: StructurePage
) -> None:
    module = made(cls)
    with pytest.raises(UnsupportedModelError, match=reason) as refused:
        module_source(module)
    alone = weights_alone(module, None, tmp_path / "weights.pt")
    page.refused("After public code", cls.__name__, str(refused.value), alone)


def test_a_forward_of_one_length_is_exported_for_texts_that_are_padded(
    tmp_path: Path, page: StructurePage
) -> None:
    """Behind a linear layer over all steps, every text is cut and padded as its owner does it."""
    module = made(zoo.FixedLength)
    source = module_source(module)
    assert any("reads 20 tokens, neither fewer nor more" in note for note in source.notes)
    words = tuple(f"w{n}" for n in range(zoo.WORDS))
    with pytest.raises(UnsupportedModelError, match="--max-tokens 20 --pad-left-to 20"):
        source.with_vocabulary(Vocabulary(words, None))
    source = source.with_vocabulary(Vocabulary(words, None), window=Window(20, "first", 20))
    results = {r.name: r for r in export_source(source, tmp_path, PRECISIONS)}
    random = np.random.default_rng(3)
    texts = [random.integers(1, zoo.WORDS, n).tolist() for n in (1, 7, 20, 33)]
    padded = [[0] * (20 - len(ids)) + ids[:20] for ids in texts]
    with torch.inference_mode():
        wanted = [sigmoid(module, torch.tensor([ids])).reshape(-1).numpy() for ids in padded]
    worst = []
    for name, atol in (("fp32", 2e-6), ("int8", 0.02), ("fp16", 2e-3)):
        model = SentimentModel.load(results[name].path, "cpu")
        found = model([" ".join(words[n] for n in ids) for ids in texts])
        scores = np.array([[answer.scores["positive"]] for answer in found])
        worst.append(float(np.abs(scores - np.array(wanted)).max()))
        assert worst[-1] < atol, name
    alone = weights_alone(module, source.network, tmp_path / "weights.pt")
    page.exported("After public code", "FixedLength", TRACED, worst, alone)


def test_a_forward_of_long_texts_alone_is_not_taken_for_one_of_one_length() -> None:
    class LongPool(zoo.FixedLength):
        def forward(self, x: Tensor) -> Tensor:
            steps, _ = self.lstm(self.embedding(x))
            return self.fc(nn.functional.adaptive_avg_pool1d(steps[:, 69:].mT, 20).flatten(1))

    with pytest.raises(UnsupportedModelError, match="texts of 70 tokens or more"):
        module_source(made(LongPool))


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
@pytest.mark.parametrize("scripted", [False, True])
def test_a_class_may_have_the_name_of_a_layer_of_pytorch(
    kind: str, scripted: bool, tmp_path: Path
) -> None:
    class Weighted(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.hidden_size, self.num_layers = 16, 1
            self.emb = nn.Embedding(zoo.WORDS, 16)
            self.rnn = getattr(nn, kind)(16, 16, batch_first=True)
            self.weigh, self.out = nn.Linear(16, 1), nn.Linear(16, 2)

        def forward(self, x: Tensor) -> Tensor:
            steps, _ = self.rnn(self.emb(x))
            return self.out((torch.softmax(self.weigh(steps), 1) * steps).sum(1))

    module = type(kind, (Weighted,), {"forward": Weighted.forward})().eval()
    ids = [3, 5, 7, 2]
    wanted = torch.softmax(module(torch.tensor([ids])), -1).detach().numpy()
    made_of = torch.jit.script(module) if scripted else module
    (found,) = export_source(module_source(made_of), tmp_path, ExportConfig(precisions=("fp32",)))
    assert found.path is not None
    assert np.abs(raw(found.path, [ids]) - wanted).max() < 2e-6


def raw(path: Path, texts: list[list[int]]) -> np.ndarray:
    """Return what the file answers to all texts in one right-padded batch."""
    engine = SentimentModel.load(path, "cpu")._engine
    return engine.probabilities(engine.ids_feed(texts))
