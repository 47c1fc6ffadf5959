"""Run a sentiment LSTM with NumPy and ONNX Runtime, without PyTorch.

>>> from lstm_runtime import SentimentModel
>>> model = SentimentModel.load()
>>> model("One of the finest films I have ever seen.").label
'positive'
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from lstm_runtime.errors import (
    ClosedError,
    InputError,
    LstmEdgeError,
    MissingExtraError,
    ModelFileError,
    ProviderError,
    VerificationError,
    VocabularyError,
)

if TYPE_CHECKING:
    from lstm_runtime.inference.results import ModelInfo, Sentiment, Verification
    from lstm_runtime.inference.streaming import SentimentStream, StreamState
    from lstm_runtime.model import SentimentModel
    from lstm_runtime.model_file.contract import Metadata
    from lstm_runtime.trace.tracer import Trace

_HOMES = {
    "Metadata": "model_file.contract",
    "ModelInfo": "inference.results",
    "Sentiment": "inference.results",
    "SentimentModel": "model",
    "SentimentStream": "inference.streaming",
    "StreamState": "inference.streaming",
    "Trace": "trace.tracer",
    "Verification": "inference.results",
}

__all__ = [
    "ClosedError",
    "InputError",
    "LstmEdgeError",
    "Metadata",
    "MissingExtraError",
    "ModelFileError",
    "ModelInfo",
    "ProviderError",
    "Sentiment",
    "SentimentModel",
    "SentimentStream",
    "StreamState",
    "Trace",
    "Verification",
    "VerificationError",
    "VocabularyError",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: ``lstm-run --help`` must not pay for NumPy."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
