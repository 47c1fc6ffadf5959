"""What the user says of a network that its weights cannot tell."""

from dataclasses import dataclass
from typing import Literal

from lstm_runtime.model_file.contract import Activation

from lstm_export.layers import Function


@dataclass(frozen=True)
class ArchitectureHints:
    """What the user says of a network; None where the weights or the module have to tell."""

    readout: str | None = None
    "What the layers behind the LSTM see, see `lstm_export.readout.Readout.parse`."
    activation: Activation | None = None
    "What makes the answer of the last layer's numbers."
    between: Function | Literal["none"] | None = None
    "What stands between the linear layers: an activation function, or ``none``."
