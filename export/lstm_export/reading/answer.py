"""What a forward returns: probabilities, their logarithms, logits, or a plain number."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import Literal

import numpy as np
from lstm_runtime.arrays import Array
from lstm_runtime.model_file.contract import Activation

from lstm_export.errors import UnsupportedModelError
from lstm_export.layers import Elementwise, LinearWeights
from lstm_export.reading.head import Closest, HeadTracer, Point
from lstm_export.reading.sources import ATOL, GAPS, Values, difference, through
from lstm_export.reference.torch_model import activate

Returned = Literal["probabilities", "log-probabilities", "logits"]
"""``logits`` stands for whatever the last layer gives."""

_SIGMOID = Elementwise("sigmoid")


@dataclass(frozen=True)
class Answer:
    """How a forward makes its answer."""

    point: Point
    "The last thing known on the way, with all layers."
    output: str
    "Which of the things that forward returns."
    activation: Activation | None
    "What forward itself applies; None where it returns logits."
    returned: Returned
    "What forward returns."
    others: tuple[str, ...] = ()
    "What else of it is made by layers of its own, as of a second task."


def find_answer(outputs: Mapping[str, Values], tracer: HeadTracer, closest: Closest) -> Answer:
    """Find what makes the answer that forward returned.

    Args:
        outputs: what forward returned, by name; each of one size in all runs.
        tracer: what is known on the way.
        closest: is told of near misses.

    Raises:
        UnsupportedModelError: when nothing that is known gives it.

    """
    found = [a for name, values in outputs.items() for a in _answers(name, values, tracer, closest)]
    # States and features may be returned beside the answer: the answer has a layer behind it.
    found.sort(key=lambda answer: not _has_layer(answer))
    if not found:
        raise UnsupportedModelError("its answer comes from something else")
    # Logits may be returned beside what forward itself makes of them, which says what they mean.
    made = (answer for answer in found if answer.activation and _same_logits(answer, found[0]))
    chosen = next(made, found[0])
    others = (a.output for a in found if _has_layer(a) and not _same_logits(a, chosen))
    return replace(chosen, others=tuple(others))


def _has_layer(answer: Answer) -> bool:
    return any(isinstance(layer, LinearWeights) for layer in answer.point.head)


def _same_logits(one: Answer, two: Answer) -> bool:
    if one.point.values[0].size != two.point.values[0].size:
        return False
    return difference(one.point.values, two.point.values) <= ATOL


def to_probability(returned: Returned, activation: Activation) -> Callable[[Array], Array]:
    """Return what makes the exported file's answer of what forward returns."""
    if returned == "probabilities":
        return lambda output: output
    if returned == "log-probabilities":
        return lambda output: np.asarray(np.exp(output))
    return lambda output: activate(activation, output)


def settle_activation(answer: Answer, asked: Activation | None, classes: int) -> Activation:
    """Return what the file applies to the head's numbers.

    Args:
        answer: what forward itself does.
        asked: what the user says; None to go by forward, or by what is usual for logits.
        classes: numbers in an answer.

    Raises:
        UnsupportedModelError: when both contradict each other, or a number's meaning is open.

    """
    if answer.activation is not None:
        if asked not in {None, answer.activation}:
            raise UnsupportedModelError(
                f"forward itself applies {answer.activation}, so --activation {asked} cannot be"
            )
        return answer.activation
    if asked is not None:
        return asked
    last = answer.point.head[-1] if answer.point.head else None
    if isinstance(last, Elementwise):
        raise UnsupportedModelError(
            f"forward ends in {last.function}, which is neither a probability nor a logit: give "
            "--activation none (the number itself is the answer), sigmoid or softmax"
        )
    return "sigmoid" if classes == 1 else "softmax"


def _answers(name: str, values: Values, tracer: HeadTracer, closest: Closest) -> Iterator[Answer]:
    """Yield the first way in which what is known gives ``values``."""
    for point in tracer.vectors():
        for answer in answers_at(point, name, values, closest):
            yield answer
            return


def answers_at(point: Point, name: str, values: Values, closest: Closest) -> Iterator[Answer]:
    """Yield the ways in which forward can make ``values`` of ``point``."""
    if point.values[0].size == 2 and values[0].size == 1:
        yield from _one_of_two(point, name, values, closest)
    if point.values[0].size != values[0].size:
        return
    for gap, (activation, returned) in product(GAPS, _forms(values[0].size)):
        head = point.head if gap is None else (*point.head, gap)
        reached = replace(point, head=head, values=through(gap, point.values))
        made = _returned(activation, returned, reached.values)
        told = f"readout {point.readout}, {len(head)} layers, {activation or returned}"
        if closest.look(difference(made, values), told):
            yield _named(Answer(reached, name, activation, returned))


def _one_of_two(point: Point, name: str, values: Values, closest: Closest) -> Iterator[Answer]:
    """Yield the softmax of two logits of which one is returned: the sigmoid of their difference."""
    for weights in ((-1.0, 1.0), (1.0, -1.0)):
        layer = LinearWeights(np.array([weights], np.float32), np.zeros(1, np.float32))
        logit = tuple(value.ravel() @ layer.weight.T for value in point.values)
        made = _returned("sigmoid", "probabilities", logit)
        if closest.look(difference(made, values), f"readout {point.readout}, one of two"):
            reached = replace(point, head=(*point.head, layer), values=logit)
            yield Answer(reached, name, "sigmoid", "probabilities")


def _forms(classes: int) -> tuple[tuple[Activation | None, Returned], ...]:
    """Return what forward may make of the last numbers."""
    forms: tuple[tuple[Activation | None, Returned], ...] = (
        (None, "logits"),
        ("sigmoid", "probabilities"),
        ("sigmoid", "log-probabilities"),
    )
    if classes == 1:
        return forms
    return (*forms, ("softmax", "probabilities"), ("softmax", "log-probabilities"))


def _returned(activation: Activation | None, returned: Returned, values: Values) -> Values:
    if activation is not None and returned == "log-probabilities":
        return tuple(_logarithm(activation, value) for value in values)
    return values if activation is None else tuple(activate(activation, v) for v in values)


def _logarithm(activation: Activation, values: Array) -> Array:
    """Return the logarithm of probabilities, also of those that float32 rounds to 0."""
    others = np.zeros(values.shape, values.dtype) if activation == "sigmoid" else values
    every = [values, others] if activation == "sigmoid" else np.moveaxis(values[None], -1, 0)
    return np.asarray(values - np.logaddexp.reduce(every, axis=0))


def _named(answer: Answer) -> Answer:
    """Give a sigmoid that is a layer of its own its name."""
    head = answer.point.head
    if answer.activation is None and head and head[-1] == _SIGMOID:
        point = replace(answer.point, head=head[:-1])
        return Answer(point, answer.output, "sigmoid", "probabilities")
    return answer
