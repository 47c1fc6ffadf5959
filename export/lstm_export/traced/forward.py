"""A module of any kind as a function of one text: how it is called, and what it can read."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from lstm_runtime.arrays import Array
from torch import nn

from lstm_export.errors import UnsupportedModelError
from lstm_export.reference.torch_model import one_thread
from lstm_export.traced.calls import Call, is_guess, module_name, possible_calls
from lstm_export.traced.outputs import WHOLE_NUMBERS, answer_path, no_answer, other_answers, pick

PROBE_LENGTHS = (23, 37, 64)
LONGEST = 700
"""Longest text that is tried: the longest of the proof has some 500 tokens."""
MOST_WORDS = 2**26
"""A vocabulary of more is none."""


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
        return np.asarray(pick(output, self.path).float().numpy()).reshape(-1)

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
        fixed = _require_fixed_length(module, failures)
        lengths = [fixed] * len(PROBE_LENGTHS)
        found, failures = _working_calls(module, lengths)
    if not found:
        raise UnsupportedModelError(_uncallable(module, failures))
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
    shortest, longest = (lengths[0], lengths[0]) if is_fixed else _range(module, call)
    vocab_size = _vocab_size(module, call, lengths[0])
    others = other_answers(outputs, path)
    return Forward(module, words, call, path, classes, vocab_size, shortest, longest, others)


def _working_calls(
    module: nn.Module, lengths: Sequence[int]
) -> tuple[list[tuple[str, Call, str, list[Any]]], list[str]]:
    """Return the calls that give an answer to texts of such lengths, and why the others do not."""
    found, failures = [], []
    for words, call in possible_calls(module):
        outputs, reason = _try(module, call, lengths)
        path = answer_path(outputs) if outputs else None
        if path is None:
            failures.append(f"{words}: {reason or no_answer(outputs)}")
            continue
        found.append((words, call, path, outputs))
        if not is_guess(words):
            break
    return found, failures


def _try(module: nn.Module, call: Call, lengths: Sequence[int]) -> tuple[list[Any], str]:
    """Return what ``call`` gives for texts of such lengths, or nothing and the reason."""
    random = np.random.default_rng(2)
    outputs = []
    for length in lengths:
        # Ids that every vocabulary has; 0 and 1 are padding or unknown in most.
        ids = torch.from_numpy(random.integers(2, 4, (1, length)))
        try:
            with one_thread(), torch.inference_mode():
                outputs.append(call(module, ids))
        except Exception as error:
            return [], " ".join(str(error).split())[:100] or type(error).__name__
    return outputs, ""


def _alike(outputs: list[Any], others: list[Any], path: str) -> bool:
    pairs = [(pick(a, path), pick(b, path)) for a, b in zip(outputs, others, strict=True)]
    return all(a.shape == b.shape and torch.allclose(a, b, atol=1e-5) for a, b in pairs)


def _require_repeatable(
    module: nn.Module, call: Call, path: str, first: list[Any], lengths: Sequence[int]
) -> None:
    if not all(bool(pick(output, path).isfinite().all()) for output in first):
        raise UnsupportedModelError(f"{module_name(module)}.forward answers NaN or infinity")
    again, _ = _try(module, call, lengths)
    pairs = zip(first, again, strict=False)
    if not again or not all(torch.equal(pick(a, path), pick(b, path)) for a, b in pairs):
        raise UnsupportedModelError(
            f"{module_name(module)}.forward answers differently when it is called twice on one "
            "text: dropout is left on (a call of dropout needs training=self.training), or it "
            "starts from random states or keeps those of the last call"
        )


def _reads(module: nn.Module, call: Call, length: int) -> bool:
    return bool(_try(module, call, [length])[0])


def _range(module: nn.Module, call: Call) -> tuple[int, int | None]:
    """Return the lengths of the shortest and the longest text that ``module`` reads."""
    shortest = next(n for n in range(1, max(PROBE_LENGTHS) + 1) if _reads(module, call, n))
    if _reads(module, call, LONGEST):
        return shortest, None
    reads, fails = max(PROBE_LENGTHS), LONGEST
    while fails - reads > 1:
        middle = (reads + fails) // 2
        reads, fails = (middle, fails) if _reads(module, call, middle) else (reads, middle)
    return shortest, reads


def _vocab_size(module: nn.Module, call: Call, length: int) -> int:
    """Return how many ids ``module`` takes: the first that it refuses."""

    def takes(n: int) -> bool:
        try:
            with one_thread(), torch.inference_mode():
                call(module, torch.full((1, length), n))
        except Exception:
            return False
        return True

    low, high = 3, 8
    while takes(high):
        low, high = high, high * 2
        if high > MOST_WORDS:
            raise UnsupportedModelError(
                f"{module_name(module)}.forward takes any number for an id: it looks words up in "
                "no table, as an nn.Embedding or one_hot(ids, WORDS) is"
            )
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if takes(middle) else (low, middle)
    return high


def _require_fixed_length(module: nn.Module, failures: list[str]) -> int:
    """Return the one length of texts that ``forward(ids)`` reads, as behind a padding of its own.

    Raises:
        UnsupportedModelError: when there is none; says what stands in the way.

    """
    if (states := _OTHER_BATCH.search(failures[0])) is not None:
        raise UnsupportedModelError(
            f"{module_name(module)}.forward makes first states for {states[1]} texts whatever it "
            "is given: set its batch size to 1 before it is exported (its argument of that name, "
            """--init '{"batch_size": 1}', or model.batch_size = 1)"""
        )
    if any("cuda" in failure.lower() or "NVIDIA" in failure for failure in failures):
        raise UnsupportedModelError(
            f"{module_name(module)}.forward moves tensors to CUDA itself: write .to(x.device) in "
            'the place of .cuda(), and device=x.device in the place of "cuda" (weights stay as '
            "they are)"
        )
    # Where forward runs but gives no answer, no other length will help.
    fixed = None if any(WHOLE_NUMBERS in failure for failure in failures) else _fixed_length(module)
    if fixed and isinstance(module, torch.fx.GraphModule):
        raise UnsupportedModelError(
            f"{module_name(module)}.forward reads texts of {fixed} tokens only: torch.export fixes "
            "the number of steps of every LSTM: give the class, --module FILE.py:CLASS, which "
            "takes the weights out of the same file"
        )
    if fixed is None:
        raise UnsupportedModelError(_uncallable(module, failures))
    if _reads(module, lambda m, ids: m(ids), fixed + 1):
        raise UnsupportedModelError(
            f"{module_name(module)}.forward reads texts of {fixed} tokens or more: give a module "
            "that pads its ids itself"
        )
    return fixed


def _uncallable(module: nn.Module, failures: list[str]) -> str:
    return f"{module_name(module)}.forward cannot be called on one text ({'; '.join(failures)})"


_OTHER_BATCH = re.compile(r"Expected hidden\[0\] size \(\d+, 1, \d+\), got \[\d+, (\d+), \d+\]")
"""What PyTorch says of states for another number of texts."""


def _fixed_length(module: nn.Module) -> int | None:
    """Return the length that ``forward(ids)`` reads, where it does not read any other."""
    return next((n for n in range(1, LONGEST) if _reads(module, lambda m, i: m(i), n)), None)
