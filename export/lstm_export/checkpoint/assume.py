"""A network made of weights and of what the user says of them: as assumed, never as proven."""

from collections.abc import Iterator, Mapping
from itertools import islice

from lstm_runtime.model_file.contract import Activation

from lstm_export.checkpoint.hints import ArchitectureHints
from lstm_export.checkpoint.state_dict import NetworkWeights
from lstm_export.errors import UnsupportedModelError
from lstm_export.layers import FUNCTIONS, Elementwise, HeadLayer, LinearWeights
from lstm_export.network import Network
from lstm_export.readout import Readout

MOST_LAYERS = 8
"""Linear layers of equal sizes fit each other in every order, of which there are then too many."""

MOST_BLOCKS = 12
"""Widest readout that is thought of, in units of the hidden state: joined states of many layers."""

Order = tuple[str, ...]
"""Names of linear layers in the order in which they run."""


def assume_network(weights: NetworkWeights, hints: ArchitectureHints) -> Network:
    """Read weights without a module: ask for what they cannot tell instead of guessing it.

    Raises:
        UnsupportedModelError: when something has to be told, or does not fit.

    """
    both = len(weights.layers[0]) == 2
    if hints.readout is None:
        _require_chain(weights)
        states = "the final states of both directions" if both else "the final state"
        raise UnsupportedModelError(
            f"weights cannot tell what the linear layer sees of the LSTM: give --readout last "
            f"({states}), step (the output at the last token), mean, max, or others of the guide; "
            "or --module with the class itself, which is then the original"
        )
    readout = Readout.parse(hints.readout, bidirectional=both)
    draft = Network(weights.embedding, weights.layers, (), readout)
    order = _order(weights.linear, draft.features, str(readout))
    if len(order) > 1 and hints.between is None:
        raise UnsupportedModelError(
            f"weights cannot tell what stands between the {len(order)} linear layers: give "
            f"--between none, {', '.join(FUNCTIONS)}, or --module with the class itself"
        )
    head = _head([weights.linear[name] for name in order], hints)
    usual: Activation = "sigmoid" if len(weights.linear[order[-1]].bias) == 1 else "softmax"
    activation = hints.activation or usual
    return Network(weights.embedding, weights.layers, head, readout, activation)


def _require_chain(weights: NetworkWeights) -> None:
    """Check that the linear layers follow each other behind some readout at all."""
    hidden = weights.layers[-1][0].hidden
    widths = (hidden * blocks for blocks in range(1, MOST_BLOCKS + 1))
    if not any(linear_orders(weights.linear, width) for width in widths):
        raise UnsupportedModelError(
            f"the linear layers ({_sizes(weights.linear)}) do not follow each other behind the "
            f"LSTM's {hidden} units, whatever is read of them: attention, several answers or a "
            "fixed length, which only its class can tell (--module FILE:CLASS)"
        )


def _head(linear: list[LinearWeights], hints: ArchitectureHints) -> tuple[HeadLayer, ...]:
    head: list[HeadLayer] = []
    for layer in linear:
        if head and hints.between not in {None, "none"}:
            function = next(f for f in FUNCTIONS if f == hints.between)
            head.append(Elementwise.usual(function))
        head.append(layer)
    return tuple(head)


def _order(linear: Mapping[str, LinearWeights], features: int, readout: str) -> Order:
    """Return the one order in which all linear layers fit the readout and each other."""
    found = linear_orders(linear, features)
    if len(found) > 1:
        raise UnsupportedModelError(
            f"the linear layers {', '.join(linear)} fit each other in more than one order: give "
            "--module FILE:CLASS"
        )
    if not found:
        raise UnsupportedModelError(
            f"the linear layers do not follow each other behind the readout {readout}, which has "
            f"{features} features ({_sizes(linear)}): another --readout, or --module FILE:CLASS"
        )
    return found[0]


def _sizes(linear: Mapping[str, LinearWeights]) -> str:
    return ", ".join(
        f"{name} takes {w.weight.shape[1]} features and gives {len(w.bias)}"
        for name, w in linear.items()
    )


def linear_orders(linear: Mapping[str, LinearWeights], features: int) -> list[Order]:
    """Return the orders in which all linear layers fit ``features`` and each other, two at most."""
    if len(linear) > MOST_LAYERS:
        raise UnsupportedModelError(f"{len(linear)} linear layers are more than can be ordered")
    return list(islice(_orders(linear, features, ()), 2))


def _orders(linear: Mapping[str, LinearWeights], features: int, before: Order) -> Iterator[Order]:
    if len(before) == len(linear):
        yield before
    for name, layer in linear.items():
        if name not in before and layer.weight.shape[1] == features:
            yield from _orders(linear, len(layer.bias), (*before, name))
