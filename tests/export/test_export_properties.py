"""Parity over random architectures: three witnesses on the same inputs."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import torch
from foreign_models import trained_like
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lstm_export.checkpoint.hints import ArchitectureHints
from lstm_export.checkpoint.source import load_source
from lstm_export.config import ExportConfig
from lstm_export.layers import FUNCTIONS
from lstm_export.pipeline import export_source
from torch import nn

pytestmark = pytest.mark.slow  # many exports

ARCHITECTURES = st.fixed_dictionaries(
    {
        "hidden": st.one_of(st.integers(1, 96), st.sampled_from([64, 65, 96, 128])),
        "embedding": st.integers(1, 70),
        "layers": st.integers(1, 3),
        "bidirectional": st.booleans(),
        "bias": st.booleans(),
        "classes": st.integers(1, 5),
        "readout": st.sampled_from(
            ["last", "step", "mean", "max", "first", "cell", "mean,max,last"]
        ),
        "side": st.sampled_from(["", ":reversed", ":sum", ":average", ":forward", ":backward"]),
        "between": st.sampled_from(["none", *FUNCTIONS]),
        "activation": st.sampled_from([None, "sigmoid", "none"]),
        "seed": st.integers(0, 10_000),
    }
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(shape=ARCHITECTURES)
def test_random_architecture_is_equal(shape: dict) -> None:
    options = {k: shape[k] for k in ("bidirectional", "bias")}
    lstm = nn.LSTM(shape["embedding"], shape["hidden"], shape["layers"], **options)
    side = shape["side"] if shape["bidirectional"] else ""
    readout = ",".join(pool + side for pool in shape["readout"].split(","))
    halves = 2 if shape["bidirectional"] and side in {"", ":reversed"} else 1
    features = shape["hidden"] * halves * len(readout.split(","))
    module = nn.ModuleDict(
        {
            "emb": nn.Embedding(50, shape["embedding"]),
            "rnn": lstm,
            "middle": nn.Linear(features, 7),
            "out": nn.Linear(7, shape["classes"]),
        }
    )
    trained_like(module, shape["seed"])
    with TemporaryDirectory() as folder:
        checkpoint = Path(folder) / "weights.pt"
        torch.save(module.state_dict(), checkpoint)
        source = load_source(
            checkpoint, ArchitectureHints(readout, shape["activation"], shape["between"])
        )
        config = ExportConfig(precisions=("fp32", "int8", "fp16"))
        outcomes = list(export_source(source, Path(folder), config))
        assert [outcome.failures for outcome in outcomes] == [()] * 4
