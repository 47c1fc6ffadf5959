"""Parity over random architectures: three witnesses on the same inputs."""

from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from foreign_models import trained_like
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lstm_export.checkpoint.hints import ArchitectureHints
from lstm_export.checkpoint.source import load_source
from lstm_export.config import ExportConfig
from lstm_export.pipeline import export_source
from torch import nn

ARCHITECTURES = st.fixed_dictionaries(
    {
        "hidden": st.one_of(st.integers(1, 96), st.sampled_from([64, 65, 96, 128])),
        "embedding": st.integers(1, 70),
        "layers": st.integers(1, 3),
        "bidirectional": st.booleans(),
        "bias": st.booleans(),
        "classes": st.integers(1, 5),
        "readout": st.sampled_from(["last", "step", "mean", "max"]),
        "seed": st.integers(0, 10_000),
    }
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(shape=ARCHITECTURES)
def test_random_architecture_is_equal(shape: dict) -> None:
    options = {k: shape[k] for k in ("bidirectional", "bias")}
    lstm = nn.LSTM(shape["embedding"], shape["hidden"], shape["layers"], **options)
    features = shape["hidden"] * (2 if shape["bidirectional"] else 1)
    module = nn.ModuleDict(
        {
            "emb": nn.Embedding(50, shape["embedding"]),
            "rnn": lstm,
            "out": nn.Linear(features, shape["classes"]),
        }
    )
    trained_like(module, shape["seed"])
    with TemporaryDirectory() as folder:
        checkpoint = Path(folder) / "weights.pt"
        torch.save(module.state_dict(), checkpoint)
        source = load_source(checkpoint, ArchitectureHints(readout=shape["readout"]))
        config = ExportConfig(precisions=("fp32", "int8", "fp16"))
        outcomes = list(export_source(source, Path(folder), config))
        assert [outcome.failures for outcome in outcomes] == [()] * 4
