"""Models that other people wrote, each in every precision, compared with their own forward."""

from pathlib import Path

import numpy as np
import pytest
import torch
from foreign_models import FAMILY, Doubled, WithAttention, trained_like
from lstm_export.checkpoint.hints import ArchitectureHints
from lstm_export.checkpoint.source import Source, load_source, module_source
from lstm_export.config import ExportConfig
from lstm_export.errors import UnsupportedModelError
from lstm_export.pipeline import export_source
from lstm_runtime.text.vocabulary import Vocabulary
from torch import nn

ALL = ExportConfig(precisions=("fp32", "int8", "fp16"))
READINGS = {
    "UdacitySentiment": ArchitectureHints(readout="last"),
    "TutorialBidirectional": ArchitectureHints(readout="last"),
    "MeanPooled": ArchitectureHints(readout="mean", between="relu"),
    "MaxPooledBidirectional": ArchitectureHints(readout="max"),
    "LastStepBidirectional": ArchitectureHints(readout="step"),
    "ThreeLinear": ArchitectureHints(readout="last", between="tanh"),
}
WRAPPERS = (
    lambda state: state,
    lambda state: {"state_dict": state, "epoch": 3},
    lambda state: {"model_state_dict": {f"module.{k}": v for k, v in state.items()}, "lr": 0.1},
    lambda state: {"model": {f"model.{k}": v for k, v in state.items()}},
    lambda state: {"net": state, "best": 0.9},
    lambda state: {f"net_0.{k}": v for k, v in state.items()},
)


def all_equal(source: Source, folder: Path) -> bool:
    outcomes = list(export_source(source, folder, ALL))
    assert [outcome.failures for outcome in outcomes] == [()] * 4
    return sorted(path.name for path in folder.iterdir()) == sorted(
        ["model.onnx", "model.int8.onnx", "model.fp16.onnx"]
    )


@pytest.mark.parametrize("make", FAMILY)
def test_live_module_is_equal_in_every_precision(make: type[nn.Module], tmp_path: Path) -> None:
    source = module_source(trained_like(make()))
    assert source.original_name == f"{make.__name__}.forward in PyTorch"
    assert all_equal(source, tmp_path)


@pytest.mark.parametrize(("make", "wrap"), list(zip(FAMILY, WRAPPERS, strict=True)))
def test_wrapped_state_dict_is_equal_in_every_precision(
    make: type[nn.Module], wrap, tmp_path: Path
) -> None:
    module = trained_like(make())
    torch.save(wrap(module.state_dict()), tmp_path / "checkpoint.pt")
    source = load_source(tmp_path / "checkpoint.pt", READINGS[make.__name__])
    assert source.original is None and "as assumed" in source.original_name
    assert all_equal(source, tmp_path / "out")
    live = module_source(module).network
    assert live.readout == source.network.readout
    assert list(map(type, live.head)) == list(map(type, source.network.head))
    assert live.activation == source.network.activation


@pytest.mark.parametrize("make", FAMILY)
def test_text_interface_of_a_foreign_model(make: type[nn.Module], tmp_path: Path) -> None:
    words = ("", *(f"w{n}" for n in range(299)))
    source = module_source(trained_like(make())).with_vocabulary(Vocabulary(words, None))
    assert all_equal(source, tmp_path)


@pytest.mark.filterwarnings("ignore:.*is deprecated")
def test_torchscript_archive_is_read(tmp_path: Path) -> None:
    module = trained_like(FAMILY[5]())
    torch.jit.save(torch.jit.script(module), str(tmp_path / "scripted.pt"))
    source = load_source(tmp_path / "scripted.pt", READINGS["ThreeLinear"])
    assert all_equal(source, tmp_path / "out")


def test_module_class_takes_the_checkpoint(tmp_path: Path) -> None:
    module = trained_like(FAMILY[3](), seed=5)
    wrapped = {"state_dict": {f"module.{k}": v for k, v in module.state_dict().items()}}
    torch.save(wrapped, tmp_path / "checkpoint.pt")
    source = load_source(tmp_path / "checkpoint.pt", module=FAMILY[3]())
    assert source.original is not None
    ids = [5, 9, 200]
    expected = module(torch.tensor([ids])).detach().numpy()[0]
    assert np.array_equal(source.original.probability(ids), expected)


def test_attention_is_refused_by_name_where_the_class_is_not_at_hand(tmp_path: Path) -> None:
    torch.save(trained_like(WithAttention()).state_dict(), tmp_path / "weights.pt")
    with pytest.raises(UnsupportedModelError, match="attention"):
        load_source(tmp_path / "weights.pt")


@pytest.mark.parametrize("make", [WithAttention, Doubled])
def test_forward_that_does_more_is_exported_by_pytorch(
    make: type[nn.Module], tmp_path: Path
) -> None:
    source = module_source(trained_like(make()))
    assert source.network.exporter.startswith("torch.onnx")
    results = list(export_source(source, tmp_path, ALL))
    assert {r.name: r.failures for r in results} == dict.fromkeys(("fp32", "int8", "fp16"), ())


def test_forward_that_cannot_be_called_is_refused() -> None:
    class Wants(FAMILY[5]):
        def forward(self, ids, mask, extra, more):
            return super().forward(ids)

    with pytest.raises(UnsupportedModelError, match="cannot be called"):
        module_source(trained_like(Wants()))


def test_what_weights_cannot_tell_is_asked_for(tmp_path: Path) -> None:
    torch.save(FAMILY[1]().state_dict(), tmp_path / "two_ways.pt")
    with pytest.raises(UnsupportedModelError, match="--readout"):
        load_source(tmp_path / "two_ways.pt")
    torch.save(FAMILY[5]().state_dict(), tmp_path / "linear.pt")
    with pytest.raises(UnsupportedModelError, match="--readout"):
        load_source(tmp_path / "linear.pt")
    with pytest.raises(UnsupportedModelError, match="--between"):
        load_source(tmp_path / "linear.pt", ArchitectureHints("last"))
