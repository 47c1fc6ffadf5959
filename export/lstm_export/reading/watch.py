"""One run of a module on one text: every layer it called, what went in and what came out."""

import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from lstm_runtime.arrays import Array
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from lstm_export.reading.calls import Call, tensors
from lstm_export.reference.torch_model import one_thread

WATCHED = (nn.LSTM, nn.Linear, nn.LayerNorm, nn.BatchNorm1d, nn.Embedding)
"""Layers that may have children (a parametrisation) and are watched all the same."""


STIRRED = (nn.Linear, nn.LayerNorm, nn.BatchNorm1d)
"""Layers whose numbers are made random in a stirred run."""


@dataclass(frozen=True)
class LayerCall:
    """One call of one layer."""

    name: str
    "The layer's name in the module."
    layer: nn.Module
    "The layer."
    given: tuple[Any, ...]
    "Positional arguments, copied before the call: some layers work in place."
    output: Any
    "What it returned, copied too."

    @property
    def kind(self) -> str:
        """The layer's name and class, for messages."""
        return f"{self.name} ({type(self.layer).__name__.removeprefix('Parametrized')})"


@dataclass(frozen=True)
class Observation:
    """What one run showed."""

    outputs: dict[str, Array]
    "What forward returned, by name, flat."
    calls: list[LayerCall] = field(default_factory=list)
    "Layers in the order in which they ran."


class ReachedLstmError(BaseException):
    """Ends a run whose only purpose was to see what the LSTM reads.

    Not an `Exception`: a forward that catches those must not catch it.
    """

    def __init__(self, rows: Array) -> None:
        super().__init__()
        self.rows = rows


def observe(
    module: nn.Module, call: Call, ids: Sequence[int], *, stirred: float = 0.0
) -> Observation:
    """Run ``module`` on one text and watch.

    Args:
        module: in evaluation mode.
        call: how to call it.
        ids: the text.
        stirred: put random numbers of about this size in the place of the LSTM's cell states, which
            nothing bounds, and of what each layer behind it returns, of the other sign where it is
            negative: what follows then shows what it does with any number, and not only with those
            that texts happen to give (a ReLU after numbers that are never negative cannot be seen,
            nor a bound that none reaches). 0 for none.

    """
    with one_thread(), torch.inference_mode(), _watching(module, stirred=stirred) as calls:
        output = call(module, torch.tensor([list(ids)]))
    return Observation({name: flat(tensor) for name, tensor in tensors(output)}, calls)


def lstm_input(module: nn.Module, lstm: nn.Module, call: Call, ids: Sequence[int]) -> Array:
    """Return what ``lstm`` would read, ``[length, input]``, without running it."""

    def reached(_: nn.Module, given: tuple[Any, ...]) -> None:
        raise ReachedLstmError(rows(given[0]))

    handle = lstm.register_forward_pre_hook(reached)
    try:
        with torch.inference_mode():
            call(module, torch.tensor([list(ids)]))
    except ReachedLstmError as end:
        return end.rows
    finally:
        handle.remove()
    return np.zeros((0, 0), np.float32)


def flat(tensor: Tensor) -> Array:
    """Return all numbers in one row."""
    return np.array(tensor.detach().cpu().float().reshape(-1).numpy())


def rows(value: Any) -> Array:
    """Return ``[length, features]`` of a sequence of one text, packed or not."""
    tensor = value.data if isinstance(value, PackedSequence) else value
    return np.array(tensor.detach().cpu().float().reshape(-1, tensor.shape[-1]).numpy())


@contextmanager
def _watching(module: nn.Module, *, stirred: float) -> Iterator[list[LayerCall]]:
    """Collect the calls of all layers while the block runs."""
    calls: list[LayerCall] = []
    pending: list[tuple[Any, ...]] = []
    handles = []

    def before(_: nn.Module, given: tuple[Any, ...], keywords: dict[str, Any]) -> None:
        pending.append(_copy((*given, *keywords.values())))

    for name, layer in module.named_modules():
        if isinstance(layer, torch.jit.ScriptModule):
            continue  # compiled: it takes no hooks
        if not (isinstance(layer, WATCHED) or not any(True for _ in layer.children())):
            continue

        def after(layer: nn.Module, _: Any, __: Any, output: Any, name: str = name) -> Any:
            if stirred and isinstance(layer, STIRRED) and _has_run_lstm(calls):
                output = _noise(name, output, stirred)
            if stirred and isinstance(layer, nn.LSTM):
                steps, (hidden, cells) = output
                output = steps, (hidden, _noise(name, cells, stirred))
            calls.append(LayerCall(name, layer, pending.pop(), _copy(output)))
            return output

        handles.append(layer.register_forward_pre_hook(before, with_kwargs=True))
        handles.append(layer.register_forward_hook(after, with_kwargs=True))
    try:
        yield calls
    finally:
        for handle in handles:
            handle.remove()


def _has_run_lstm(calls: list[LayerCall]) -> bool:
    return any(isinstance(call.layer, nn.LSTM) for call in calls)


def _noise(name: str, output: Tensor, size: float) -> Tensor:
    """Return random numbers, the same for each call of the same layer."""
    generator = torch.Generator().manual_seed(zlib.crc32(f"{name} {abs(size)}".encode()))
    return (size * torch.randn(output.shape, generator=generator)).to(output.dtype)


def _copy(value: Any) -> Any:
    if isinstance(value, PackedSequence):
        return PackedSequence(value.data.clone(), *value[1:])
    if isinstance(value, Tensor):
        return value.detach().clone()
    if isinstance(value, tuple | list):
        return tuple(_copy(part) for part in value)
    return value
