"""Write a sentiment LSTM as ONNX files that are proven equal to the PyTorch model.

>>> from lstm_export import export
>>> results = export("model.pt", "onnx")
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from lstm_runtime.errors import InputError, LstmEdgeError, MissingExtraError, VocabularyError

from lstm_export.errors import (
    OutputError,
    ParityError,
    QuantizationError,
    UnsupportedModelError,
)

if TYPE_CHECKING:
    from importlib.metadata import version

    from lstm_runtime.text.tokenizer import Tokenizer
    from lstm_runtime.text.vocabulary import Vocabulary
    from lstm_runtime.text.window import Window
    from lstm_training.data.examples import Examples
    from lstm_training.errors import CheckpointError

    from lstm_export.api import export
    from lstm_export.checkpoint.hints import ArchitectureHints
    from lstm_export.checkpoint.source import Source, load_source, module_source
    from lstm_export.checkpoint.vocabulary_file import read_vocabulary
    from lstm_export.config import ExportConfig
    from lstm_export.graph.precision import Int8Weights
    from lstm_export.outcome import ExportResult
    from lstm_export.parity.result import Parity
    from lstm_export.pipeline import export_source

    __version__ = version("lstm-edge")

_HOMES = {
    "ArchitectureHints": "lstm_export.checkpoint.hints",
    "CheckpointError": "lstm_training.errors",
    "Examples": "lstm_training.data.examples",
    "ExportConfig": "lstm_export.config",
    "ExportResult": "lstm_export.outcome",
    "Int8Weights": "lstm_export.graph.precision",
    "Parity": "lstm_export.parity.result",
    "Source": "lstm_export.checkpoint.source",
    "Tokenizer": "lstm_runtime.text.tokenizer",
    "Vocabulary": "lstm_runtime.text.vocabulary",
    "Window": "lstm_runtime.text.window",
    "export": "lstm_export.api",
    "export_source": "lstm_export.pipeline",
    "load_source": "lstm_export.checkpoint.source",
    "module_source": "lstm_export.checkpoint.source",
    "read_vocabulary": "lstm_export.checkpoint.vocabulary_file",
}

__all__ = [
    "ArchitectureHints",
    "CheckpointError",
    "Examples",
    "ExportConfig",
    "ExportResult",
    "InputError",
    "Int8Weights",
    "LstmEdgeError",
    "MissingExtraError",
    "OutputError",
    "Parity",
    "ParityError",
    "QuantizationError",
    "Source",
    "Tokenizer",
    "UnsupportedModelError",
    "Vocabulary",
    "VocabularyError",
    "Window",
    "__version__",
    "export",
    "export_source",
    "load_source",
    "module_source",
    "read_vocabulary",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: ``lstm-export --help`` must not pay for torch."""
    if name == "__version__":
        from importlib.metadata import version

        return version("lstm-edge")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from lstm_runtime.extras import requires_extra

    with requires_extra("export", "cpu"):
        return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
