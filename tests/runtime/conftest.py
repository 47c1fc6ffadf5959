"""What the runtime's tests share: tiny models of each precision and interface, loaded.

They were exported once by tests/data/make_models.py: these tests run where there is no PyTorch,
no onnx, and none of this project's packages but lstm_runtime.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lstm_runtime import SentimentModel

MIXED = "I don't love the acting, but it's a wonderful film <br /> with a great plot!"


def _zstd() -> Any:
    """Return Python's own Zstandard, of 3.14 on, else the package's."""
    try:
        from compression import zstd
    except ImportError:
        return pytest.importorskip("zstandard")
    return zstd


def zstd_compress(data: bytes) -> bytes:
    return bytes(_zstd().compress(data))


def zstd_decompress(data: bytes) -> bytes:
    frame = _zstd().ZstdDecompressor()
    frame = frame.decompressobj() if hasattr(frame, "decompressobj") else frame
    return bytes(frame.decompress(data))


MODELS = Path(__file__).parents[1] / "data" / "models"


@pytest.fixture(scope="session")
def model_files() -> dict[str, Path]:
    """Return files of one model, by precision."""
    return {
        "fp32": MODELS / "tiny.onnx",
        "int8": MODELS / "tiny.int8.onnx",
        "fp16": MODELS / "tiny.fp16.onnx",
    }


@pytest.fixture(scope="session")
def int8(model_files: dict[str, Path]) -> Iterator[SentimentModel]:
    with SentimentModel.load(model_files["int8"], "cpu") as model:
        yield model


@pytest.fixture(scope="session")
def fp32(model_files: dict[str, Path]) -> Iterator[SentimentModel]:
    with SentimentModel.load(model_files["fp32"], "cpu") as model:
        yield model


@pytest.fixture(scope="session")
def ids_file() -> Path:
    """Return an fp32 file with the ids interface, its vocabulary in the metadata."""
    return MODELS / "ids.onnx"


@pytest.fixture(scope="session")
def ids(ids_file: Path) -> Iterator[SentimentModel]:
    with SentimentModel.load(ids_file, "cpu") as model:
        yield model
