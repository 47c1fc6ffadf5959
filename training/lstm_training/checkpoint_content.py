"""Whether the content of a checkpoint can be what it says: types, words, numbers and shapes.

A file is somebody else's, and its sizes are allocated: they are compared with the weights before.
"""

import json
from collections.abc import Mapping
from typing import Any

import torch
from lstm_runtime.model_file.labels import problem_of_labels
from lstm_runtime.text.tokenizer import has_lone_surrogate
from torch import Tensor

from lstm_training.model import ModelConfig, SentimentRNN


def check_content(content: Mapping[str, Any]) -> None:
    """Check a dictionary that `save_checkpoint` may have written.

    Raises:
        ValueError: names the first part that cannot be.
        KeyError: when one is missing.

    """
    for name in ("vocabulary", "labels"):
        _require(_are_words(content[name]), name)
    if problem := problem_of_labels(content["labels"]):
        raise ValueError(problem)
    threshold = content.get("threshold", 0.5)  # of which earlier files have none
    _require(type(threshold) in (int, float) and 0 <= threshold <= 1, "threshold")
    pairs = content.get("aliases", ())
    _require(isinstance(pairs, list | tuple), "aliases")
    _require(all(_are_words(pair) and len(pair) == 2 for pair in pairs), "aliases")
    _require(_is_word(content["pattern"]), "pattern")
    for name in ("metrics", "training"):
        _require(isinstance(content[name], Mapping) and _is_plain(content[name]), name)
    values = content["metrics"].values()
    _require(all(type(value) in (int, float) for value in values), "metrics")
    _require(all(abs(value) < 2**1000 for value in values if type(value) is int), "metrics")
    _check_weights(content["config"], content["state_dict"])


def is_dense(tensor: Tensor) -> bool:
    """Tell whether a file holds all numbers of a tensor, none of them twice: no repeated row."""
    if tensor.layout != torch.strided or tensor.is_meta or tensor.is_quantized:
        return False
    return tensor.untyped_storage().nbytes() >= tensor.numel() * tensor.element_size()


def _check_weights(config: Any, state_dict: Any) -> None:
    """Compare names and shapes without making a network, whose size is what the file says."""
    _require(isinstance(config, Mapping), "config")
    _require(isinstance(state_dict, Mapping), "state_dict")
    _require(all(isinstance(weight, Tensor) for weight in state_dict.values()), "state_dict")
    with torch.device("meta"):
        expected = SentimentRNN.from_config(ModelConfig(**config)).state_dict()
    if set(expected) != set(state_dict):
        missing = sorted(set(expected) ^ set(state_dict), key=str)
        raise ValueError(f"weights are missing or too many: {', '.join(map(str, missing))}")
    for name, weight in state_dict.items():
        if weight.shape != expected[name].shape:
            found, wanted = tuple(weight.shape), tuple(expected[name].shape)
            raise ValueError(f"size mismatch for {name}: {found}, and not {wanted}")
        if not (weight.is_floating_point() and is_dense(weight)):
            raise ValueError(f"{name} holds no dense floating-point numbers")


def _are_words(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(map(_is_word, value))


def _is_word(value: Any) -> bool:
    """Tell whether a value is text that UTF-8 can hold, as a model file does: no lone surrogate."""
    return isinstance(value, str) and not has_lone_surrogate(value)


def _is_plain(value: Any) -> bool:
    """Tell whether JSON can hold it, where it is kept for who asks where a model is from."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except (TypeError, ValueError, RecursionError):
        return False
    return True


def _require(holds: bool, name: str) -> None:
    if not holds:
        raise ValueError(f"{name} is not as it must be")
