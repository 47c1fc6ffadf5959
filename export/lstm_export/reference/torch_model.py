"""Our reading of a network in PyTorch, one text at a time, so that no padding can play a part."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from lstm_runtime.arrays import Array
from torch import Tensor, nn

from lstm_export.network import LstmWeights, Network
from lstm_export.reference.outputs import ModelOutput, States

_BETWEEN = {"none": nn.Identity(), "relu": nn.ReLU(), "tanh": nn.Tanh()}


class TorchReference:
    """A `Network` run by PyTorch's own modules."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self._embedding = torch.from_numpy(network.weights.embedding)
        self._lstm = _lstm(network)
        self._head = _head(network)

    def steps(self, ids: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Return the LSTM's outputs and last hidden states for one text, from zero states."""
        with one_thread(), torch.inference_mode():
            steps, (h, _) = self._lstm(self._embedding[torch.tensor([ids])])
        return steps, h

    def probability(self, ids: Sequence[int]) -> Array:
        """Return the probabilities of one text, ``[classes]``, from zero states."""
        return activate(self.network, logits_of(self.network, *self.steps(ids)))

    def answer(self, ids: Sequence[int], h0: Array, c0: Array) -> ModelOutput:
        """Run one text of a model that can be continued from ``h0, c0`` ``[layers, 1, hidden]``."""
        with one_thread(), torch.inference_mode():
            embedded = self._embedding[torch.tensor([ids])]
            steps, (h, c) = self._lstm(embedded, (torch.from_numpy(h0), torch.from_numpy(c0)))
            trajectory = activate(self.network, self._head(steps[0]).numpy())
        return ModelOutput(trajectory[-1:], States([trajectory], h.numpy(), c.numpy()))


def logits_of(network: Network, steps: Tensor, h: Tensor) -> Array:
    """Return the logits of one text, ``[classes]``, from what the LSTM gave for it."""
    with one_thread(), torch.inference_mode():
        logits: Tensor = _head(network)(_read_out(network, steps, h))
    return logits[0].numpy()


def _read_out(network: Network, steps: Tensor, h: Tensor) -> Tensor:
    match network.readout:
        case "step":
            return steps[:, -1]
        case "mean":
            return steps.mean(dim=1)
        case "max":
            return steps.amax(dim=1)
        case "last":
            directions = len(network.weights.layers[-1])
            return torch.cat(list(h[-directions:]), dim=1)


def activate(network: Network, logits: Array) -> Array:
    """Turn logits ``[…, classes]`` into probabilities."""
    values = torch.from_numpy(logits)
    if network.activation == "sigmoid":
        return torch.sigmoid(values).numpy()
    return torch.softmax(values, dim=-1).numpy()


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep PyTorch to one thread: steps are tiny, and waiting for a busy second core is not."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _lstm(network: Network) -> nn.LSTM:
    sizes = network.architecture
    lstm = nn.LSTM(
        sizes.embedding_dim,
        sizes.hidden_dim,
        sizes.n_layers,
        batch_first=True,
        bidirectional=sizes.bidirectional,
    )
    lstm.load_state_dict(
        {
            f"{name}_l{n}{suffix}": torch.from_numpy(getattr(weights, name))
            for n, layer in enumerate(network.weights.layers)
            for suffix, weights in zip(("", "_reverse"), layer, strict=False)
            for name in LstmWeights.__dataclass_fields__
        }
    )
    return lstm


def _head(network: Network) -> nn.Sequential:
    modules: list[nn.Module] = []
    for layer in network.weights.head:
        linear = nn.Linear(layer.weight.shape[1], len(layer.bias))
        linear.weight.data = torch.from_numpy(layer.weight)
        linear.bias.data = torch.from_numpy(layer.bias)
        modules += [_BETWEEN[network.between], linear] if modules else [linear]
    return nn.Sequential(*modules)
