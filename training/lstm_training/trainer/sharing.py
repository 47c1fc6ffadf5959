"""Held-out texts on several processes: each is read once, and all processes know all answers."""

from collections.abc import Callable

import torch
from accelerate.utils import gather_object  # type: ignore[import-untyped] # ships no types
from torch import Tensor

from lstm_training.data.prepare import EncodedTexts
from lstm_training.processes import join_processes


def predict_together(predict: Callable[[EncodedTexts], Tensor], texts: EncodedTexts) -> Tensor:
    """Return what ``predict`` finds for ``texts``, of which each process reads its share.

    Args:
        predict: gives a row for each text, on the CPU.
        texts: all texts, the same in every process.

    """
    state = join_processes()
    processes = int(state.num_processes)
    if processes == 1:
        return predict(texts)
    parts = gather_object([predict(texts.every(processes, state.process_index))])
    found = torch.empty(len(texts), *parts[0].shape[1:])
    for index, part in enumerate(parts):
        found[index::processes] = part
    return found
