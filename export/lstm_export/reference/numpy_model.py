"""The independent witness: the network in NumPy, by the four gates of `trace.lstm_cell`.

It shares no code with PyTorch or ONNX Runtime, so the three can only agree by being right.
"""

from collections.abc import Callable, Sequence

import numpy as np
from lstm_runtime.arrays import Array
from lstm_runtime.trace.lstm_cell import Gates, run_layer

from lstm_export.network import LstmWeights, Network
from lstm_export.reference.outputs import ModelOutput, States

_BETWEEN: dict[str, Callable[[Array], Array]] = {
    "none": lambda features: features,
    "relu": lambda features: np.maximum(features, 0),
    "tanh": np.tanh,
}


def run_numpy(network: Network, ids: Sequence[int], h0: Array, c0: Array) -> ModelOutput:
    """Run one text, from ``h0, c0`` ``[layers, 1, hidden]`` where the model can be continued."""
    features = network.weights.embedding[np.array(ids)]
    hs, cs = [], []
    for n, layer in enumerate(network.weights.layers):
        runs = [_run(weights, features, n, h0, c0, k) for k, weights in enumerate(layer)]
        features = np.concatenate([_outputs(run, k) for k, run in enumerate(runs)], axis=1)
        hs += [run[-1].use for run in runs]
        cs += [run[-1].remember for run in runs]
    if not network.continuable:
        return ModelOutput(_head(network, _read_out(network, features, hs)))
    trajectory = _head(network, features)
    return ModelOutput(trajectory[-1:], States([trajectory], np.stack(hs), np.stack(cs)))


def _run(  # noqa: PLR0913, PLR0917 - one direction of one layer and its place in the states
    weights: LstmWeights, features: Array, layer: int, h0: Array, c0: Array, direction: int
) -> list[Gates]:
    events = features[::-1] if direction else features
    zero = np.zeros_like(h0[0])
    h, c = (zero, zero) if direction else (h0[layer], c0[layer])
    return run_layer(weights.cell_weights(), events[:, np.newaxis], h, c)


def _outputs(run: list[Gates], direction: int) -> Array:
    """Return the outputs in the text's order, ``[length, hidden]``."""
    steps = np.concatenate([step.use for step in run])
    return np.asarray(steps[::-1] if direction else steps)


def _read_out(network: Network, features: Array, hs: list[Array]) -> Array:
    """Return what the linear layers see, ``[1, features]``."""
    match network.readout:
        case "last":
            return np.concatenate(hs[-len(network.weights.layers[-1]) :], axis=1)
        case "step":
            return features[-1:]
        case "mean":
            return np.asarray(features.mean(axis=0, keepdims=True))
        case "max":
            return np.asarray(features.max(axis=0, keepdims=True))


def _head(network: Network, features: Array) -> Array:
    between = _BETWEEN[network.between]
    for n, layer in enumerate(network.weights.head):
        features = (between(features) if n else features) @ layer.weight.T + layer.bias
    if network.activation == "sigmoid":
        return np.asarray(1.0 / (1.0 + np.exp(-features)))
    powers = np.exp(features - features.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))
