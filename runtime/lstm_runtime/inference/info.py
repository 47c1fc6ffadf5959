"""What a loaded model is, and the libraries that it runs on."""

import platform

import numpy as np

from lstm_runtime.inference.engine import Engine
from lstm_runtime.inference.results import ModelInfo
from lstm_runtime.inference.session import import_onnxruntime
from lstm_runtime.version import __version__


def model_info(engine: Engine, threads: int) -> ModelInfo:
    """Return what ``engine`` is and runs on, for logs and bug reports."""
    return ModelInfo(
        path=engine.path,
        digest=engine.digest,
        provider=engine.provider,
        kernel=engine.kernel,
        threads=threads,
        interface="text" if engine.reads_text else "ids",
        has_state=engine.has_state,
        versions={
            "lstm-edge": __version__,
            "onnxruntime": str(import_onnxruntime().__version__),
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
        metadata=engine.metadata,
    )
