"""Whether what a model file says of itself can be: types, sizes, numbers and labels.

A file is somebody else's: its labels end up in terminals and pages, its sizes in allocations.
"""

import math
from collections.abc import Mapping
from typing import Any, get_args

from lstm_runtime.errors import ModelFileError
from lstm_runtime.model_file.contract import (
    Activation,
    Architecture,
    Metadata,
    Precision,
    Reference,
)
from lstm_runtime.model_file.labels import problem_of_labels
from lstm_runtime.model_file.tokenizer_spec import TokenizerSpec

_LARGEST_SIZE = 2**31 - 1
_LARGEST_STATE = 2**24
"""Numbers in the states of a text: they are allocated before ONNX Runtime can say no."""


def check_metadata(found: Metadata) -> None:
    """Check the values of a file's metadata.

    Raises:
        ModelFileError: names the first that cannot be.

    """
    _check_architecture(found.architecture)
    _check_labels(found)
    classes = found.architecture.classes
    _require(found.precision in get_args(Precision), "precision")
    _require(found.activation in (None, *get_args(Activation)), "activation")
    _require(_is_number(found.threshold) and 0 <= found.threshold <= 1, "threshold")
    _require(_is_number(found.tolerance) and found.tolerance >= 0, "tolerance")
    _require(isinstance(found.source_sha256, str), "source_sha256")
    _require(isinstance(found.exporter, str), "exporter")
    _require(isinstance(found.batches, bool), "batches")
    _require(found.max_tokens is None or _is_size(found.max_tokens, 1), "max_tokens")
    for name in ("metrics", "training", "versions", "parity"):
        _require(isinstance(getattr(found, name), Mapping | None), name)
    _check_words(found)
    _require(all(_is_reference(item, classes, found) for item in found.reference), "reference")


def _check_architecture(found: Architecture) -> None:
    for name in ("vocab_size", "classes"):
        _require(_is_size(getattr(found, name), 1), name)
    for name in ("embedding_dim", "hidden_dim", "n_layers"):
        _require(_is_size(getattr(found, name), 0), name)
    _require(found.n_layers * found.hidden_dim <= _LARGEST_STATE, "hidden_dim")
    _require(isinstance(found.bidirectional, bool), "bidirectional")
    _require(isinstance(found.readout, str), "readout")


def _check_labels(found: Metadata) -> None:
    least = 1 if found.activation == "none" else 2
    if len(found.labels) != max(found.architecture.classes, least):
        raise _damaged(f"{len(found.labels)} labels for {found.architecture.classes} classes")
    _require(all(isinstance(label, str) for label in found.labels), "labels")
    if problem := problem_of_labels(found.labels):
        raise _damaged(problem)


def _check_words(found: Metadata) -> None:
    """Check the tokeniser's ids and the vocabulary."""
    size, spec, words = found.architecture.vocab_size, found.tokenizer, found.vocabulary
    if spec is not None:
        strings = (spec.pattern, spec.delete, *spec.blank)
        _require(all(isinstance(value, str) for value in strings), "tokenizer")
        _require(all(_is_id(n, size) for n in _special_ids(spec)), "tokenizer")
    if words is not None:
        _require(len(words) == size and all(isinstance(word, str) for word in words), "vocabulary")
    for pair in found.aliases or ():
        _require(len(pair) == 2 and all(isinstance(word, str) for word in pair), "aliases")


def _special_ids(spec: TokenizerSpec) -> list[Any]:
    return [spec.pad, spec.empty, *([] if spec.unknown is None else [spec.unknown])]


def _is_reference(item: Reference, classes: int, found: Metadata) -> bool:
    numbers = len(item.probability) == classes and all(map(_is_number, item.probability))
    if item.ids is None:
        return numbers and isinstance(item.text, str)
    known = all(_is_id(n, found.architecture.vocab_size) for n in item.ids)
    return numbers and bool(item.ids) and known and isinstance(item.text, str | None)


def _is_size(value: Any, least: int) -> bool:
    return type(value) is int and least <= value <= _LARGEST_SIZE


def _is_id(value: Any, size: int) -> bool:
    return type(value) is int and 0 <= value < size


def _is_number(value: Any) -> bool:
    # An int may be larger than any float, and is none then.
    small = type(value) is int and abs(value) < 2**1000
    return small or (type(value) is float and math.isfinite(value))


def _require(holds: bool, name: str) -> None:
    if not holds:
        raise _damaged(f"{name} is not as it must be")


def _damaged(what: str) -> ModelFileError:
    return ModelFileError(f"the model file's metadata is damaged: {what}")
