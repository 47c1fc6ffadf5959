"""A module of any kind as a function of one text: how it is called, and what it can read."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from lstm_runtime.arrays import Array
from torch import Tensor, nn

from lstm_export.errors import UnsupportedModelError
from lstm_export.reference.marks import marked_ids
from lstm_export.reference.torch_model import one_thread
from lstm_export.traced.calls import Call, is_guess, module_name, possible_calls
from lstm_export.traced.limits import (
    LONGEST,
    PROBE_LENGTHS,
    count_ids,
    read_lengths,
    require_fixed_length,
    try_call,
    uncallable,
)
from lstm_export.traced.outputs import answer_path, no_answer, other_answers, pick


@dataclass(frozen=True)
class Forward:
    """A module in evaluation mode, the way to call it, and what it can read."""

    module: nn.Module
    "The user's own."
    words: str
    "The call in words, for reports."
    call: Call
    "Calls a module like this one with ids ``[1, sequence]``."
    path: str
    "Which of the returned tensors is the answer; '' for the only one."
    classes: int
    "Values of an answer."
    vocab_size: int
    "Ids that it takes: 0 to ``vocab_size - 1``."
    min_tokens: int
    "Shortest text that it reads."
    max_tokens: int | None
    "Longest text that it reads; None where none was too long."
    others: tuple[str, ...] = ()
    "What it returns beside the answer that could be one too."

    def __call__(self, ids: Sequence[int]) -> Array:
        """Return the module's own values for one text, ``[classes]``."""
        with one_thread(), torch.inference_mode():
            output = self.call(self.module, torch.tensor([list(ids)]))
        return np.asarray(pick(output, self.path).detach().float().numpy()).reshape(-1)

    def beside(self, ids: Tensor) -> Array | None:
        """Return the module's values for texts in one batch, ``[batch, classes]``.

        None where a batch cannot be given to it so.
        """
        if self.words not in {"forward(ids)", "forward(ids by time)", "forward(ids, mask)"}:
            return None
        with one_thread(), torch.inference_mode():
            values = pick(self.call(self.module, ids), self.path).detach().float()
        return values.reshape(len(ids), -1).numpy()

    @property
    def padding_id(self) -> int:
        """The ``padding_idx`` of the module's first embedding that has one, or 0."""
        found = (getattr(module, "padding_idx", None) for module in self.module.modules())
        return next((n for n in found if isinstance(n, int)), 0)

    def probes(self, lengths: Sequence[int]) -> list[list[int]]:
        """Return random texts of such lengths, without padding, which a model may hide."""
        random = np.random.default_rng(2)
        ids = [n for n in range(1, self.vocab_size) if n != self.padding_id] or [0]
        return [random.choice(ids, n).tolist() for n in lengths]

    def marked(self) -> Iterator[tuple[int, list[int]]]:
        """Yield texts that hold ids which may have a sense of their own, each with its id."""
        length = max(self.min_tokens, min(7, self.max_tokens or 7))
        for n in sorted(marked_ids(self.vocab_size) - {self.padding_id}):
            (ids,) = self.probes([length])
            for places in ((length // 2,), (0, length // 2, length - 1)):
                yield n, [n if place in places else word for place, word in enumerate(ids)]

    def padded(self) -> tuple[list[int], list[int]]:
        """Return a text that ends in padding, and padding alone."""
        shortest, longest = self.min_tokens, self.max_tokens or LONGEST
        (ids,) = self.probes([max(1, min(max(shortest, 11), longest - 5))])
        behind = min(5, longest - len(ids))
        return [*ids, *[self.padding_id] * behind], [self.padding_id] * max(shortest, 1)


def find_forward(module: nn.Module) -> Forward:
    """Find out how ``module`` is called on one text.

    Raises:
        UnsupportedModelError: when it cannot be, says why; also where its second argument could
            mean several things, and where it answers differently twice.

    """
    lengths: Sequence[int] = PROBE_LENGTHS
    found, failures = _working_calls(module, lengths)
    if not found:
        fixed = require_fixed_length(module, failures)
        lengths = [fixed] * len(PROBE_LENGTHS)
        found, failures = _working_calls(module, lengths)
    if not found:
        raise UnsupportedModelError(uncallable(module, failures))
    words, call, path, outputs = found[0]
    # What may be a mask may be a second text as well.
    if (is_guess(words) and "mask" in words) or any(
        p != path or not _alike(outputs, others, path) for _, _, p, others in found[1:]
    ):
        raise UnsupportedModelError(
            f"{module_name(module)}.forward takes a second argument that could be "
            f"{' or '.join(w.removeprefix('a guess, ') for w, *_ in found)}: give a module whose "
            "forward takes the ids alone"
        )
    _require_repeatable(module, call, path, outputs, lengths)
    classes = pick(outputs[0], path).numel()
    is_fixed = lengths[0] == lengths[-1]
    shortest, longest = (lengths[0], lengths[0]) if is_fixed else read_lengths(module, call)
    vocab_size = count_ids(module, call, lengths[0])
    others = other_answers(outputs, path)
    return Forward(module, words, call, path, classes, vocab_size, shortest, longest, others)


def _working_calls(
    module: nn.Module, lengths: Sequence[int]
) -> tuple[list[tuple[str, Call, str, list[Any]]], list[str]]:
    """Return the calls that give an answer to texts of such lengths, and why the others do not."""
    found, failures = [], []
    for words, call in possible_calls(module):
        outputs, reason = try_call(module, call, lengths)
        path = answer_path(outputs, _state_sizes(module)) if outputs else None
        if path is None:
            failures.append(f"{words}: {reason or no_answer(outputs)}")
            continue
        found.append((words, call, path, outputs))
        if not is_guess(words):
            break
    return found, failures


def _state_sizes(module: nn.Module) -> frozenset[int]:
    """Return how many numbers the states of recurrent layers hold, of one layer or all."""
    layers: list[Any] = [m for m in module.modules() if hasattr(m, "hidden_size")]
    counts = {getattr(m, "num_layers", 1) * (1 + getattr(m, "bidirectional", 0)) for m in layers}
    return frozenset(m.hidden_size * count for m in layers for count in {1, 2, *counts})


def _alike(outputs: list[Any], others: list[Any], path: str) -> bool:
    pairs = [(pick(a, path), pick(b, path)) for a, b in zip(outputs, others, strict=True)]
    return all(a.shape == b.shape and torch.allclose(a, b, atol=1e-5) for a, b in pairs)


def _require_repeatable(
    module: nn.Module, call: Call, path: str, first: list[Any], lengths: Sequence[int]
) -> None:
    if not all(bool(pick(output, path).isfinite().all()) for output in first):
        raise UnsupportedModelError(f"{module_name(module)}.forward answers NaN or infinity")
    again, _ = try_call(module, call, lengths)
    pairs = zip(first, again, strict=False)
    if not again or not all(torch.equal(pick(a, path), pick(b, path)) for a, b in pairs):
        raise UnsupportedModelError(
            f"{module_name(module)}.forward answers differently when it is called twice on one "
            "text: dropout is left on (a call of dropout needs training=self.training), or it "
            "starts from random states or keeps those of the last call"
        )
