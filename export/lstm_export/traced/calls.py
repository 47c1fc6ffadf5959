"""The ways in which a module of any kind may want to be called on one text."""

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

Call = Callable[[nn.Module, Tensor], Any]
"""Calls a module with ids ``[1, sequence]``."""

SECOND_INPUTS = {
    "lengths": ("len",),
    "mask": ("mask",),
    "states": ("hidden", "state", "h0", "hx"),
    "batch size": ("batch",),
}
"""Kinds of a second argument, and parts of the names by which they are known."""


def possible_calls(module: nn.Module) -> Iterator[tuple[str, Call]]:
    """Yield the ways to call ``module``; where its second argument has no telling name, guesses."""
    second = _second_parameter(module)
    kinds = [kind for kind, parts in SECOND_INPUTS.items() if any(p in second for p in parts)]
    guess = "" if kinds else "a guess, "
    makers = _second_inputs(module)
    tried = kinds or [kind for kind in makers if second and kind != "batch size"]
    yield "forward(ids)", lambda module, ids: module(ids)
    for kind in tried:
        if kind in makers:
            yield f"{guess}forward(ids, {kind})", _with(makers[kind], by_time=False)
    yield "forward(ids by time)", lambda module, ids: module(ids.T)
    for kind in tried:
        if kind in makers:
            yield f"{guess}forward(ids by time, {kind})", _with(makers[kind], by_time=True)
    yield "forward(ids without a batch)", lambda module, ids: module(ids[0])
    lengths, states = makers["lengths"], makers.get("states")
    yield "forward((ids, lengths))", lambda module, ids: module((ids, lengths(ids)))
    yield "forward((ids by time, lengths))", lambda module, ids: module((ids.T, lengths(ids)))
    if states and second:

        def with_states(module: nn.Module, ids: Tensor) -> Any:
            return module(ids, lengths(ids), states(ids))

        def with_both(module: nn.Module, ids: Tensor) -> Any:
            h, c = states(ids)
            return module(ids, h, c)

        yield "forward(ids, lengths, states)", with_states
        yield "forward(ids, h0, c0)", with_both


def _with(make: Callable[[Tensor], Any], *, by_time: bool) -> Call:
    def call(module: nn.Module, ids: Tensor) -> Any:
        return module(ids.T if by_time else ids, make(ids.T if by_time else ids))

    return call


def _second_inputs(module: nn.Module) -> dict[str, Callable[[Tensor], Any]]:
    makers: dict[str, Callable[[Tensor], Any]] = {
        # Written with tensors, so that a tracer sees where the length comes from.
        "lengths": lambda ids: torch.ones_like(ids).sum().reshape(1),
        "mask": torch.ones_like,
        "batch size": lambda _: 1,
    }
    # By what PyTorch's own layers say of themselves, scripted ones too: a class of the user may be
    # called LSTM.
    layers = (m for m in module.modules() if hasattr(m, "proj_size"))
    recurrent: Any = next((m for m in layers if m.mode in {"LSTM", "GRU"}), None)
    if recurrent is not None:
        directions = 2 if recurrent.bidirectional else 1
        zeros = torch.zeros(recurrent.num_layers * directions, 1, recurrent.hidden_size)
        states = (zeros, zeros) if recurrent.mode == "LSTM" else zeros
        makers["states"] = lambda _: states
    return makers


def _second_parameter(module: nn.Module) -> str:
    forward: Any = module.forward
    if isinstance(module, torch.jit.ScriptModule):
        names = [argument.name for argument in forward.schema.arguments[1:]]
    else:
        names = [name for name, _ in _taken(forward)]
    return names[1].lower() if len(names) > 1 else ""


def _taken(forward: Any) -> list[tuple[str, Any]]:
    """Return the parameters that may be inputs, with their defaults: no switches."""
    parameters = inspect.signature(forward).parameters.values()
    return [(p.name, p.default) for p in parameters if p.default in (inspect.Parameter.empty, None)]


def is_guess(words: str) -> bool:
    """Tell whether nothing but that it works speaks for a call."""
    return words.startswith("a guess, ")


def module_name(module: nn.Module) -> str:
    """Return the name of the module's class, also of one that was scripted."""
    return str(getattr(module, "original_name", type(module).__name__))
