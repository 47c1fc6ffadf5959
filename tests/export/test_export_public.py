"""Structures as public repositories have them, tried after the exporter was written."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import public_models as zoo
import pytest
import torch
from foreign_models import trained_like
from lstm_edge import ExportConfig, SentimentModel
from lstm_export.checkpoint.source import module_source
from lstm_export.errors import UnsupportedModelError
from lstm_export.pipeline import export_source
from structure_page import StructurePage
from torch import Tensor, nn
from weights_alone import weights_alone

pytestmark = pytest.mark.slow  # many exports

Answer = Callable[[nn.Module, Tensor], Tensor]
ZEROS = torch.zeros(1, 1, zoo.H)
PAGE = "In public repositories"


def length(ids: Tensor) -> Tensor:
    return torch.tensor([ids.shape[1]])


def itself(module: nn.Module, ids: Tensor) -> Tensor:
    return module(ids)


def sigmoid(module: nn.Module, ids: Tensor) -> Tensor:
    return torch.sigmoid(module(ids))


def softmax(module: nn.Module, ids: Tensor) -> Tensor:
    return torch.softmax(module(ids), -1)


def logits(module: nn.Module, ids: Tensor) -> Tensor:
    return torch.softmax(module(ids)["logits"], -1)


EXPORTED: dict[Callable[[], nn.Module], Answer] = {
    zoo.LengthInFront: lambda m, ids: m(torch.cat([length(ids)[None], ids], 1)),
    zoo.ArticleBiLstm: lambda m, ids: m(ids, length(ids)),
    zoo.OneSentence: lambda m, ids: torch.exp(m(ids[0])),
    zoo.AttentionByBatchSize: lambda m, ids: torch.softmax(m(ids, 1), -1),
    zoo.TextWithLengths: lambda m, ids: torch.sigmoid(m((ids, length(ids)))),
    zoo.TwoStateArguments: lambda m, ids: m(ids, ZEROS, ZEROS)[0],
    zoo.PackedDataAttention: lambda m, ids: torch.softmax(m(ids, length(ids)), -1),
    zoo.PooledByKernel: softmax,
    zoo.TwoPoolings: itself,
    zoo.BagOfOne: softmax,
    zoo.EmbeddingDropout: sigmoid,
    zoo.VectorsAsParameter: softmax,
    zoo.BoundedVectors: softmax,
    zoo.Temperature: softmax,
    zoo.BothProbabilities: itself,
    zoo.Everything: logits,
    zoo.KeptAxis: softmax,
    zoo.KeywordArguments: logits,
    zoo.Switches: itself,
    zoo.AttentiveSwitches: itself,
    zoo.ByDirection: lambda m, ids: torch.exp(m(ids)),
    zoo.sequential: itself,
    zoo.DualChannel: softmax,
    zoo.ChunkedSides: sigmoid,
    zoo.Reversed: softmax,
}

REFUSED = {
    zoo.OwnBatchSize: r"first states for 50 texts .* set its batch size to 1",
    zoo.HardLabels: "whole numbers alone",
    zoo.IdsAsNumbers: "takes any number for an id",
    zoo.OnCuda: r"moves tensors to CUDA .* \.to\(x\.device\)",
}


@pytest.mark.parametrize("make", EXPORTED, ids=lambda make: make.__name__)
def test_a_public_structure_is_exported_and_right(
    make: Callable[[], nn.Module], tmp_path: Path, page: StructurePage
) -> None:
    module = trained_like(make())
    source = module_source(module)
    results = list(export_source(source, tmp_path, ExportConfig(("fp32", "int8", "fp16"))))
    assert not [result.failures for result in results if result.failures]
    random = np.random.default_rng(3)
    texts = [random.integers(1, zoo.WORDS, n).tolist() for n in (1, 2, 4, 13, 77, 260)]
    with torch.inference_mode():
        answers = [EXPORTED[make](module, torch.tensor([ids])) for ids in texts]
    wanted = [answer.reshape(-1).numpy() for answer in answers]
    assert max(abs(a - b).max() for a, b in pairwise(wanted)) > 1e-3
    worst = []
    for name, limit in (("model.onnx", 2e-6), ("model.int8.onnx", 0.05), ("model.fp16.onnx", 5e-3)):
        engine = SentimentModel.load(tmp_path / name, "cpu")._engine
        found = engine.probabilities(engine.ids_feed(texts))
        worst.append(float(np.abs(found - np.array(wanted)).max()))
        assert worst[-1] < limit, name
    alone = weights_alone(module, source.network, tmp_path / "weights.pt")
    page.exported(PAGE, make.__name__, source.network.exporter, worst, alone)


@pytest.mark.parametrize("make", REFUSED, ids=lambda make: make.__name__)
def test_a_public_structure_is_refused_with_a_cure(
    make: type[nn.Module], tmp_path: Path, page: StructurePage
) -> None:
    module = trained_like(make())
    with pytest.raises(UnsupportedModelError, match=REFUSED[make]) as refused:
        module_source(module)
    alone = weights_alone(module, None, tmp_path / "weights.pt")
    page.refused(PAGE, make.__name__, str(refused.value), alone)


def test_the_cure_for_a_fixed_batch_size_works() -> None:
    module = trained_like(zoo.OwnBatchSize())
    module.batch_size = 1
    found = module_source(module).original
    assert found is not None
    with torch.inference_mode():
        wanted = module(torch.tensor([[5, 6, 7]])).item()
    assert found.probability([5, 6, 7])[0] == pytest.approx(wanted, abs=1e-6)


def test_a_switch_is_never_thrown() -> None:
    """What looks like a way to give states is a switch, whose default is what the owner calls."""
    module = trained_like(zoo.Switches())
    found = module_source(module).original
    with torch.inference_mode():
        one, other = (module(torch.tensor([[5, 6, 7]]), on).item() for on in (False, True))
    assert abs(one - other) > 1e-3
    assert found is not None and found.probability([5, 6, 7])[0] == pytest.approx(one, abs=1e-6)
