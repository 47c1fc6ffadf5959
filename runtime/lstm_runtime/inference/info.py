"""What a loaded model is, and the libraries that it runs on."""

import platform
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lstm_runtime.inference.engine import Engine
from lstm_runtime.inference.session import import_onnxruntime
from lstm_runtime.model_file.contract import Interface, Metadata
from lstm_runtime.version import __version__


@dataclass(frozen=True)
class ModelInfo:
    """A loaded model, in a form made for logs and bug reports."""

    path: Path
    "The model file."
    digest: str
    "Its checksum, 64 hex digits: that of no other file."
    provider: str
    "The execution provider in use, as ONNX Runtime spells it."
    kernel: str | None
    "Instruction set of the int8 kernel; None where ONNX Runtime's own operators run."
    threads: int
    "Texts that are scored at once when there are many."
    interface: Interface
    "What the file takes: ``text`` or ``ids``."
    has_state: bool
    "Whether texts can be streamed."
    versions: dict[str, str]
    "Versions of lstm-edge, onnxruntime, numpy and Python here; those that wrote the file are in "
    "``metadata.versions``."
    metadata: Metadata
    "What the file says about itself: labels, sizes, precision, metrics, parity and more."


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
