"""An LSTM in NumPy that spells out its four gates.

In the words of the article that this project starts from, STM is the short-term memory (the
hidden state h), LTM the long-term memory (the cell state c) and E the new input:

    learn gate     N * i           N = tanh(Wn [STM, E] + bn),  i = sigmoid(Wi [STM, E] + bi)
    forget gate    LTM * f         f = sigmoid(Wf [STM, E] + bf)
    remember gate  LTM' = LTM * f + N * i
    use gate       STM' = V * tanh(LTM')                        V = sigmoid(Wv [STM, E] + bv)

It shares no code with PyTorch or ONNX Runtime, which makes it the independent witness of parity,
and it sees the gates at work, which the other two hide.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]


@dataclass(frozen=True)
class CellWeights:
    """Weights of one LSTM layer, each gate by its name in the article.

    Matrices are ``[hidden, hidden + input]`` and act on ``[STM, E]``; biases are ``[hidden]``.
    """

    learn: tuple[Array, Array]
    "Wn and bn: what there is to learn."
    ignore: tuple[Array, Array]
    "Wi and bi: how much of it counts."
    forget: tuple[Array, Array]
    "Wf and bf: how much of the long-term memory stays."
    use: tuple[Array, Array]
    "Wv and bv: how much of the long-term memory is used now."


@dataclass(frozen=True)
class Gates:
    """Activations of one step, each ``[batch, hidden]``."""

    learn: Array
    "N * i, what is added to the long-term memory."
    forget: Array
    "f, the part of the long-term memory that stays."
    remember: Array
    "The new long-term memory."
    use: Array
    "The new short-term memory."


def cell_step(weights: CellWeights, event: Array, stm: Array, ltm: Array) -> Gates:
    """Take one step.

    Args:
        weights: the layer's weights.
        event: the input E, ``[batch, input]``.
        stm: short-term memory h, ``[batch, hidden]``.
        ltm: long-term memory c, ``[batch, hidden]``.

    Returns:
        The gates; ``use`` is the new short-term and ``remember`` the new long-term memory.

    """
    joined = np.concatenate([stm, event], axis=1)

    def linear(gate: tuple[Array, Array]) -> Array:
        matrix, bias = gate
        return np.asarray(joined @ matrix.T + bias)

    learn = np.tanh(linear(weights.learn)) * _sigmoid(linear(weights.ignore))
    forget = _sigmoid(linear(weights.forget))
    remember = ltm * forget + learn
    use = _sigmoid(linear(weights.use)) * np.tanh(remember)
    return Gates(learn, forget, remember, use)


def run_layer(weights: CellWeights, events: Iterable[Array], stm: Array, ltm: Array) -> list[Gates]:
    """Run one layer over a sequence, without padding; return the gates by step.

    Args:
        weights: the layer's weights.
        events: inputs, each ``[batch, input]``.
        stm: initial short-term memory ``[batch, hidden]``.
        ltm: initial long-term memory ``[batch, hidden]``.

    """
    steps: list[Gates] = []
    for event in events:
        steps.append(cell_step(weights, event, stm, ltm))
        stm, ltm = steps[-1].use, steps[-1].remember
    return steps


def run_layers(
    layers: Sequence[CellWeights], events: Array, stm: Array, ltm: Array
) -> list[list[Gates]]:
    """Run stacked layers over a sequence, without padding.

    Args:
        layers: weights, first layer first.
        events: inputs ``[sequence, batch, input]``.
        stm: initial short-term memories ``[layers, batch, hidden]``.
        ltm: initial long-term memories ``[layers, batch, hidden]``.

    Returns:
        The gates, by layer and by step.

    """
    history: list[list[Gates]] = []
    for weights, h, c in zip(layers, stm, ltm, strict=True):
        history.append(run_layer(weights, events, h, c))
        events = np.stack([step.use for step in history[-1]])
    return history


def _sigmoid(x: Array) -> Array:
    """Return 1 / (1 + exp(-x)) without overflow: tanh saturates where exp would not."""
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * x)))
