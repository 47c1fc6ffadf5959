"""What the tests of the C and C++ examples need: ONNX Runtime's headers and a library."""

import os
import shutil
from pathlib import Path

import onnxruntime
import pytest

ROOT = Path(__file__).parents[2]
MODEL = ROOT / "runtime" / "lstm_runtime" / "models" / "default.int8.onnx"


@pytest.fixture(scope="session")
def headers() -> Path:
    """Return the folder of ONNX Runtime's headers: the system's, or those in an npm package."""
    folders = [
        os.environ.get("ONNXRUNTIME_INCLUDE", ""),
        "/usr/include/onnxruntime",
        "/usr/local/include/onnxruntime",
        *map(str, ROOT.glob("js/node_modules/com.github.asus4.onnxruntime/Plugins/**/Headers")),
    ]
    for folder in folders:
        if (Path(folder) / "onnxruntime_cxx_api.h").is_file():
            return Path(folder)
    pytest.skip(
        "no headers of ONNX Runtime: libonnxruntime-dev has them, or make js brings them, or "
        "ONNXRUNTIME_INCLUDE names their folder"
    )


@pytest.fixture(scope="session")
def library() -> Path:
    """Return the library inside the installed Python package: what a linked program needs too."""
    found = sorted((Path(onnxruntime.__file__).parent / "capi").glob("libonnxruntime.so.1*"))
    if not found:
        pytest.skip(f"onnxruntime {onnxruntime.__version__} for Python holds no libonnxruntime.so")
    return found[0]


def command(*names: str) -> str:
    """Return the first of these commands that is here; skip without one."""
    for name in names:
        if path := shutil.which(name):
            return path
    pytest.skip(f"no {' or '.join(names)} here")
