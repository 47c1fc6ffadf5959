"""What a model gives for one batch, whichever of the three witnesses gave it."""

from dataclasses import dataclass

from lstm_runtime.arrays import Array


@dataclass(frozen=True)
class States:
    """What a text can be continued from, and what it passed through."""

    trajectory: list[Array]
    "Per text, ``[length, classes]``; padding is not part of it."
    hn: Array
    "``[layers, batch, hidden]``"
    cn: Array
    "``[layers, batch, hidden]``"


@dataclass(frozen=True)
class ModelOutput:
    """The answer for one batch."""

    probability: Array
    "``[batch, classes]``"
    states: States | None = None
    "None for models that cannot be continued."
