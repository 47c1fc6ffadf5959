"""`ModelInfo`: what a loaded model is and what it runs on."""

from dataclasses import dataclass
from pathlib import Path

from lstm_runtime.model_file.contract import Interface, Metadata


@dataclass(frozen=True)
class ModelInfo:
    """A loaded model, in a form made for logs and bug reports."""

    path: Path
    "The model file."
    provider: str
    "The execution provider in use, as ONNX Runtime spells it."
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
