"""The network as plain arrays: what every checkpoint is read into and every graph written from."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from lstm_runtime.cell import CellWeights, run_layers
from lstm_runtime.contract import Architecture
from numpy.typing import NDArray
from torch import Tensor

Array = NDArray[np.float32]


@dataclass(frozen=True)
class LstmLayer:
    """One LSTM layer as PyTorch stores it, gates stacked as input, forget, cell, output."""

    weight_ih: Array
    "``[4 * hidden, input]``"
    weight_hh: Array
    "``[4 * hidden, hidden]``"
    bias_ih: Array
    "``[4 * hidden]``"
    bias_hh: Array
    "``[4 * hidden]``"

    def cell_weights(self) -> CellWeights:
        """Return the four gates by name, for the NumPy witness."""
        matrices = np.split(np.concatenate([self.weight_hh, self.weight_ih], axis=1), 4)
        biases = np.split(self.bias_ih + self.bias_hh, 4)
        ignore, forget, learn, use = zip(matrices, biases, strict=True)
        return CellWeights(learn=learn, ignore=ignore, forget=forget, use=use)


@dataclass(frozen=True)
class Network:
    """Embedding, one-directional LSTM layers, a linear layer and a sigmoid."""

    embedding: Array
    "``[vocab, embedding]``"
    layers: tuple[LstmLayer, ...]
    "LSTM layers, first layer first."
    head_weight: Array
    "``[classes, hidden]``"
    head_bias: Array
    "``[classes]``"

    @property
    def architecture(self) -> Architecture:
        """The network's sizes."""
        return Architecture(
            vocab_size=len(self.embedding),
            embedding_dim=self.embedding.shape[1],
            hidden_dim=self.layers[0].weight_hh.shape[1],
            n_layers=len(self.layers),
            classes=len(self.head_bias),
        )

    def witness(self, ids: NDArray[np.int64], h0: Array, c0: Array) -> dict[str, Array]:
        """Run the network in NumPy, without padding.

        Args:
            ids: ``[batch, sequence]``.
            h0: ``[layers, batch, hidden]``.
            c0: ``[layers, batch, hidden]``.

        Returns:
            ``trajectory`` ``[batch, sequence, classes]``, ``hn`` and ``cn``, as in the contract.

        """
        cells = [layer.cell_weights() for layer in self.layers]
        history = run_layers(cells, self.embedding[ids.T], h0, c0)
        top = np.stack([step.use for step in history[-1]], axis=1)
        logits = top @ self.head_weight.T + self.head_bias
        return {
            "trajectory": 1.0 / (1.0 + np.exp(-logits)),
            "hn": np.stack([steps[-1].use for steps in history]),
            "cn": np.stack([steps[-1].remember for steps in history]),
        }


def network_from_state_dict(state: Mapping[str, Tensor], n_layers: int) -> Network:
    """Read the weights of a `SentimentRNN` by the names in its state dict."""

    def array(name: str) -> Array:
        return state[name].detach().to("cpu").float().numpy()

    layers = tuple(
        LstmLayer(
            array(f"lstm.weight_ih_l{n}"),
            array(f"lstm.weight_hh_l{n}"),
            array(f"lstm.bias_ih_l{n}"),
            array(f"lstm.bias_hh_l{n}"),
        )
        for n in range(n_layers)
    )
    return Network(array("embedding.weight"), layers, array("fc.weight"), array("fc.bias"))
