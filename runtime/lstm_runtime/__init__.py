"""Run a sentiment LSTM with NumPy and ONNX Runtime, without PyTorch.

>>> from lstm_runtime import SentimentModel
>>> model = SentimentModel.load()
>>> model("One of the finest films I have ever seen.").label
'positive'
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from lstm_runtime.errors import (
    AnswerError,
    ClosedError,
    ClusterError,
    DeadlineError,
    InputError,
    LstmEdgeError,
    MissingExtraError,
    ModelFileError,
    OverloadedError,
    ProviderError,
    VerificationError,
    VocabularyError,
)
from lstm_runtime.version import __version__

if TYPE_CHECKING:
    from lstm_runtime.bulk.job import BulkJob, run_bulk
    from lstm_runtime.bulk.report import BulkReport
    from lstm_runtime.inference.info import ModelInfo
    from lstm_runtime.inference.results import Sentiment
    from lstm_runtime.inference.streaming import SentimentStream, StreamState
    from lstm_runtime.inference.verification import Verification
    from lstm_runtime.model import SentimentModel
    from lstm_runtime.model_file.contract import Architecture, Metadata, Reference
    from lstm_runtime.model_file.tokenizer_spec import TokenizerSpec
    from lstm_runtime.tables.dialect import Dialect
    from lstm_runtime.text.tokenizer import Tokenizer
    from lstm_runtime.text.vocabulary import Vocabulary
    from lstm_runtime.text.window import Window
    from lstm_runtime.trace.tracer import Trace

_HOMES = {
    "Architecture": "model_file.contract",
    "BulkJob": "bulk.job",
    "BulkReport": "bulk.report",
    "Dialect": "tables.dialect",
    "Metadata": "model_file.contract",
    "ModelInfo": "inference.info",
    "Reference": "model_file.contract",
    "Sentiment": "inference.results",
    "SentimentModel": "model",
    "SentimentStream": "inference.streaming",
    "StreamState": "inference.streaming",
    "Tokenizer": "text.tokenizer",
    "TokenizerSpec": "model_file.tokenizer_spec",
    "Trace": "trace.tracer",
    "Verification": "inference.verification",
    "Vocabulary": "text.vocabulary",
    "Window": "text.window",
    "run_bulk": "bulk.job",
}

__all__ = [
    "AnswerError",
    "Architecture",
    "BulkJob",
    "BulkReport",
    "ClosedError",
    "ClusterError",
    "DeadlineError",
    "Dialect",
    "InputError",
    "LstmEdgeError",
    "Metadata",
    "MissingExtraError",
    "ModelFileError",
    "ModelInfo",
    "OverloadedError",
    "ProviderError",
    "Reference",
    "Sentiment",
    "SentimentModel",
    "SentimentStream",
    "StreamState",
    "Tokenizer",
    "TokenizerSpec",
    "Trace",
    "Verification",
    "VerificationError",
    "Vocabulary",
    "VocabularyError",
    "Window",
    "__version__",
    "run_bulk",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: ``lstm-run --help`` must not pay for NumPy."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """Return the public names, loaded or not."""
    return sorted(__all__)
