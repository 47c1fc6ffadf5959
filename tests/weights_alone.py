"""What is said of a structure's weights without its class."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from lstm_edge import ArchitectureHints
from lstm_export import UnsupportedModelError, load_source
from lstm_export.layers import Elementwise, LinearWeights
from lstm_export.network import Network
from torch import nn

NEEDS_CLASS = "asked for the readout; as assumed at best: needs its class"


def weights_alone(module: nn.Module, network: object, file: Path) -> str:
    """Export ``module``'s state dict without its class, and say what comes of it.

    Args:
        module: a structure.
        network: what it is found to be with its class; anything else where it is refused or of
            another kind.
        file: where to write the weights.

    Returns:
        The options that give the very network of the class, or why there are none.

    """
    torch.save(module.state_dict(), file)
    asked = _refusal(file, ArchitectureHints())
    assert asked, "weights alone are read without a question"
    hints = _described(network) if isinstance(network, Network) else None
    if hints is None:
        return NEEDS_CLASS if asked.startswith("weights cannot tell") else f"refused: {asked}"
    refused = _refusal(file, hints)
    if refused:
        return f"refused: {refused}"
    source = load_source(file, hints)
    assert source.original is None and source.verdict == "as assumed"
    if not _same(source.network, network):
        return NEEDS_CLASS
    between = f" --between {hints.between}" if hints.between else ""
    activation = f" --activation {hints.activation}" if hints.activation else ""
    return f"the same files, as assumed: `--readout {hints.readout}{between}{activation}`"


def _refusal(file: Path, hints: ArchitectureHints) -> str:
    try:
        load_source(file, hints)
    except UnsupportedModelError as error:
        return str(error)
    return ""


def _described(network: Network) -> ArchitectureHints | None:
    """Return the options for a network, where there are any."""
    linear = [layer for layer in network.head if isinstance(layer, LinearWeights)]
    between = {layer for layer in network.head if isinstance(layer, Elementwise)}
    usual = "sigmoid" if network.classes == 1 else "softmax"
    hints = ArchitectureHints(
        str(network.readout), None if network.activation == usual else network.activation
    )
    if len(network.head) == len(linear) == 1:
        return hints
    if len(network.head) == len(linear):
        return replace(hints, between="none")
    gaps = network.head[1::2]
    if len(between) != 1 or len(gaps) != len(linear) - 1 or set(gaps) != between:
        return None
    (function,) = between
    return replace(hints, between=function.function)


def _same(one: object, two: object) -> bool:
    """Tell whether two networks have the same numbers, but for rounding, in the same places."""
    if isinstance(one, np.ndarray):
        return one.shape == np.shape(two) and np.allclose(one, two, rtol=1e-6, atol=1e-7)
    if isinstance(one, tuple):
        return len(one) == len(two) and all(map(_same, one, two))  # type: ignore[arg-type]
    if hasattr(one, "__dataclass_fields__") and type(one) is type(two):
        names = one.__dataclass_fields__
        return all(_same(getattr(one, name), getattr(two, name)) for name in names)
    return one == two
