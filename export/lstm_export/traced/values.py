"""How a network's values become answers: read off the end of its graph."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from lstm_runtime.arrays import Array
from lstm_runtime.model_file.contract import Activation
from onnx import ModelProto, NodeProto

from lstm_export.errors import UnsupportedModelError
from lstm_export.graph.builder import GraphBuilder, Value

Returned = Literal["probabilities", "log-probabilities", "logits"]

_MOVES = {"Reshape", "Squeeze", "Unsqueeze", "Flatten", "Identity", "Slice", "Gather", "Cast"}
"""Operators that move numbers and change none."""
_ENDS: dict[str, "Answer"] = {}
_WITHIN = {"ReduceMean", "ReduceMax", "ReduceMin", "Mean", "Max", "Min"}
"""Operators whose result lies between the numbers that they read."""
_BEYOND = {"Add", "Sub", "Mul", "Div", "Sum", "ReduceSum", "Neg"}
"""Operators that may make anything else of probabilities, such as stars from 1 to 5."""
_NEITHER = {"Relu", "Tanh", "Clip", "HardSigmoid", "LeakyRelu", "Elu", "Softplus"}
"""Last operators whose numbers are neither probabilities nor logits."""


@dataclass(frozen=True)
class Answer:
    """What a forward returns and what the file makes of it."""

    returned: Returned
    "What forward returns; ``logits`` stands for whatever its last layer gives."
    activation: Activation
    "What the file's answer is: probabilities by one of these, or a plain number."

    def of(self, values: Array) -> Array:
        """Return the file's answer for one text's values, ``[classes]``."""
        if self.returned == "log-probabilities":
            return np.asarray(np.exp(values), np.float32)
        if self.returned == "probabilities" or self.activation == "none":
            return values
        if self.activation == "sigmoid":
            with np.errstate(over="ignore"):
                return np.asarray(1 / (1 + np.exp(-values)), np.float32)
        raised = np.exp(values - values.max())
        return np.asarray(raised / raised.sum(), np.float32)

    def add(self, g: GraphBuilder, values: Value) -> Value:
        """Add the same to a graph."""
        if self.returned == "log-probabilities":
            return g.Exp(values)
        if self.returned == "probabilities" or self.activation == "none":
            return g.Identity(values)
        if self.activation == "sigmoid":
            return g.Sigmoid(values)
        return g.Softmax(values, axis=-1)


_ENDS |= {
    "Sigmoid": Answer("probabilities", "sigmoid"),
    "Softmax": Answer("probabilities", "softmax"),
    "LogSoftmax": Answer("log-probabilities", "softmax"),
}


def find_answer(model: ModelProto, values: Sequence[Array], asked: Activation | None) -> Answer:
    """Return what a captured module's values are.

    The last operator tells where it is a sigmoid, a softmax or its logarithm. Otherwise rows that
    add up to one are probabilities, and all else is taken for logits.

    Args:
        model: the captured graph.
        values: the module's values for some texts.
        asked: what the user says; None to go by forward, or by what is usual for logits.

    Raises:
        UnsupportedModelError: when both contradict each other, a number's meaning is open, or all
            texts get the same answer, as from a softmax over one number.

    """
    if all(np.array_equal(values[0], row) for row in values):
        raise UnsupportedModelError("forward's answer is the same for every text")
    if asked != "none" and all(np.array_equal(row, np.round(row)) for row in values):
        raise UnsupportedModelError(
            "forward returns whole numbers alone, as rounded probabilities are: logits or "
            "probabilities are needed, not labels (--activation none takes numbers as they are)"
        )
    end = _last_operator(model)
    kind = "" if end is None else end.op_type
    found = _ENDS.get(kind) or _distribution(values)
    if found is None:
        behind, rescaled = _activations_behind(model, model.graph.output[0].name)
        if behind == {"Sigmoid"} and not rescaled:
            found = _ENDS["Sigmoid"]
        elif asked is None and behind and behind <= {*_ENDS, *_NEITHER}:
            raise UnsupportedModelError(
                f"forward makes its answer of the results of {' and '.join(sorted(behind))}, by "
                "arithmetic: give --activation none (the number itself is the answer, as of "
                "stars), sigmoid or softmax"
            )
    if found is not None:
        if asked not in {None, found.activation}:
            raise UnsupportedModelError(
                f"forward itself applies {found.activation}, so --activation {asked} cannot be"
            )
        return found
    if asked is None and kind in _NEITHER:
        raise UnsupportedModelError(
            f"forward ends in {kind.lower()}, which is neither a probability nor a logit: give "
            "--activation none (the number itself is the answer), sigmoid or softmax"
        )
    usual: Activation = "softmax" if len(values[0]) > 1 else "sigmoid"
    return Answer("logits", asked or usual)


def _distribution(values: Sequence[Array]) -> Answer | None:
    """Recognise a softmax that is written otherwise by its rows."""
    if len(values[0]) > 1 and all(_adds_up(row) for row in values):
        return Answer("probabilities", "softmax")
    if len(values[0]) > 1 and all(_adds_up(np.exp(row)) for row in values):
        return Answer("log-probabilities", "softmax")
    return None


def _activations_behind(model: ModelProto, output: str) -> tuple[set[str], bool]:
    """Return the operators whose results are merely averaged, added or scaled to the answer.

    Returns:
        Their kinds, and whether anything but averages and the like is done to them.

    """
    makers = {name: node for node in model.graph.node for name in node.output}
    kinds, rescaled, open_names, seen = set(), False, [output], set[str]()
    while open_names:
        name = open_names.pop()
        node = makers.get(name)
        if node is None or name in seen or node.op_type in {"Constant", "Shape"}:
            continue
        seen.add(name)
        if node.op_type in _WITHIN | _BEYOND:
            rescaled |= node.op_type in _BEYOND
            open_names += node.input
        elif node.op_type in _MOVES | {"Concat", "Transpose"}:
            open_names += node.input if node.op_type == "Concat" else node.input[:1]
        else:
            kinds.add(node.op_type)
    return kinds, rescaled


def _adds_up(row: Array) -> bool:
    return bool((row >= 0).all() and abs(float(row.sum()) - 1) < 1e-4)


def _last_operator(model: ModelProto) -> NodeProto | None:
    """Return the node that makes the output's numbers: what only moves them is passed over."""
    makers = {name: node for node in model.graph.node for name in node.output}
    node = makers.get(model.graph.output[0].name)
    while node is not None and node.op_type in _MOVES:
        node = makers.get(node.input[0])
    return node
