"""Run a sentiment LSTM with NumPy and ONNX Runtime, without PyTorch.

>>> from lstm_runtime import SentimentModel
>>> model = SentimentModel.load()
>>> model("One of the finest films I have ever seen.").label
'positive'
"""

from lstm_runtime.errors import (
    InputError,
    LstmEdgeError,
    MissingExtraError,
    ModelFileError,
    ProviderError,
    VerificationError,
    VocabularyError,
)
from lstm_runtime.model import SentimentModel
from lstm_runtime.result import Sentiment, Verification

__all__ = [
    "InputError",
    "LstmEdgeError",
    "MissingExtraError",
    "ModelFileError",
    "ProviderError",
    "Sentiment",
    "SentimentModel",
    "Verification",
    "VerificationError",
    "VocabularyError",
]
