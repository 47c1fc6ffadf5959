"""What only a GPU can show; every test is skipped, with the reason, where there is none."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lstm_runtime import LstmEdgeError, ProviderError, SentimentModel

from .conftest import MIXED

pytestmark = pytest.mark.cuda

TEXTS = [MIXED, "", "good", "awful " * 300, *(f"word{n} good not" * (n % 9) for n in range(200))]


@pytest.fixture(scope="module", params=["fp32", "fp16"])
def model(request: pytest.FixtureRequest, model_files: dict[str, Path]) -> SentimentModel:
    if request.param not in model_files:
        pytest.skip(f"the fixture exports no {request.param} file")
    try:
        return SentimentModel.load(model_files[request.param], "cuda")
    except LstmEdgeError as error:
        pytest.skip(str(error))


def test_bulk_agrees_with_single_texts(model: SentimentModel) -> None:
    tolerance = 1e-5 if model.metadata.precision == "fp32" else 5e-3
    for found, text in zip(model.score_many(TEXTS), TEXTS, strict=True):
        assert found.text == text
        assert np.isclose(found.scores["positive"], model(text).scores["positive"], atol=tolerance)


def test_the_references_hold(model: SentimentModel) -> None:
    assert model.verify().passed


def test_streams_run(model: SentimentModel) -> None:
    stream = model.stream()
    stream.push(MIXED[:20])
    stream.push(MIXED[20:])
    assert stream.finish().scores["positive"] == pytest.approx(
        model(MIXED).scores["positive"], abs=5e-3
    )


def test_int8_is_refused(model: SentimentModel, model_files: dict[str, Path]) -> None:
    with pytest.raises(ProviderError, match="int8 file runs on the CPU only"):
        SentimentModel.load(model_files["int8"], "cuda")


def test_the_command_runs_on_cuda(
    model: SentimentModel, run: Any, model_files: dict[str, Path]
) -> None:
    found = run("lstm-run", "--model", str(model_files["fp32"]), "--provider", "cuda", "good")
    assert found.returncode == 0
