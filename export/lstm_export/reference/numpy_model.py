"""The independent third model: the network in NumPy, by the four gates of `trace.lstm_cell`.

It shares no code with PyTorch or ONNX Runtime, so the three can only agree by being right.
"""

from collections.abc import Sequence

import numpy as np
from lstm_runtime.arrays import Array
from lstm_runtime.trace.lstm_cell import Gates, run_layer

from lstm_export.network import LstmWeights, Network
from lstm_export.readout import Block
from lstm_export.reference.numpy_head import run_head
from lstm_export.reference.outputs import ModelOutput, States


def run_numpy(network: Network, ids: Sequence[int], h0: Array, c0: Array) -> ModelOutput:
    """Run one text, from ``h0, c0`` ``[layers, 1, hidden]`` where the model can be continued."""
    features = network.embedding[np.array(ids)]
    hs, cs = [], []
    for n, layer in enumerate(network.layers):
        runs = [_run(network, weights, features, (h0, c0), n, k) for k, weights in enumerate(layer)]
        features = np.concatenate([_outputs(run, k) for k, run in enumerate(runs)], axis=1)
        hs.append([run[-1].use for run in runs])
        cs.append([run[-1].remember for run in runs])
    if not network.continuable:
        blocks = [_block(block, features, hs, cs) for block in network.readout.blocks]
        return ModelOutput(run_head(network, np.concatenate(blocks, axis=1)))
    trajectory = run_head(network, features)
    hn, cn = (np.stack([layer[0] for layer in states]) for states in (hs, cs))
    return ModelOutput(trajectory[-1:], States([trajectory], hn, cn))


def _run(  # noqa: PLR0913, PLR0917 - one direction of one layer and its place in the states
    network: Network,
    weights: LstmWeights,
    features: Array,
    states: tuple[Array, Array],
    layer: int,
    direction: int,
) -> list[Gates]:
    events = features[::-1] if direction else features
    if network.continuable:
        h, c = (state[layer] for state in states)
    elif network.initial:
        h, c = network.initial.h0[layer][direction], network.initial.c0[layer][direction]
    else:
        h = c = np.zeros((1, weights.hidden), np.float32)
    return run_layer(weights.cell_weights(), events[:, np.newaxis], h, c)


def _outputs(run: list[Gates], direction: int) -> Array:
    """Return the outputs in the text's order, ``[length, hidden]``."""
    steps = np.concatenate([step.use for step in run])
    return np.asarray(steps[::-1] if direction else steps)


def _block(block: Block, steps: Array, hs: list[list[Array]], cs: list[list[Array]]) -> Array:
    """Return one block of the readout, ``[1, hidden]``."""
    layer = -1 if block.layer is None else block.layer
    if block.pool == "last":
        return _side(block, hs[layer])
    if block.pool == "cell":
        return _side(block, cs[layer])
    side = _side(block, np.split(steps, len(hs[-1]), axis=1))
    match block.pool:
        case "step":
            return side[-1:]
        case "first":
            return side[:1]
        case "mean":
            return np.asarray(side.mean(axis=0, keepdims=True))
        case _:
            return np.asarray(side.max(axis=0, keepdims=True))


def _side(block: Block, directions: list[Array]) -> Array:
    match block.side:
        case "forward":
            return directions[0]
        case "backward":
            return directions[1]
        case "sum":
            return np.asarray(directions[0] + directions[1])
        case "average":
            return np.asarray((directions[0] + directions[1]) / 2)
