"""The exported files on a GPU against the model that they were made of."""

from pathlib import Path

import pytest
import torch
from lstm_runtime import LstmEdgeError, SentimentModel
from lstm_training.checkpoint import load_checkpoint

pytestmark = pytest.mark.cuda

TEXTS = [
    "I don't love the acting, but it's a wonderful film <br /> with a great plot!",
    "",
    "good",
    "awful " * 300,
    *(f"word{n} good not" * (n % 9) for n in range(8)),
]


@pytest.fixture(scope="module", params=["fp32", "fp16"])
def model(request: pytest.FixtureRequest, model_files: dict[str, Path]) -> SentimentModel:
    try:
        return SentimentModel.load(model_files[request.param], "cuda")
    except LstmEdgeError as error:
        pytest.skip(str(error))


def test_answers_are_pytorchs(model: SentimentModel, checkpoint_file: Path) -> None:
    checkpoint = load_checkpoint(checkpoint_file)
    module = checkpoint.model().eval()
    for text in TEXTS:
        ids = torch.tensor([checkpoint.encoder(text)])
        with torch.inference_mode():
            wanted, _ = module(ids, module.init_hidden(1))
        tolerance = 1e-5 if model.metadata.precision == "fp32" else 5e-3
        assert model(text).scores["positive"] == pytest.approx(float(wanted), abs=tolerance)
