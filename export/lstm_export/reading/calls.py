"""The ways in which people's forwards want to be called on one text."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Call:
    """One way to call a forward."""

    name: str
    "For messages."
    arguments: Callable[[Tensor], tuple[Any, ...]]
    "Makes the arguments of ids ``[1, length]``."

    def __call__(self, module: nn.Module, ids: Tensor) -> Any:
        """Run ``module`` on one text."""
        return module(*self.arguments(ids))


def usual_calls(module: nn.Module, state_shape: tuple[int, int, int] | None) -> list[Call]:
    """Return the calls to try, those first that the parameters' names speak for.

    Args:
        module: gives the names of its forward's parameters, where it has them.
        state_shape: that of ``h0``, ``[layers * directions, 1, hidden]``.

    """
    names = _parameter_names(module)
    second = names[1] if len(names) > 1 else ""
    wanted = next((kind for kind, words in _KINDS.items() if any(w in second for w in words)), "")
    calls = [
        call
        for call in _all_calls(state_shape)
        # Any switch would take a batch size, or states.
        if ("batch size" not in call.name or wanted == "batch size")
        and (not names or len(call.arguments(_TWO_WORDS)) <= len(names))
    ]
    return sorted(calls, key=lambda call: not (wanted and wanted in call.name))


_TWO_WORDS = torch.zeros(1, 2, dtype=torch.int64)

_KINDS = {
    "lengths": ("len",),
    "mask": ("mask", "attention"),
    "states": ("hid", "state", "prev", "hx", "h0"),
    "batch size": ("batch",),
}


def _parameter_names(module: nn.Module) -> list[str]:
    """Return the names of what may be inputs; a switch, such as ``training=False``, is none."""
    try:
        found = inspect.signature(module.forward).parameters.values()
    except (TypeError, ValueError):  # compiled: no Python signature
        return []
    return [p.name.lower() for p in found if p.default in (inspect.Parameter.empty, None)]


def _all_calls(state_shape: tuple[int, int, int] | None) -> Iterator[Call]:
    def length(ids: Tensor) -> Tensor:
        return torch.full((len(ids),), ids.shape[1])

    def ones(ids: Tensor) -> Tensor:
        return torch.ones_like(ids)

    yield Call("forward(ids)", lambda ids: (ids,))
    if state_shape:
        zeros = torch.zeros(state_shape)
        yield Call("forward(ids, states)", lambda ids: (ids, (zeros, zeros)))
        yield Call("forward(ids by time, states)", lambda ids: (ids.T, (zeros, zeros)))
    yield Call("forward(ids, lengths)", lambda ids: (ids, length(ids)))
    yield Call("forward(ids by time)", lambda ids: (ids.T,))
    yield Call("forward(ids by time, lengths)", lambda ids: (ids.T, length(ids)))
    yield Call("forward(ids, mask)", lambda ids: (ids, ones(ids)))
    if state_shape:
        yield Call("forward(ids, lengths, states)", lambda ids: (ids, length(ids), (zeros, zeros)))
        yield Call("forward(ids, h0, c0)", lambda ids: (ids, zeros, zeros))
        yield Call("forward(ids by time, h0, c0)", lambda ids: (ids.T, zeros, zeros))
    yield Call("forward(ids, batch size)", lambda ids: (ids, 1))
    yield Call("forward((ids, lengths))", lambda ids: ((ids, length(ids)),))
    yield Call("forward((ids by time, lengths))", lambda ids: ((ids.T, length(ids)),))
    yield Call("forward(length and ids)", lambda ids: (torch.cat([length(ids)[None], ids], 1),))


def tensors(output: Any, name: str = "output") -> Iterator[tuple[str, Tensor]]:
    """Yield every tensor in what a forward returned, with a name for messages."""
    if isinstance(output, Tensor):
        yield name, output
    elif isinstance(output, Mapping):
        for key, value in output.items():
            yield from tensors(value, f"{name}[{key!r}]")
    elif isinstance(output, tuple | list):
        for n, value in enumerate(output):
            yield from tensors(value, f"{name}[{n}]")
    elif is_dataclass(output):
        for field in fields(output):
            yield from tensors(getattr(output, field.name), f"{name}.{field.name}")
