"""What can go wrong in training, as exceptions of the one family."""

from lstm_runtime.errors import LstmEdgeError


class DataError(LstmEdgeError, ValueError):
    """A data set that is missing, empty or malformed; names the file and the row."""


class ConfigError(LstmEdgeError, ValueError):
    """A training configuration that makes no sense; names the field."""


class CheckpointError(LstmEdgeError, ValueError):
    """A checkpoint that is missing, truncated, foreign or would run code."""


class TrainingError(LstmEdgeError, RuntimeError):
    """A training run that cannot start, go on or be resumed."""


class DivergenceError(TrainingError):
    """A training run whose loss is no number any more."""


class EvaluationError(LstmEdgeError, ValueError):
    """A model that cannot be measured: of no known kind, with too many labels or no answers."""


class TrainingInterruptedError(TrainingError):
    """A training run that was asked to stop; its state is saved and can be resumed."""
