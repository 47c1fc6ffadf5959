"""What ``torch.onnx.export`` makes of the same models: a second opinion wherever it works.

Recorded for torch 2.13: of the seed class, its default exporter may write a graph that fails at
every length but the example's, although the length was declared dynamic; the same call gave one for
any length in a process of its own. Of our own `SentimentRNN`, which does without that reshape,
it writes one that runs at any length, and so does the older, deprecated exporter of the seed.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from foreign_models import UdacitySentiment, trained_like
from lstm_export import export
from lstm_export.config import ExportConfig
from lstm_training.model import SentimentRNN
from numpy.typing import NDArray
from onnxruntime import InferenceSession
from torch import nn

pytest.importorskip("onnxscript", reason="torch.onnx.export needs onnxscript")

# PyTorch's exporter warns about its own insides.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

EXAMPLE = (3, 12)
OTHERS = [(1, 1), (1, 17), (3, 40), (5, 300)]
HIDDEN = 72


def pytorch_default(module: nn.Module, file: Path) -> None:
    batch, sequence = torch.export.Dim("batch"), torch.export.Dim("sequence")
    shapes = {"x": {0: batch, 1: sequence}, "hidden": ({1: batch}, {1: batch})}
    torch.onnx.export(module, example(), file, dynamic_shapes=shapes, verbose=False)


def pytorch_older(module: nn.Module, file: Path) -> None:
    axes = {"x": {0: "batch", 1: "sequence"}, "h": {1: "batch"}, "c": {1: "batch"}}
    names = list(axes)
    torch.onnx.export(
        module, example(), file, dynamo=False, input_names=names, dynamic_axes=axes, verbose=False
    )


def example() -> tuple[torch.Tensor, tuple[torch.Tensor, torch.Tensor]]:
    zeros = torch.zeros(2, EXAMPLE[0], HIDDEN)
    return torch.zeros(EXAMPLE, dtype=torch.int64), (zeros, zeros)


def sessions(
    module: nn.Module, write: Callable[[nn.Module, Path], None], folder: Path
) -> tuple[InferenceSession, InferenceSession]:
    """Return PyTorch's export, asked for any batch and length, and ours."""
    write(module, folder / "theirs.onnx")
    export(module, folder, config=ExportConfig(precisions=("fp32",)))
    files = (str(folder / "theirs.onnx"), str(folder / "model.onnx"))
    theirs, ours = (InferenceSession(f, providers=["CPUExecutionProvider"]) for f in files)
    return theirs, ours


def run_theirs(session: InferenceSession, ids: NDArray, state: NDArray) -> NDArray:
    names = [node.name for node in session.get_inputs()]
    return session.run(None, dict(zip(names, (ids, state, state), strict=True)))[0]


def run_ours(session: InferenceSession, ids: NDArray, state: NDArray) -> NDArray:
    lengths = np.full(len(ids), ids.shape[1], np.int32)
    feed = {"ids": ids, "lengths": lengths, "h0": state, "c0": state}
    return session.run(["probability"], feed)[0][:, 0]


def inputs(shape: tuple[int, int]) -> tuple[NDArray, NDArray]:
    random = np.random.default_rng(shape[1])
    state = random.normal(0, 0.3, (2, shape[0], HIDDEN)).astype(np.float32)
    return random.integers(0, 300, shape), state


@pytest.mark.parametrize(
    ("module", "write"),
    [
        (UdacitySentiment(hidden=HIDDEN), pytorch_older),
        (SentimentRNN(300, 1, 40, HIDDEN, 2), pytorch_default),
        (SentimentRNN(300, 1, 40, HIDDEN, 2), pytorch_older),
    ],
)
def test_agrees_wherever_pytorchs_export_runs(module, write, tmp_path: Path) -> None:
    theirs, ours = sessions(trained_like(module), write, tmp_path)
    for shape in [EXAMPLE, *OTHERS]:
        ids, state = inputs(shape)
        difference = run_ours(ours, ids, state) - run_theirs(theirs, ids, state)
        assert np.abs(difference).max() < 1e-6, shape


def test_ours_runs_where_pytorchs_export_of_the_seed_may_be_frozen(tmp_path: Path) -> None:
    """Theirs fails at other lengths or is right; which of the two, the process decides."""
    theirs, ours = sessions(trained_like(UdacitySentiment()), pytorch_default, tmp_path)
    for shape in (EXAMPLE, *OTHERS):
        ids, state = inputs(shape)
        answers = run_ours(ours, ids, state)
        assert answers.shape == (shape[0],)
        try:
            difference = answers - run_theirs(theirs, ids, state)
        except Exception as error:
            assert shape != EXAMPLE and "ONNXRuntimeError" in str(error)
        else:
            assert np.abs(difference).max() < 1e-6, shape
