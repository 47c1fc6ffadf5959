"""The network as plain arrays: what every checkpoint is read into and every graph written from."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from lstm_runtime.arrays import Array
from lstm_runtime.model_file.contract import Architecture, Readout
from lstm_runtime.trace.lstm_cell import CellWeights

Activation = Literal["sigmoid", "softmax"]
Between = Literal["none", "relu", "tanh"]


@dataclass(frozen=True)
class LstmWeights:
    """One direction of one LSTM layer as PyTorch stores it, gates stacked as i, f, g, o."""

    weight_ih: Array
    "``[4 * hidden, input]``"
    weight_hh: Array
    "``[4 * hidden, hidden]``"
    bias_ih: Array
    "``[4 * hidden]``; zeros where the layer has none."
    bias_hh: Array
    "``[4 * hidden]``; zeros where the layer has none."

    def cell_weights(self) -> CellWeights:
        """Return the four gates by name, for the NumPy witness."""
        matrices = np.split(np.concatenate([self.weight_hh, self.weight_ih], axis=1), 4)
        biases = np.split(self.bias_ih + self.bias_hh, 4)
        ignore, forget, learn, use = zip(matrices, biases, strict=True)
        return CellWeights(learn=learn, ignore=ignore, forget=forget, use=use)


@dataclass(frozen=True)
class LinearWeights:
    """A linear layer."""

    weight: Array
    "``[out, in]``"
    bias: Array
    "``[out]``; zeros where the layer has none."


@dataclass(frozen=True)
class NetworkWeights:
    """All that weights alone can tell of a network."""

    embedding: Array
    "``[vocab, embedding]``"
    layers: tuple[tuple[LstmWeights, ...], ...]
    "LSTM layers, first layer first; each has one direction or two (forward, backward)."
    head: tuple[LinearWeights, ...]
    "Linear layers after the LSTM, in the order in which they run."

    @property
    def bidirectional(self) -> bool:
        """Whether the LSTM also reads from the end."""
        return len(self.layers[0]) == 2

    @property
    def classes(self) -> int:
        """Number of logits."""
        return len(self.head[-1].bias)


@dataclass(frozen=True)
class Network:
    """A network whose every step is known."""

    weights: NetworkWeights
    "The weights."
    readout: Readout = "last"
    "What the first linear layer sees, see `lstm_runtime.model_file.contract.Architecture`."
    activation: Activation = "sigmoid"
    "What makes probabilities of the logits."
    between: Between = "none"
    "What stands between the linear layers, where there are several."

    @property
    def architecture(self) -> Architecture:
        """The network's sizes."""
        weights = self.weights
        return Architecture(
            vocab_size=len(weights.embedding),
            embedding_dim=weights.embedding.shape[1],
            hidden_dim=weights.layers[0][0].weight_hh.shape[1],
            n_layers=len(weights.layers),
            classes=weights.classes,
            bidirectional=weights.bidirectional,
            readout=self.readout,
        )

    @property
    def continuable(self) -> bool:
        """Whether a text can be continued from ``hn, cn``: nothing else is remembered of it."""
        return not self.weights.bidirectional and self.readout == "last"
