"""What can go wrong in training, as exceptions of the one family."""

from lstm_runtime.errors import LstmEdgeError


class DataError(LstmEdgeError, ValueError):
    """A data set that is missing, empty or malformed; names the file and the row."""


class CheckpointError(LstmEdgeError, ValueError):
    """A checkpoint that is missing, truncated, foreign or would run code."""


class TrainingError(LstmEdgeError, RuntimeError):
    """A training run that cannot start, go on or be resumed."""
