"""Labelled texts on several processes: each text is read by one, and all know all answers."""

import os
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

import torch
from torch import Tensor

from lstm_training.data.digest import texts_digest
from lstm_training.errors import EvaluationError
from lstm_training.evaluation.predictions import Predictions, TextStats


def predict_in_shares(
    predict: Callable[[Sequence[str]], Predictions], texts: Sequence[str]
) -> Predictions:
    """Return the answers to ``texts``, of which each process of the run reads its share.

    The processes are those that ``torchrun`` or ``accelerate launch`` started.

    Raises:
        EvaluationError: when they were given different texts.

    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return predict(texts)  # without the time that accelerate takes to load
    from accelerate.utils import gather_object  # type: ignore[import-untyped] # ships no types

    from lstm_training.processes import join_processes

    state = join_processes()
    index, processes = int(state.process_index), int(state.num_processes)
    if len(set(gather_object([texts_digest(texts)]))) > 1:
        raise EvaluationError("the processes have different texts: all need the same file")
    own = predict(texts[index::processes] or texts[:1])
    rows = range(len(texts))[index::processes]
    parts = gather_object([(list(rows), own.probabilities, own.guesses, own.stats)])
    return _in_order([part for part in parts if part[0]])


def is_first_process() -> bool:
    """Tell whether this process speaks and writes for all of the run."""
    return os.environ.get("RANK", "0") == "0"


def _in_order(parts: list[tuple[list[int], Tensor, Tensor, TextStats]]) -> Predictions:
    """Put the answers of all processes in the order of the texts."""
    rows, probabilities, guesses, stats = zip(*parts, strict=True)
    order = torch.tensor(list(chain.from_iterable(rows))).argsort()

    def ordered(columns: Sequence[tuple[Any, ...]]) -> tuple[Any, ...]:
        joined = tuple(chain.from_iterable(columns))
        return tuple(joined[n] for n in order.tolist())

    return Predictions(
        torch.cat(probabilities)[order],
        torch.cat(guesses)[order],
        TextStats(ordered([one.lengths for one in stats]), ordered([one.known for one in stats])),
    )
