"""The ensemble of the teachers' stages."""

import torch
from torch import Tensor

from lstm_training.data.prepare import EncodedTexts
from lstm_training.distillation.cache import StageResult
from lstm_training.transfer.ensemble import Ensemble, fit_ensemble


def ensemble_of(teachers: list[StageResult], held_out: EncodedTexts) -> Ensemble:
    """Return the best ensemble of ``teachers`` on the held-out texts that all of them scored."""
    logits = logits_of(teachers, "held_out")
    known = ~logits.isnan().any(1)
    lengths = torch.tensor(held_out.lengths)
    return fit_ensemble(logits[known], lengths[known], held_out.labels[known])


def logits_of(teachers: list[StageResult], texts: str) -> Tensor:
    """Return what each teacher said of those ``texts`` of its result, ``[texts, teachers]``."""
    return torch.stack([teacher.content[texts] for teacher in teachers], dim=1)
