"""What the head sees of the LSTM, in the graph: each text's own steps only, never its padding."""

from dataclasses import dataclass, replace

import numpy as np
from onnx import TensorProto

from lstm_export.graph.builder import GraphBuilder, Value
from lstm_export.graph.precision import LstmOutputs
from lstm_export.network import Network
from lstm_export.readout import Block, Pool

_LOWEST = float(np.finfo(np.float32).min)


@dataclass(frozen=True)
class LstmRun:
    """All that the layers gave."""

    layers: tuple[LstmOutputs, ...]
    "First layer first."
    steps: Value
    "The top layer's outputs, directions joined, ``[sequence, batch, features]``."
    lengths: Value
    "int32 ``[batch]``"


def add_readout(g: GraphBuilder, network: Network, run: LstmRun) -> Value:
    """Add the readout, ``[batch, features]``."""
    blocks = network.readout.blocks
    first = blocks[0]
    same = all((b.pool, b.layer) == (first.pool, first.layer) for b in blocks)
    if same and tuple(b.side for b in blocks) == ("forward", "backward")[: len(network.layers[0])]:
        return _pool(g, network, run, first)  # whole, without cutting
    parts = [_block(g, network, run, block) for block in blocks]
    return parts[0] if len(parts) == 1 else g.Concat(*parts, axis=-1)


def _block(g: GraphBuilder, network: Network, run: LstmRun, block: Block) -> Value:
    """Add one block, ``[batch, hidden]``."""
    if not network.bidirectional:
        return _pool(g, network, run, block)
    hidden = network.layers[-1 if block.layer is None else block.layer][0].hidden
    if block.pool == "max" and block.side in {"sum", "average"}:
        # The maximum of a sum is not the sum of the maxima.
        joined = _side(g, run.steps, block, hidden, axis=2)
        return _over_own_steps(g, replace(run, steps=joined), block.pool)
    return _side(g, _pool(g, network, run, block), block, hidden, axis=1)


def _pool(g: GraphBuilder, network: Network, run: LstmRun, block: Block) -> Value:
    """Add ``[batch, directions * hidden]``."""
    if block.pool not in {"last", "cell"}:
        return _over_own_steps(g, run, block.pool)
    outputs = run.layers[-1 if block.layer is None else block.layer]
    states = outputs.hn if block.pool == "last" else outputs.cn
    if not network.bidirectional:
        return g.Squeeze(states, g.constant([0]))
    return g.Reshape(g.Transpose(states, perm=[1, 0, 2]), g.constant([0, -1]))


def _side(g: GraphBuilder, values: Value, block: Block, hidden: int, axis: int) -> Value:
    """Add one direction's half of ``values``, or both halves added or averaged."""

    def half(start: int) -> Value:
        ends = (g.constant([start]), g.constant([start + hidden]))
        return g.Slice(values, *ends, g.constant([axis]))

    match block.side:
        case "forward":
            return half(0)
        case "backward":
            return half(hidden)
        case "sum":
            return g.Add(half(0), half(hidden))
        case "average":
            return g.Mul(g.Add(half(0), half(hidden)), g.constant([0.5]))


def _over_own_steps(g: GraphBuilder, run: LstmRun, pool: Pool) -> Value:
    """Add the first or last step of each text, their mean or their maximum."""
    if pool == "first":
        return g.Gather(run.steps, g.constant(0), axis=0)
    positions = _positions(g, run.steps)
    lengths = g.Cast(run.lengths, to=TensorProto.INT64)
    if pool == "step":
        wanted = g.Equal(positions, g.Sub(lengths, g.constant([1])))
    else:
        wanted = g.Less(positions, lengths)
    wanted = g.Unsqueeze(wanted, g.constant([2]))
    if pool == "max":
        own = g.Where(wanted, run.steps, g.constant([_LOWEST]))
        return g.ReduceMax(own, axes=[0], keepdims=0)
    own = g.Where(wanted, run.steps, g.constant([0.0]))
    summed = g.ReduceSum(own, g.constant([0]), keepdims=0)
    if pool == "step":
        return summed
    counts = g.Cast(lengths, to=TensorProto.FLOAT)
    return g.Div(summed, g.Unsqueeze(counts, g.constant([1])))


def _positions(g: GraphBuilder, steps: Value) -> Value:
    """Add the numbers of the steps, ``[sequence, 1]``."""
    length = g.Gather(g.Shape(steps), g.constant(0), axis=0)
    return g.Unsqueeze(g.Range(g.constant(0), length, g.constant(1)), g.constant([1]))
