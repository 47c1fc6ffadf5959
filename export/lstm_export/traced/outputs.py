"""What a ``forward`` returns: which of its tensors is the answer."""

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import torch
from torch import Tensor

PREFERRED = ("logits", "probs", "probabilities", "probability", "scores", "output", "outputs")
"""Names under which dictionaries and dataclasses hold the answer, most telling first."""

MOST_CLASSES = 1000

RETURNS = "returns"
"""First word of what is said of a forward that runs and gives no answer."""


def tensors(output: Any, path: str = "") -> Iterator[tuple[str, Tensor]]:
    """Yield the floating-point tensors of ``output``, each with the path that leads to it.

    Tuples and lists are read in order; dictionaries, dataclasses and named tuples with the usual
    names of an answer first.
    """
    if isinstance(output, Tensor):
        if output.is_floating_point() and output.layout is torch.strided:
            yield path, output
        return
    for name, part in _parts(output):
        yield from tensors(part, f"{path}{name}")


def pick(output: Any, path: str) -> Tensor:
    """Return the tensor that ``path`` leads to."""
    return next(tensor for name, tensor in tensors(output) if name == path)


def answer_path(outputs: list[Any], states: frozenset[int] = frozenset()) -> str | None:
    """Return the path of the tensor that is the answer: of few values, for texts of any length.

    The first, but what differs from text to text comes before what does not, as a loss, and all
    else before what is as large as a state.

    Args:
        outputs: what a module returns for some texts.
        states: sizes of the states of its recurrent layers.

    """
    found = [dict(tensors(output)) for output in outputs]
    sizes = [{path: tensor.numel() for path, tensor in one.items()} for one in found]
    paths = [
        path
        for path, size in sizes[0].items()
        if 1 <= size <= MOST_CLASSES and all(one.get(path) == size for one in sizes)
    ]

    def is_unlikely(path: str) -> tuple[bool, bool]:
        values = [one[path].reshape(-1) for one in found]
        constant = all(torch.equal(values[0], value) for value in values)
        return constant, sizes[0][path] in states

    return min(paths, key=is_unlikely, default=None)


def other_answers(outputs: list[Any], path: str) -> tuple[str, ...]:
    """Return the paths of all else that has the same few values for texts of any length."""
    sizes = [{name: tensor.numel() for name, tensor in tensors(output)} for output in outputs]
    return tuple(
        f"{name} ({size} values)"
        for name, size in sizes[0].items()
        if name != path and 1 <= size <= MOST_CLASSES and all(s.get(name) == size for s in sizes)
    )


def no_answer(outputs: list[Any]) -> str:
    """Say why nothing that was returned is an answer."""
    if not any(True for output in outputs for _ in tensors(output)):
        return f"{RETURNS} whole numbers or nothing: logits or probabilities are needed, not labels"
    sizes = {sum(t.numel() for _, t in tensors(output)) for output in outputs}
    if len(sizes) == 1:
        return f"{RETURNS} {sizes.pop():,} values, where an answer has {MOST_CLASSES:,} at most"
    return f"{RETURNS} more values for longer texts"


def _parts(output: Any) -> Iterator[tuple[str, Any]]:
    if is_dataclass(output) and not isinstance(output, Mapping):
        output = {field.name: getattr(output, field.name) for field in fields(output)}
    if isinstance(output, Mapping):
        names = sorted(output, key=lambda name: _rank(str(name)))
        yield from ((f"[{name!r}]", output[name]) for name in names)
    elif isinstance(output, tuple | list):
        names = getattr(output, "_fields", [""] * len(output))
        places = sorted(range(len(output)), key=lambda n: _rank(names[n]))
        yield from ((f"[{n}]", output[n]) for n in places)


def _rank(name: str) -> int:
    return PREFERRED.index(name) if name in PREFERRED else len(PREFERRED)
