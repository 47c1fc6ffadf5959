"""The network as plain arrays: what every checkpoint is read into and every graph written from."""

from dataclasses import dataclass
from functools import reduce

import numpy as np
from lstm_runtime.arrays import Array
from lstm_runtime.model_file.contract import FROM_WEIGHTS, Activation, Architecture
from lstm_runtime.trace.lstm_cell import CellWeights

from lstm_export.layers import HeadLayer, LinearWeights, describe
from lstm_export.readout import LAST, Readout


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
        """Return the four gates by name, for the NumPy cell."""
        matrices = np.split(np.concatenate([self.weight_hh, self.weight_ih], axis=1), 4)
        biases = np.split(self.bias_ih + self.bias_hh, 4)
        ignore, forget, learn, use = zip(matrices, biases, strict=True)
        return CellWeights(learn=learn, ignore=ignore, forget=forget, use=use)

    @property
    def hidden(self) -> int:
        """Units."""
        return int(self.weight_hh.shape[1])


Layers = tuple[tuple[LstmWeights, ...], ...]
"""LSTM layers, first layer first; each has one direction or two (forward, backward)."""


@dataclass(frozen=True)
class InitialStates:
    """States that every text starts from, where they are not zero."""

    h0: tuple[Array, ...]
    "``[directions, 1, hidden]`` for each layer."
    c0: tuple[Array, ...]
    "``[directions, 1, hidden]`` for each layer."


@dataclass(frozen=True)
class Network:
    """A network whose every step is known."""

    embedding: Array
    """``[vocab, embedding]``: what the LSTM reads for each word. Whatever a model does to a word's
    vector alone (a scale, a linear layer, a normalisation) is in it already."""
    layers: Layers
    "The LSTM."
    head: tuple[HeadLayer, ...]
    "What runs after the readout, in order."
    readout: Readout = LAST
    "What the head sees of the LSTM."
    activation: Activation = "sigmoid"
    "What makes the answer of the head's numbers."
    initial: InitialStates | None = None
    "None for zeros."
    in_pieces: bool = True
    "Whether texts may arrive in pieces: not where they are cut or padded on the way to their ids."

    @property
    def bidirectional(self) -> bool:
        """Whether the LSTM also reads from the end."""
        return len(self.layers[0]) == 2

    @property
    def features(self) -> int:
        """Width of the readout."""
        return sum(self.layers[_index(b.layer)][0].hidden for b in self.readout.blocks)

    @property
    def classes(self) -> int:
        """Numbers in an answer."""
        linear = [layer for layer in self.head if isinstance(layer, LinearWeights)]
        return reduce(lambda _, layer: len(layer.bias), linear, self.features)

    @property
    def architecture(self) -> Architecture:
        """The network's sizes."""
        return Architecture(
            vocab_size=len(self.embedding),
            embedding_dim=self.embedding.shape[1],
            hidden_dim=self.layers[-1][0].hidden,
            n_layers=len(self.layers),
            classes=self.classes,
            bidirectional=self.bidirectional,
            readout=str(self.readout),
        )

    def described(self) -> str:
        """Return the network in words, step by step."""
        count = len(self.layers)
        lstm = f"{count} LSTM layer{'' if count == 1 else 's'}"
        ways = " both ways" if self.bidirectional else ""
        steps = ["embedding", f"{lstm}{ways}", f"readout {self.readout}"]
        steps += [describe(layer) for layer in self.head]
        return ", ".join([*steps, self.activation if self.activation != "none" else "as it is"])

    @property
    def exporter(self) -> str:
        """What writes its graph."""
        return FROM_WEIGHTS

    @property
    def max_tokens(self) -> int | None:
        """Longest text that can be read: there is no such bound."""
        return None

    @property
    def continuable(self) -> bool:
        """Whether a text can be continued from ``hn, cn``: nothing else is remembered of it.

        Continued texts start from zeros, so states that a model has learned rule it out.
        """
        sizes = {layer[0].hidden for layer in self.layers}
        return (
            self.in_pieces
            and not self.bidirectional
            and self.readout == LAST
            and self.initial is None
            and len(sizes) == 1
        )


def _index(layer: int | None) -> int:
    return -1 if layer is None else layer
