"""What ``torch.onnx.export`` makes of the same model: a second opinion where it works."""

import numpy as np
import pytest
import torch
from foreign_models import UdacitySentiment, trained_like
from lstm_export.exporter import ExportConfig, export_source
from lstm_export.source import module_source
from onnxruntime import InferenceSession
from torch import Tensor, nn

pytest.importorskip("onnxscript", reason="torch.onnx.export needs onnxscript")

# PyTorch's exporter warns about its own insides.
pytestmark = pytest.mark.filterwarnings("ignore")

LENGTH = 12


class IdsOnly(nn.Module):
    """The seed with zero states, as PyTorch's exporter wants it."""

    def __init__(self, seed: nn.Module) -> None:
        super().__init__()
        self.seed = seed

    def forward(self, ids: Tensor) -> Tensor:
        zeros = ids.new_zeros((2, ids.shape[0], 72), dtype=torch.float32)
        return self.seed(ids, (zeros, zeros))[0]


@pytest.fixture(scope="module")
def sessions(tmp_path_factory: pytest.TempPathFactory) -> tuple[InferenceSession, InferenceSession]:
    """Return PyTorch's export, asked for any batch and length, and ours."""
    folder = tmp_path_factory.mktemp("second")
    seed = trained_like(UdacitySentiment())
    example = (torch.zeros((3, LENGTH), dtype=torch.int64),)
    dynamic = {"ids": {0: torch.export.Dim.DYNAMIC, 1: torch.export.Dim.DYNAMIC}}
    model, file = IdsOnly(seed).eval(), folder / "theirs.onnx"
    torch.onnx.export(model, example, file, dynamo=True, dynamic_shapes=dynamic, verbose=False)
    config = ExportConfig(precisions=("fp32",))
    assert not list(export_source(module_source(seed), folder, config))[-1].failures
    files = (str(folder / "theirs.onnx"), str(folder / "model.onnx"))
    theirs, ours = (InferenceSession(f, providers=["CPUExecutionProvider"]) for f in files)
    return theirs, ours


def test_agrees_at_the_one_shape_that_pytorch_exports(sessions) -> None:
    theirs, ours = sessions
    ids = np.random.default_rng(0).integers(0, 300, (3, LENGTH))
    lengths = np.full(3, LENGTH, np.int32)
    wanted = theirs.run(None, {theirs.get_inputs()[0].name: ids})[0]
    found = ours.run(["probability"], {"ids": ids, "lengths": lengths})[0]
    assert np.abs(found[:, 0] - wanted).max() < 1e-6


def test_pytorchs_export_is_frozen_where_ours_is_not(sessions) -> None:
    """Recorded so that we notice the day it works: then our own writer has lost a reason.

    The length was declared dynamic; the file says so in its input, and fails at any other.
    """
    theirs, ours = sessions
    assert isinstance(theirs.get_inputs()[0].shape[1], str)
    ids = np.zeros((2, LENGTH + 5), np.int64)
    with pytest.raises(Exception, match="ONNXRuntimeError"):
        theirs.run(None, {theirs.get_inputs()[0].name: ids})
    lengths = np.full(2, LENGTH + 5, np.int32)
    assert ours.run(["probability"], {"ids": ids, "lengths": lengths})[0].shape == (2, 1)
