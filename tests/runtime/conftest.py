"""What the runtime's tests share: loaded models of each precision and interface."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from lstm_export.checkpoint.source import load_source
from lstm_export.config import ExportConfig
from lstm_export.pipeline import export_source
from lstm_runtime import SentimentModel

MIXED = "I don't love the acting, but it's a wonderful film <br /> with a great plot!"


@pytest.fixture(scope="session")
def int8(model_files: dict[str, Path]) -> Iterator[SentimentModel]:
    with SentimentModel.load(model_files["int8"], "cpu") as model:
        yield model


@pytest.fixture(scope="session")
def fp32(model_files: dict[str, Path]) -> Iterator[SentimentModel]:
    with SentimentModel.load(model_files["fp32"], "cpu") as model:
        yield model


@pytest.fixture(scope="session")
def ids_file(checkpoint_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an fp32 file with the ids interface, its vocabulary in the metadata."""
    config = ExportConfig(precisions=("fp32",), interface="ids")
    folder = tmp_path_factory.mktemp("ids")
    outcomes = list(export_source(load_source(checkpoint_file), folder, config))
    return next(outcome.path for outcome in outcomes if outcome.path)


@pytest.fixture(scope="session")
def ids(ids_file: Path) -> Iterator[SentimentModel]:
    with SentimentModel.load(ids_file, "cpu") as model:
        yield model
