"""What a module takes: which calls run, which lengths, how many ids."""

import re
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import torch
from torch import nn

from lstm_export.errors import UnsupportedModelError
from lstm_export.reference.torch_model import one_thread
from lstm_export.traced.calls import Call, module_name
from lstm_export.traced.outputs import RETURNS

PROBE_LENGTHS = (23, 37, 64)
"""Of the texts that a call has to run with."""
LONGEST = 2200
"""Longest text that is tried: the longest of the proof has 2,100 tokens."""
_LONGEST_ONLY = 700
"""Longest only length that is looked for: each one before it costs a run."""
_IDS = ((2, 4), (4, 6), (1, 3))
"""Ranges of ids to call an unknown module with; 0 and 1 are padding or unknown in most, and any may
be padding."""
MOST_WORDS = 2**26
"""A vocabulary of more is none."""


def try_call(module: nn.Module, call: Call, lengths: Sequence[int]) -> tuple[list[Any], str]:
    """Return what ``call`` gives for texts of such lengths, or nothing and the reason."""
    reasons = []
    for ids_from in _IDS:
        outputs, reason = _try_ids(module, call, lengths, ids_from)
        if outputs:
            return outputs, ""
        reasons.append(reason)
    return [], reasons[0]


def _try_ids(
    module: nn.Module, call: Call, lengths: Sequence[int], ids_from: tuple[int, int]
) -> tuple[list[Any], str]:
    random, outputs = np.random.default_rng(2), []
    for length in lengths:
        ids = torch.from_numpy(random.integers(*ids_from, (1, length)))
        try:
            with one_thread(), torch.inference_mode():
                outputs.append(call(module, ids))
        except Exception as error:
            return [], " ".join(str(error).split())[:100] or type(error).__name__
    return outputs, ""


def runs_on(module: nn.Module, call: Call, length: int) -> bool:
    """Tell whether ``call`` runs on a text of ``length`` tokens."""
    return bool(try_call(module, call, [length])[0])


def read_lengths(module: nn.Module, call: Call) -> tuple[int, int | None]:
    """Return the lengths of the shortest and the longest text that ``module`` reads."""
    shortest = next(n for n in range(1, max(PROBE_LENGTHS) + 1) if runs_on(module, call, n))
    if runs_on(module, call, LONGEST):
        return shortest, None
    reads, fails = max(PROBE_LENGTHS), LONGEST
    while fails - reads > 1:
        middle = (reads + fails) // 2
        reads, fails = (middle, fails) if runs_on(module, call, middle) else (reads, middle)
    return shortest, reads


def count_ids(module: nn.Module, call: Call, length: int) -> int:
    """Return how many ids ``module`` takes: the first that it refuses."""

    def takes(n: int) -> bool:
        # Among words: of padding alone many a module has no answer.
        texts = ([n, *[word] * (length - 1)] for word in (2, 4, 1, n))
        for ids in texts:
            with suppress(Exception), one_thread(), torch.inference_mode():
                call(module, torch.tensor([ids]))
                return True
        return False

    low, high = 2, 4
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


def require_fixed_length(module: nn.Module, failures: list[str]) -> int:
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
    fixed = (
        None if any(f": {RETURNS} " in failure for failure in failures) else _fixed_length(module)
    )
    if fixed and isinstance(module, torch.fx.GraphModule):
        raise UnsupportedModelError(
            f"{module_name(module)}.forward reads texts of {fixed} tokens only: torch.export fixes "
            "the number of steps of every LSTM: give the class, --module FILE.py:CLASS, which "
            "takes the weights out of the same file"
        )
    if fixed is None:
        raise UnsupportedModelError(uncallable(module, failures))
    further = (fixed + 1, fixed + 2, 2 * fixed, 3 * fixed)
    other = next((n for n in further if runs_on(module, lambda m, ids: m(ids), n)), None)
    if other is not None:
        more = "or more" if other == fixed + 1 else f"and of {other}, but not all between"
        raise UnsupportedModelError(
            f"{module_name(module)}.forward reads texts of {fixed} tokens {more}: give a module "
            "that pads its ids itself"
        )
    return fixed


def uncallable(module: nn.Module, failures: list[str]) -> str:
    """Say that no call led to an answer, and what each failed on."""
    return f"{module_name(module)}.forward cannot be called on one text ({'; '.join(failures)})"


_OTHER_BATCH = re.compile(r"Expected hidden\[0\] size \(\d+, 1, \d+\), got \[\d+, (\d+), \d+\]")
"""What PyTorch says of states for another number of texts."""


def _fixed_length(module: nn.Module) -> int | None:
    """Return the shortest length that ``forward(ids)`` reads, where it does not read the usual."""

    def reads(n: int) -> bool:
        outputs, _ = _try_ids(module, lambda m, ids: m(ids), [n], _IDS[0])
        return bool(outputs)

    return next(filter(reads, range(1, _LONGEST_ONLY)), None)
