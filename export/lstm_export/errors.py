"""What can go wrong in an export, as exceptions of the one family."""

from lstm_runtime.errors import LstmEdgeError


class UnsupportedModelError(LstmEdgeError, ValueError):
    """A checkpoint whose network this exporter cannot write."""


class QuantizationError(LstmEdgeError, RuntimeError):
    """A quantised graph that still holds the float operators it should have replaced."""


class ParityError(LstmEdgeError, RuntimeError):
    """An exported model that does not answer like the original."""


class OutputError(LstmEdgeError, OSError):
    """Files that cannot be read or written: no room, no right, no such folder."""
