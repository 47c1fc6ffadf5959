"""Every structure: exported and right in every precision, or refused for a reason with a name."""

from pathlib import Path

import numpy as np
import pytest
import structures
import torch
from foreign_models import trained_like
from lstm_export import ArchitectureHints, ExportConfig, UnsupportedModelError
from lstm_export.checkpoint.source import load_source, module_source
from lstm_export.pipeline import export_source
from lstm_export.reading.module import UserModule
from onnxruntime import InferenceSession
from structure_page import StructurePage
from torch import nn
from weights_alone import weights_alone

pytestmark = pytest.mark.slow  # many exports

ALL = ExportConfig(precisions=("fp32", "int8", "fp16"), state="none")
LIMITS = {"model.onnx": 1e-5, "model.int8.onnx": 0.05, "model.fp16.onnx": 5e-3}


def made(name: str) -> nn.Module:
    torch.manual_seed(0)
    module = structures.FAMILY[name]()
    for layer in module.modules():
        if isinstance(layer, nn.BatchNorm1d):
            layer.running_mean.normal_()
            layer.running_var.uniform_(0.3, 2.0)
    return trained_like(module) if name not in {"weight norm", "pruned"} else module.eval()


def answers(path: Path, texts: list[list[int]]) -> np.ndarray:
    """Run the texts as one padded batch."""
    ids = np.zeros((len(texts), max(map(len, texts))), np.int64)
    for row, text in zip(ids, texts, strict=True):
        row[: len(text)] = text
    session = InferenceSession(path, providers=["CPUExecutionProvider"])
    lengths = np.array([len(text) for text in texts], np.int32)
    return session.run(["probability"], {"ids": ids, "lengths": lengths})[0]


PAGE = "Written from the weights"


@pytest.mark.parametrize("name", structures.FAMILY)
def test_a_structure_of_the_family_is_exported_and_right(
    name: str, tmp_path: Path, page: StructurePage
) -> None:
    module = made(name)
    source = module_source(module)
    results = list(export_source(source, tmp_path, ALL))
    assert [result.failures for result in results] == [()] * 4
    random = np.random.default_rng(9)
    texts = [random.integers(2, structures.WORDS, n).tolist() for n in (3, 1, 50, 17)]
    theirs = np.stack([UserModule(module, ArchitectureHints()).probability(t) for t in texts])
    assert np.ptp(theirs) > 1e-3, "answers that never differ prove nothing"
    worst = []
    for file, limit in LIMITS.items():
        found = answers(tmp_path / file, texts)
        assert found.shape == (4, source.network.classes)
        worst.append(np.abs(found - theirs).max())
        assert worst[-1] < limit, file
    alone = weights_alone(module, source.network, tmp_path / "weights.pt")
    page.exported(PAGE, name, source.network.exporter, worst, alone)


@pytest.mark.parametrize("name", structures.OTHERS)
def test_another_structure_is_none_of_the_family_by_name(name: str) -> None:
    make, message = structures.OTHERS[name]
    torch.manual_seed(0)
    with pytest.raises(UnsupportedModelError, match=message):
        UserModule(trained_like(make()), ArchitectureHints())


EXPORTED = ("attention", "convolution", "residual", "gru", "positions")
"""Of the others, those that PyTorch's own exporter writes."""


@pytest.mark.parametrize("name", EXPORTED)
def test_others_are_exported_in_the_general_way(
    name: str, tmp_path: Path, page: StructurePage
) -> None:
    torch.manual_seed(0)
    module = trained_like(structures.OTHERS[name][0]())
    source = module_source(module)
    results = list(export_source(source, tmp_path, ALL))
    assert not any(result.failures for result in results)
    texts = [[5, 6, 7, 80], [9]]
    theirs = np.stack([source.original.probability(text) for text in texts])
    worst = [np.abs(answers(tmp_path / file, texts) - theirs).max() for file in LIMITS]
    assert all(w < limit for w, limit in zip(worst, LIMITS.values(), strict=True))
    alone = weights_alone(module, source.network, tmp_path / "weights.pt")
    page.exported(PAGE, name, source.network.exporter, worst, alone)


@pytest.mark.parametrize("name", [name for name in structures.OTHERS if name not in EXPORTED])
def test_what_no_graph_can_be_right_about_is_refused(
    name: str, tmp_path: Path, page: StructurePage
) -> None:
    torch.manual_seed(0)
    module = trained_like(structures.OTHERS[name][0]())
    with pytest.raises(UnsupportedModelError, match=structures.OTHERS[name][1]) as refused:
        module_source(module)
    alone = weights_alone(module, None, tmp_path / "weights.pt")
    page.refused(PAGE, name, str(refused.value), alone)


@pytest.mark.parametrize(
    ("name", "hints"),
    [
        ("last", ArchitectureHints("last")),
        ("both", ArchitectureHints("last")),
        ("backward first", ArchitectureHints("last:reversed")),
        ("backward only", ArchitectureHints("last:backward")),
        ("sum of states", ArchitectureHints("last:sum")),
        ("max of sum", ArchitectureHints("max:sum")),
        ("average", ArchitectureHints("last:average")),
        ("mean max last", ArchitectureHints("mean,max,last")),
        ("max mean both", ArchitectureHints("max,mean")),
        ("cell", ArchitectureHints("cell")),
        ("first layer", ArchitectureHints("last@0")),
        ("gelu between", ArchitectureHints("last", between="gelu")),
        ("multi label", ArchitectureHints("last", "sigmoid")),
        ("weight norm", ArchitectureHints("last")),
        ("pruned", ArchitectureHints("last", between="relu")),
    ],
)
def test_weights_and_the_right_words_give_the_network_itself(
    name: str, hints: ArchitectureHints, tmp_path: Path
) -> None:
    module = made(name)
    torch.save(module.state_dict(), tmp_path / "weights.pt")
    source = load_source(tmp_path / "weights.pt", hints)
    assert source.original is None and source.verdict == "as assumed"
    wanted = UserModule(module, ArchitectureHints())
    config = ExportConfig(precisions=("fp32",), state="none")
    assert not any(r.failures for r in export_source(source, tmp_path, config))
    texts = [[5, 6, 7, 80], [9]]
    theirs = np.stack([wanted.probability(text) for text in texts])
    assert np.abs(answers(tmp_path / "model.onnx", texts) - theirs).max() < 1e-5
    assert wanted.network.readout == source.network.readout
