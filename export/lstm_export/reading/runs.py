"""Runs of a module on random texts, and what of its answers can be one."""

from collections.abc import Sequence

import numpy as np
import torch
from lstm_runtime.arrays import Array
from torch import Tensor, nn

from lstm_export.errors import UnsupportedModelError
from lstm_export.reading.calls import Call, tensors
from lstm_export.reading.refusal import BATCH, CALL, READING, RefusalError
from lstm_export.reading.sources import Values
from lstm_export.reading.watch import Observation, observe
from lstm_export.reference.torch_model import one_thread


def observe_call(
    module: nn.Module, call: Call, ids: Sequence[int], *, stirred: float = 0.0
) -> Observation:
    """Run ``module`` and watch, as `observe` does.

    Raises:
        RefusalError: when it cannot be called so.

    """
    try:
        return observe(module, call, ids, stirred=stirred)
    except Exception as error:
        reason = " ".join(str(error).split())[:80] or type(error).__name__
        raise RefusalError(f"{call.name}: {reason}", CALL) from error


def answer_of(module: nn.Module, call: Call, ids: Sequence[int], output: str) -> Array:
    """Return one of the things that forward returns for one text.

    Raises:
        UnsupportedModelError: when forward fails; says for which text.

    """
    try:
        return observe(module, call, ids).outputs[output]
    except Exception as error:
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise UnsupportedModelError(
            f"{type(module).__name__}.forward fails on a text of {len(ids)} words: {reason}"
        ) from error


def answers_of_batch(module: nn.Module, call: Call, ids: Tensor, output: str) -> Array:
    """Return the same for texts ``[batch, sequence]`` in one batch, ``[batch, classes]``."""
    with one_thread(), torch.inference_mode():
        found = dict(tensors(call(module, ids)))[output]
    return np.asarray(found.float().reshape(len(ids), -1).numpy())


def of_one_size(runs: Sequence[Observation], call: Call, longest: int) -> dict[str, Values]:
    """Return what forward returned that has the same size for texts of any length.

    Raises:
        RefusalError: when nothing has, or all of it is NaN.

    """
    found = {
        name: tuple(run.outputs.get(name, np.zeros(0, np.float32)) for run in runs)
        for name in runs[0].outputs
    }
    same = {n: v for n, v in found.items() if v[0].size and len({part.size for part in v}) == 1}
    if not same:
        most = max((value.size for run in runs for value in run.outputs.values()), default="no")
        returned = f"returned {most} values for {longest} words"
        raise RefusalError(f"{call.name}: {returned}, where an answer has one size", BATCH)
    finite = {n: v for n, v in same.items() if all(np.isfinite(part).all() for part in v)}
    if not finite:
        raise RefusalError(f"forward answers NaN or infinity{_because(runs)}", READING)
    answers = {n: v for n, v in finite.items() if not all(map(_is_whole, v))}
    if not answers:
        if all(np.array_equal(v[0], part) for v in finite.values() for part in v):
            raise RefusalError("forward answers the same for every text", READING)
        raise RefusalError("forward returns whole numbers alone, such as labels", READING)
    return answers


def _is_whole(values: Array) -> bool:
    return bool((values == np.round(values)).all())


def _because(runs: Sequence[Observation]) -> str:
    """Name the first layer whose weights are NaN."""
    for call in runs[0].calls:
        for name, weight in call.layer.named_parameters():
            if not bool(weight.isfinite().all()):
                return f": {call.name}.{name} is not in the checkpoint, or holds NaN"
    return ""
