"""What fine-tuned encoders say of texts: shared by processes, and gone on with after a stop."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from accelerate.utils import reduce  # type: ignore[import-untyped] # ships no types
from torch import Tensor

from lstm_training.distillation.teachers.transformer import TransformerTeacher
from lstm_training.distillation.teachers.transformer_config import TransformerConfig
from lstm_training.processes import join_processes
from lstm_training.trainer.state_file import StateFile

logger = logging.getLogger(__name__)

_CPU_TOKENS, _GPU_TOKENS = 1_024, 32_768
"""Word pieces of a batch.

On a CPU the attention scores of more do not fit the cache: with MPNet in bfloat16, on one core,
batches of 512, 1,024, 2,048, 4,096 and 8,192 pieces score 817, 799, 651, 528 and 391 pieces a
second. A GPU wants more: an H200, with fused attention, scored 0.5 million a second in batches of
8,192, and 1.6 million in batches of 32,768.
"""

_SHARED_BATCHES = 16
"""Batches that each process scores before all tell each other what they found."""

_SAVE_SECONDS = 120
"""Time of scoring that an interruption may lose."""


@dataclass
class _Progress:
    """What was said so far."""

    logits: Tensor
    "``[encoders, texts]``, NaN where nothing was said."
    scored: int
    "How many there are: of the first encoder all that it is asked, then of the second, and so on."
    state_file: StateFile
    "Where it is kept."
    saved: float = field(default_factory=time.monotonic)
    "When it was."

    def save_if_due(self, whole: int) -> None:
        """Save every few minutes, in the main process."""
        if time.monotonic() - self.saved > _SAVE_SECONDS and join_processes().is_main_process:
            logger.info("scored %s of %s texts", f"{self.scored:,}", f"{whole:,}")
            self.state_file.save({"logits": self.logits, "scored": self.scored})
            self.saved = time.monotonic()


def score(
    encoders: Sequence[Callable[[], TransformerTeacher]],
    asked: Sequence[Sequence[int]],
    texts: Sequence[str],
    config: TransformerConfig,
    state_file: StateFile,
) -> Tensor:
    """Return what each encoder says of the texts that it is asked about, NaN where it is not.

    Goes on from the saved state if there is one. Several processes share the texts, and each
    returns all. The encoders are rounded to bfloat16: with 510 word pieces that is 1.4 times as
    fast on a CPU as autocast, which takes softmax and the like to float32.

    Args:
        encoders: load each, fine-tuned; one at a time is in memory.
        asked: positions of the texts that each scores.
        texts: what to score.
        config: how to read.
        state_file: where the logits so far are kept every few minutes.

    Returns:
        Logits, float32 ``[encoders, texts]``.

    """
    state: dict[str, Any] = {"scored": 0}
    state["logits"] = torch.full((len(encoders), len(texts)), torch.nan)
    found = state_file.load() if state_file.exists() else state
    # Else it was left by a version that counted batches, or knew one encoder only.
    if "scored" in found and found["logits"].shape == state["logits"].shape:
        state = found
    progress = _Progress(state["logits"], state["scored"], state_file)
    before, whole = 0, sum(map(len, asked))
    ids: dict[int, list[int]] = {}
    for row, load, positions in zip(progress.logits, encoders, asked, strict=True):
        done, before = progress.scored - before, before + len(positions)
        if done < len(positions):
            teacher = _prepared(load())
            # All encoders cut texts alike.
            new = [n for n in positions if n not in ids]
            ids |= zip(new, _pieces(teacher, texts, new, config), strict=True)
            order = sorted(positions, key=lambda n: len(ids[n]))
            for shared in _shared_batches(order[done:], ids):
                said = _share(teacher, ids, shared)
                row[[n for batch in shared for n in batch]] = said
                progress.scored += len(said)
                progress.save_if_due(whole)
    return progress.logits


def _prepared(teacher: TransformerTeacher) -> TransformerTeacher:
    teacher.eval().to(join_processes().device)
    teacher.encoder.to(torch.bfloat16)
    return teacher


def _pieces(
    teacher: TransformerTeacher,
    texts: Sequence[str],
    positions: Sequence[int],
    config: TransformerConfig,
) -> list[list[int]]:
    """Return the word pieces of the texts at ``positions``."""
    tail = config.tail_tokens + config.extra_scoring_tokens
    return teacher.encode([texts[n] for n in positions], config.head_tokens, tail)


def _shared_batches(order: Sequence[int], ids: dict[int, list[int]]) -> list[list[list[int]]]:
    """Return the positions of ``order``, from short to long, in batches, and these in groups.

    A group is what the processes share before they tell each other.
    """
    # The state counts texts, not batches: a run may go on on a device with batches of another size.
    most = _CPU_TOKENS if join_processes().device.type == "cpu" else _GPU_TOKENS
    batches: list[list[int]] = []
    for n in order:
        if not batches or (len(batches[-1]) + 1) * len(ids[n]) > most:
            batches.append([])
        batches[-1].append(n)
    size = _SHARED_BATCHES * int(join_processes().num_processes)
    return [batches[start : start + size] for start in range(0, len(batches), size)]


def _share(
    teacher: TransformerTeacher, ids: dict[int, list[int]], shared: list[list[int]]
) -> Tensor:
    """Return the logits of all texts in the batches, of which this process scores its part."""
    processes = join_processes()
    parts = [torch.zeros(len(batch)) for batch in shared]
    for at in range(processes.process_index, len(shared), processes.num_processes):
        with torch.inference_mode():
            parts[at] = teacher(*teacher.pad([ids[n] for n in shared[at]])).cpu()
    return torch.as_tensor(reduce(torch.cat(parts).to(processes.device), "sum").cpu())
