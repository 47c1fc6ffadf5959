"""The layers behind an LSTM, put into their places; and why an answer cannot be explained."""

from collections.abc import Mapping

from torch import nn

from lstm_export.errors import UnsupportedModelError
from lstm_export.reading.answer import Answer, find_answer
from lstm_export.reading.head import Closest, HeadTracer
from lstm_export.reading.leaves import head_layer, values_of
from lstm_export.reading.refusal import READING, RefusalError
from lstm_export.reading.sources import ATOL, Values, difference
from lstm_export.reading.watch import LayerCall, Observation


def place_layers(tracer: HeadTracer, runs: list[Observation], closest: Closest) -> list[str]:
    """Place all layers behind the LSTM; return those that have no place."""
    unplaced: list[str] = []
    behind = [_behind_lstm(run) for run in runs]
    if len({tuple(call.name for call in calls) for calls in behind}) > 1:
        return ["layers that run for some lengths only"]
    for calls in zip(*behind, strict=True):
        layer = head_layer(calls[0].layer)
        if layer is None:
            if any(True for _ in calls[0].layer.parameters()):
                unplaced.append(calls[0].kind)
            continue
        given = tuple(values_of(call.layer, call.given[0]) for call in calls)
        returned = tuple(values_of(call.layer, call.output) for call in calls)
        near = tracer.place(layer, given, returned)
        if near is not None:
            unplaced.append(calls[0].kind)
            if near.difference < closest.difference:
                closest.difference, closest.what = near.difference, near.what
    return unplaced


def require_answer(
    module: nn.Module,
    outputs: Mapping[str, Values],
    tracer: HeadTracer,
    closest: Closest,
    unplaced: list[str],
) -> Answer:
    """Find what makes the answer, or say what stands in the way.

    Raises:
        RefusalError: names the nearest reading and what has no place.

    """
    try:
        return find_answer(outputs, tracer, closest)
    except UnsupportedModelError as error:
        if all(_is_constant(values) for values in outputs.values()):
            raise RefusalError(
                "forward answers the same for every text (a softmax over one label?)", READING
            ) from error
        left = [*unplaced, *_loose_parameters(module)]
        tail = f"; not placed: {_some(left)}" if left else ""
        raise RefusalError(
            f"no reading of its weights gives the answers of {type(module).__name__}.forward: it "
            "does something that embedding, LSTM and the layers behind it alone do not, such as "
            f"attention or a convolution; nearest is {closest.what}, which differs by "
            f"{closest.difference:.2g}{tail}",
            READING,
        ) from error


def _is_constant(values: Values) -> bool:
    return all(difference([values[0]], [value]) <= ATOL for value in values)


def _behind_lstm(run: Observation) -> list[LayerCall]:
    last = max(n for n, call in enumerate(run.calls) if isinstance(call.layer, nn.LSTM))
    return run.calls[last + 1 :]


def _loose_parameters(module: nn.Module) -> list[str]:
    """Return weights that belong to no layer of PyTorch's."""
    return [
        f"{name} {list(weight.shape)}"
        for name, weight in module.named_parameters()
        if not type(module.get_submodule(name.rpartition(".")[0])).__module__.startswith("torch.")
    ]


def _some(names: list[str]) -> str:
    return ", ".join(names[:6]) + (", …" if len(names) > 6 else "")
