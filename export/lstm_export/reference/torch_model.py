"""Our reading of a network in PyTorch, one text at a time, so that no padding can play a part."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from lstm_runtime.arrays import Array
from lstm_runtime.model_file.contract import Activation
from torch import Tensor, nn
from torch.nn import functional

from lstm_export.layers import Elementwise, HeadLayer, LinearWeights, ScaleWeights
from lstm_export.network import LstmWeights, Network
from lstm_export.readout import Block
from lstm_export.reference.outputs import ModelOutput, States


class TorchReference:
    """A `Network` run by PyTorch's own modules."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self._embedding = torch.from_numpy(network.embedding)
        self._lstms = [_lstm(layer) for layer in network.layers]
        self._starts = _starts(network)

    def probability(self, ids: Sequence[int]) -> Array:
        """Return the answer to one text, ``[classes]``, from the model's own first states."""
        return activate(self.network.activation, self.head_output(ids))

    def head_output(self, ids: Sequence[int]) -> Array:
        """Return the head's numbers for one text, before the activation."""
        with one_thread(), torch.inference_mode():
            steps, h, c = self._run(ids, self._starts)
            features = torch.cat([_block(b, steps, h, c) for b in self.network.readout.blocks])
            return self._through_head(features)

    def answer(self, ids: Sequence[int], h0: Array, c0: Array) -> ModelOutput:
        """Run one text of a model that can be continued from ``h0, c0`` ``[layers, 1, hidden]``."""
        given = [(torch.from_numpy(h), torch.from_numpy(c)) for h, c in zip(h0, c0, strict=True)]
        with one_thread(), torch.inference_mode():
            steps, h, c = self._run(ids, [(h[None], c[None]) for h, c in given])
            trajectory = activate(self.network.activation, self._through_head(steps))
        hn, cn = (torch.stack([row[0] for row in states])[:, None].numpy() for states in (h, c))
        return ModelOutput(trajectory[-1:], States([trajectory], hn, cn))

    def _run(
        self, ids: Sequence[int], starts: Sequence[tuple[Tensor, Tensor]]
    ) -> tuple[Tensor, list[Tensor], list[Tensor]]:
        """Return the top layer's outputs, ``[length, features]``, and each layer's final states.

        The states are ``[directions, hidden]``.
        """
        steps, hs, cs = self._embedding[torch.tensor(ids)][None], [], []
        for lstm, start in zip(self._lstms, starts, strict=True):
            steps, (h, c) = lstm(steps, start)
            hs.append(h[:, 0])
            cs.append(c[:, 0])
        return steps[0], hs, cs

    def _through_head(self, features: Tensor) -> Array:
        for layer in self.network.head:
            features = apply_layer(layer, features)
        return features.numpy()


def activate(activation: Activation, values: Array) -> Array:
    """Make answers of the head's numbers, ``[…, classes]``."""
    if activation == "none":
        return values
    given = torch.from_numpy(values)
    made = torch.sigmoid(given) if activation == "sigmoid" else torch.softmax(given, dim=-1)
    return made.numpy()


def elementwise(layer: Elementwise, x: Tensor) -> Tensor:
    """Apply an activation function."""
    return _FUNCTIONS[layer.function](x, layer.slope)


_FUNCTIONS: Mapping[str, Callable[[Tensor, float], Tensor]] = {
    "relu": lambda x, _: functional.relu(x),
    "tanh": lambda x, _: torch.tanh(x),
    "sigmoid": lambda x, _: torch.sigmoid(x),
    "gelu": lambda x, _: functional.gelu(x),
    "gelu-tanh": lambda x, _: functional.gelu(x, approximate="tanh"),
    "leaky-relu": functional.leaky_relu,
    "elu": functional.elu,
    "silu": lambda x, _: functional.silu(x),
    "selu": lambda x, _: functional.selu(x),
}


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep PyTorch to one thread: steps are tiny, and waiting for a busy second core is not."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def apply_layer(layer: HeadLayer, x: Tensor) -> Tensor:
    """Apply one layer to the last axis."""
    match layer:
        case LinearWeights(weight, bias):
            return functional.linear(x, torch.from_numpy(weight), torch.from_numpy(bias))
        case ScaleWeights(scale, offset):
            return x * torch.from_numpy(scale) + torch.from_numpy(offset)
        case Elementwise():
            return elementwise(layer, x)
        case norm:
            gain, shift = torch.from_numpy(norm.weight), torch.from_numpy(norm.bias)
            return functional.layer_norm(x, gain.shape, gain, shift, norm.eps)


def _block(block: Block, steps: Tensor, h: list[Tensor], c: list[Tensor]) -> Tensor:
    """Return one block of the readout, ``[hidden]``."""
    if block.pool in {"last", "cell"}:
        states = h if block.pool == "last" else c
        return _side(block, states[-1 if block.layer is None else block.layer])
    hidden = h[-1].shape[-1]
    sides = _side(block, torch.stack(torch.split(steps, hidden, dim=-1)))
    match block.pool:
        case "step":
            return sides[-1]
        case "first":
            return sides[0]
        case "mean":
            return sides.mean(dim=0)
        case _:
            return sides.amax(dim=0)


def _side(block: Block, directions: Tensor) -> Tensor:
    """Choose from ``[directions, …]``, or join them."""
    match block.side:
        case "sum":
            return directions.sum(dim=0)
        case "average":
            return directions.mean(dim=0)
        case _:
            return directions[int(block.side == "backward")]


def _starts(network: Network) -> list[tuple[Tensor, Tensor]]:
    if network.initial:
        pairs = zip(network.initial.h0, network.initial.c0, strict=True)
        return [(torch.from_numpy(h), torch.from_numpy(c)) for h, c in pairs]
    shapes = [(len(layer), 1, layer[0].hidden) for layer in network.layers]
    return [(torch.zeros(shape), torch.zeros(shape)) for shape in shapes]


def _lstm(layer: tuple[LstmWeights, ...]) -> nn.LSTM:
    inputs = layer[0].weight_ih.shape[1]
    both = len(layer) == 2
    lstm = nn.LSTM(inputs, layer[0].hidden, batch_first=True, bidirectional=both)
    lstm.load_state_dict(
        {
            f"{name}_l0{suffix}": torch.from_numpy(np.ascontiguousarray(getattr(weights, name)))
            for suffix, weights in zip(("", "_reverse"), layer, strict=False)
            for name in LstmWeights.__dataclass_fields__
        }
    )
    return lstm
