"""The exception family: one base class, one class per cause, messages that say what to do."""

import reprlib

_LONGEST = 40
_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = _LONGEST


def shown(value: object) -> str:
    """Return a value as a message shows it: as Python spells it, the middle of a long one left out.

    The quotes and brackets of what is cut stay.
    """
    return _SHORT.repr(value)


class LstmEdgeError(Exception):
    """Base of every error that this toolkit raises on purpose."""


class ModelFileError(LstmEdgeError, ValueError):
    """A model file that is missing, truncated, foreign or from a newer version."""


class ProviderError(LstmEdgeError, RuntimeError):
    """An execution provider that was asked for and cannot run here."""


class InputError(LstmEdgeError, ValueError):
    """Texts, ids or states that the model cannot take."""


class AnswerError(LstmEdgeError, RuntimeError):
    """An answer that cannot be had: the run fails, or what it gives is no answer."""


class VerificationError(LstmEdgeError, RuntimeError):
    """A model whose answers on this device differ from the original model's."""


class VocabularyError(LstmEdgeError, ValueError):
    """A vocabulary that is empty, ambiguous or lacks its special words."""


class MissingExtraError(LstmEdgeError, ImportError):
    """A library of an optional extra that is not installed, or cannot be loaded."""


class ClosedError(LstmEdgeError, RuntimeError):
    """A model that was asked after it was closed."""


class ClusterError(LstmEdgeError, RuntimeError):
    """A cluster that cannot be reached, or that failed for good."""


class OverloadedError(LstmEdgeError, RuntimeError):
    """A service whose queue is full."""


class DeadlineError(LstmEdgeError, TimeoutError):
    """An answer that did not come in time."""
