"""Train a sentiment LSTM on labelled texts, and measure it.

>>> from lstm_training import TrainingConfig, evaluate, load_examples, train
>>> result = train(TrainingConfig(epochs=3), load_examples("reviews.csv"), "model")
>>> evaluate("model/model.pt", "more_reviews.csv").accuracy
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from lstm_runtime.errors import LstmEdgeError, MissingExtraError, ModelFileError, ProviderError
from lstm_runtime.extras import requires_extra
from lstm_runtime.version import __version__

from lstm_training.errors import (
    CheckpointError,
    ConfigError,
    DataError,
    DivergenceError,
    EvaluationError,
    TrainingError,
    TrainingInterruptedError,
)

if TYPE_CHECKING:
    from lstm_runtime.text.tokenizer import TextEncoder
    from lstm_runtime.text.vocabulary import Vocabulary

    from lstm_training.api import TrainingResult, train
    from lstm_training.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
    from lstm_training.config import TrainingConfig
    from lstm_training.data.examples import Examples
    from lstm_training.data.scheme import LabelScheme
    from lstm_training.data.sources import load_examples
    from lstm_training.data.tables import Columns
    from lstm_training.evaluation.confusion import Confusion, LabelMeasures
    from lstm_training.evaluation.evaluate import evaluate
    from lstm_training.evaluation.evaluator import Evaluation, LengthBucket
    from lstm_training.evaluation.mistakes import Mistake
    from lstm_training.evaluation.predictions import EvaluatedModel, Predictions, TextStats
    from lstm_training.model import ModelConfig, SentimentRNN
    from lstm_training.transfer.recommend import choose_start, recommended_config
    from lstm_training.transfer.start import load_start

_HOMES = {
    "Checkpoint": "lstm_training.checkpoint",
    "Columns": "lstm_training.data.tables",
    "Confusion": "lstm_training.evaluation.confusion",
    "EvaluatedModel": "lstm_training.evaluation.predictions",
    "Evaluation": "lstm_training.evaluation.evaluator",
    "Examples": "lstm_training.data.examples",
    "LabelMeasures": "lstm_training.evaluation.confusion",
    "LabelScheme": "lstm_training.data.scheme",
    "LengthBucket": "lstm_training.evaluation.evaluator",
    "Mistake": "lstm_training.evaluation.mistakes",
    "ModelConfig": "lstm_training.model",
    "Predictions": "lstm_training.evaluation.predictions",
    "SentimentRNN": "lstm_training.model",
    "TextEncoder": "lstm_runtime.text.tokenizer",
    "TextStats": "lstm_training.evaluation.predictions",
    "TrainingConfig": "lstm_training.config",
    "TrainingResult": "lstm_training.api",
    "Vocabulary": "lstm_runtime.text.vocabulary",
    "choose_start": "lstm_training.transfer.recommend",
    "evaluate": "lstm_training.evaluation.evaluate",
    "load_checkpoint": "lstm_training.checkpoint",
    "load_examples": "lstm_training.data.sources",
    "load_start": "lstm_training.transfer.start",
    "recommended_config": "lstm_training.transfer.recommend",
    "save_checkpoint": "lstm_training.checkpoint",
    "train": "lstm_training.api",
}

__all__ = [
    "Checkpoint",
    "CheckpointError",
    "Columns",
    "ConfigError",
    "Confusion",
    "DataError",
    "DivergenceError",
    "EvaluatedModel",
    "Evaluation",
    "EvaluationError",
    "Examples",
    "LabelMeasures",
    "LabelScheme",
    "LengthBucket",
    "LstmEdgeError",
    "MissingExtraError",
    "Mistake",
    "ModelConfig",
    "ModelFileError",
    "Predictions",
    "ProviderError",
    "SentimentRNN",
    "TextEncoder",
    "TextStats",
    "TrainingConfig",
    "TrainingError",
    "TrainingInterruptedError",
    "TrainingResult",
    "Vocabulary",
    "__version__",
    "choose_start",
    "evaluate",
    "load_checkpoint",
    "load_examples",
    "load_start",
    "recommended_config",
    "save_checkpoint",
    "train",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: ``lstm-train --help`` must not pay for torch.

    Raises:
        MissingExtraError: when the library behind it is not installed.

    """
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    with requires_extra("train"):
        return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """Return the public names."""
    return __all__
