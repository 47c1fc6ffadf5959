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
    calls = list(_all_calls(state_shape))
    names = _parameter_names(module)
    if len(names) < 2:
        return calls
    wanted = next((kind for kind, words in _KINDS.items() if any(w in names[1] for w in words)), "")
    return sorted(calls, key=lambda call: not (wanted and wanted in call.name))


_KINDS = {
    "lengths": ("len",),
    "mask": ("mask", "attention"),
    "states": ("hid", "state", "prev", "hx", "h0"),
}


def _parameter_names(module: nn.Module) -> list[str]:
    try:
        return [name.lower() for name in inspect.signature(module.forward).parameters]
    except (TypeError, ValueError):  # compiled: no Python signature
        return []


def _all_calls(state_shape: tuple[int, int, int] | None) -> Iterator[Call]:
    def length(ids: Tensor) -> Tensor:
        return torch.tensor([ids.numel()])

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
