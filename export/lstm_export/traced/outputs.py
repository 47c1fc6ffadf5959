"""What a ``forward`` returns: which of its tensors is the answer."""

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from torch import Tensor

PREFERRED = ("logits", "probs", "probabilities", "probability", "scores", "output", "outputs")
"""Names under which dictionaries and dataclasses hold the answer, most telling first."""

MOST_CLASSES = 1000

WHOLE_NUMBERS = "returns whole numbers"
"""Beginning of what is said of a forward that gives labels and no numbers."""


def tensors(output: Any, path: str = "") -> Iterator[tuple[str, Tensor]]:
    """Yield the floating-point tensors of ``output``, each with the path that leads to it.

    Tuples and lists are read in order; dictionaries and dataclasses with the usual names of an
    answer first.
    """
    if isinstance(output, Tensor):
        if output.is_floating_point():
            yield path, output
        return
    for name, part in _parts(output):
        yield from tensors(part, f"{path}{name}")


def pick(output: Any, path: str) -> Tensor:
    """Return the tensor that ``path`` leads to."""
    return next(tensor for name, tensor in tensors(output) if name == path)


def answer_path(outputs: list[Any]) -> str | None:
    """Return the path of the first tensor that has the same few values for texts of any length."""
    sizes = [{path: tensor.numel() for path, tensor in tensors(output)} for output in outputs]
    for path, size in sizes[0].items():
        if 1 <= size <= MOST_CLASSES and all(found.get(path) == size for found in sizes):
            return path
    return None


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
        return f"{WHOLE_NUMBERS} or nothing: logits or probabilities are needed, not labels"
    return "returns more values for longer texts"


def _parts(output: Any) -> Iterator[tuple[str, Any]]:
    if is_dataclass(output) and not isinstance(output, Mapping):
        output = {field.name: getattr(output, field.name) for field in fields(output)}
    if isinstance(output, Mapping):
        names = sorted(output, key=lambda name: _rank(str(name)))
        yield from ((f"[{name!r}]", output[name]) for name in names)
    elif isinstance(output, tuple | list):
        yield from ((f"[{n}]", part) for n, part in enumerate(output))


def _rank(name: str) -> int:
    return PREFERRED.index(name) if name in PREFERRED else len(PREFERRED)
