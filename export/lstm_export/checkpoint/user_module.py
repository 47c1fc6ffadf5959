"""The user's own PyTorch module: how to call it, and which reading of its weights it confirms."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import torch
from lstm_runtime.arrays import Array
from lstm_runtime.model_file.contract import Readout
from torch import Tensor, nn

from lstm_export.errors import UnsupportedModelError
from lstm_export.network import Activation, Between, Network, NetworkWeights
from lstm_export.reference.torch_model import (
    TorchReference,
    activate,
    logits_of,
    one_thread,
)

Call = Callable[[nn.Module, Tensor], Any]

PROBE_LENGTHS = (1, 2, 9, 23)
PROBE_ATOL = 1e-5


@dataclass(frozen=True)
class ArchitectureHints:
    """What the user says of a network; None where the weights or the module have to tell."""

    readout: Readout | None = None
    "What the linear layers see."
    activation: Activation | None = None
    "What makes probabilities of the logits."
    between: Between | None = None
    "What stands between the linear layers."


class UserModule:
    """A module in evaluation mode together with the way to call it.

    Args:
        module: any module that takes int ids, ``[1, sequence]`` or ``[sequence, 1]``, alone or
            with lengths or states, and returns probabilities, logits or log-probabilities, alone or
            first in a tuple.
        weights: its weights.
        options: narrows the readings that are tried.

    Raises:
        UnsupportedModelError: when it cannot be called so, or no reading of its weights gives its
            answers.

    """

    def __init__(
        self, module: nn.Module, weights: NetworkWeights, options: ArchitectureHints
    ) -> None:
        self.module = module.eval()
        self._call, outputs = self._find_call(weights)
        self.network, self._as_probability = self._find_reading(weights, options, outputs)

    def probability(self, ids: Sequence[int]) -> Array:
        """Return the module's own answer for one text as probabilities, ``[classes]``."""
        return self._as_probability(_output(self.module, self._call, ids))

    def _find_call(self, weights: NetworkWeights) -> tuple[Call, list[Array]]:
        """Return the first way to call the module that gives one value per class for any length."""
        failures = []
        for name, call in _calls(weights):
            try:
                outputs = [_output(self.module, call, ids) for ids in _probes(weights)]
            except Exception as error:
                failures.append(
                    f"{name}: {' '.join(str(error).split())[:80] or type(error).__name__}"
                )
                continue
            if all(output.shape == (weights.classes,) for output in outputs):
                return call, outputs
            failures.append(f"{name}: returned {outputs[-1].size} values")
        raise UnsupportedModelError(
            f"{type(self.module).__name__}.forward cannot be called on one text "
            f"({'; '.join(failures)})"
        )

    def _find_reading(
        self, weights: NetworkWeights, options: ArchitectureHints, outputs: list[Array]
    ) -> tuple[Network, Callable[[Array], Array]]:
        """Return the reading of the weights that gives the module's own answers."""
        lstm = TorchReference(Network(weights))
        steps = [lstm.steps(ids) for ids in _probes(weights)]
        for network in _networks(weights, options):
            logits = [logits_of(network, *given) for given in steps]
            for form in _forms(network):
                pairs = zip(logits, outputs, strict=True)
                if all(_close(form.of_logits(ours), theirs) for ours, theirs in pairs):
                    return network, form.to_probability
        raise UnsupportedModelError(
            f"no reading of its weights gives the answers of {type(self.module).__name__}.forward: "
            "it does something that embedding, LSTM and linear layers alone do not"
        )


@dataclass(frozen=True)
class _Form:
    """What a forward returns: probabilities, logits or log-probabilities."""

    of_logits: Callable[[Array], Array]
    to_probability: Callable[[Array], Array]


def _forms(network: Network) -> Iterator[_Form]:
    def probability(logits: Array) -> Array:
        return activate(network, logits)

    yield _Form(probability, lambda output: output)
    yield _Form(lambda logits: logits, probability)
    yield _Form(lambda logits: np.log(probability(logits)), np.exp)


def _networks(weights: NetworkWeights, options: ArchitectureHints) -> Iterator[Network]:
    """Yield the readings that the options leave open, the most usual first."""
    readouts: tuple[Readout, ...] = ("last", "step", "mean", "max")
    activations: tuple[Activation, ...] = (
        ("sigmoid",) if weights.classes == 1 else ("softmax", "sigmoid")
    )
    betweens: tuple[Between, ...] = ("none", "relu", "tanh") if len(weights.head) > 1 else ("none",)
    for readout, between, activation in product(
        (options.readout,) if options.readout else readouts,
        (options.between,) if options.between else betweens,
        (options.activation,) if options.activation else activations,
    ):
        yield Network(weights, readout, activation, between)


def _calls(weights: NetworkWeights) -> Iterator[tuple[str, Call]]:
    directions = len(weights.layers[0])
    shape = (directions * len(weights.layers), 1, weights.layers[0][0].weight_hh.shape[1])

    def states(_: Tensor) -> tuple[Tensor, Tensor]:
        return torch.zeros(shape), torch.zeros(shape)

    def lengths(ids: Tensor) -> Tensor:
        return torch.tensor([ids.numel()])

    yield "forward(ids)", lambda module, ids: module(ids)
    yield "forward(ids, states)", lambda module, ids: module(ids, states(ids))
    yield "forward(ids, lengths)", lambda module, ids: module(ids, lengths(ids))
    yield "forward(ids by time)", lambda module, ids: module(ids.T)
    yield "forward(ids by time, lengths)", lambda module, ids: module(ids.T, lengths(ids))
    yield "forward(ids by time, states)", lambda module, ids: module(ids.T, states(ids))


def _output(module: nn.Module, call: Call, ids: Sequence[int]) -> Array:
    with one_thread(), torch.inference_mode():
        output = call(module, torch.tensor([ids]))
    while isinstance(output, tuple | list):
        output = output[0]
    return np.asarray(output.float().numpy()).reshape(-1)


def _probes(weights: NetworkWeights) -> list[list[int]]:
    random = np.random.default_rng(2)
    return [random.integers(0, len(weights.embedding), n).tolist() for n in PROBE_LENGTHS]


def _close(ours: Array, theirs: Array) -> bool:
    return bool(np.allclose(ours, theirs, rtol=PROBE_ATOL, atol=PROBE_ATOL))
