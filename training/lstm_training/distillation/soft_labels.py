"""What the teachers say of each text: the soft labels that a student learns from."""

from functools import cached_property

import torch
from torch import Tensor

from lstm_training.distillation.cache import StageResult
from lstm_training.distillation.context import Context
from lstm_training.distillation.teachers.ensemble import ensemble_of, logits_of
from lstm_training.distillation.teachers.stages import Teachers


class SoftLabels:
    """Probabilities that texts are positive, float32 ``[texts]``.

    Args:
        context: the texts.
        teachers: who label them; the second one is asked only where both are wanted.

    """

    def __init__(self, context: Context, teachers: Teachers) -> None:
        self.context, self.teachers = context, teachers

    @cached_property
    def pool_by_ngrams(self) -> Tensor:
        """Each text of the pool, by the n-gram teacher alone."""
        return self._pool_by("n-grams", [self.teachers.ngrams])

    @cached_property
    def pool_by_both(self) -> Tensor:
        """Each text of the pool, by both teachers where both scored it."""
        both = self._pool_by("teachers", [self.teachers.ngrams, self.teachers.transformer_scores])
        return torch.where(both.isnan(), self.pool_by_ngrams, both)

    @cached_property
    def labelled_by_ngrams(self) -> Tensor:
        """Each labelled text, by the n-gram teacher, which learned from others."""
        return torch.as_tensor(self.teachers.ngrams.content["train"].sigmoid())

    @cached_property
    def labelled_by_both(self) -> Tensor:
        """The same by both teachers, where the second one was asked.

        One sentence encoder alone has learned from these texts; of several, the one that has not
        tells, as n-grams do.
        """
        context, teachers = self.context, [self.teachers.ngrams, self.teachers.transformer_scores]
        lengths = torch.tensor([len(context.encoder(text)) for text in context.corpus.train.texts])
        ensemble = ensemble_of(teachers, context.held_out)
        both = ensemble.probabilities(logits_of(teachers, "train"), lengths)
        return torch.where(both.isnan(), self.labelled_by_ngrams, both)

    def _pool_by(self, who: str, teachers: list[StageResult]) -> Tensor:
        context = self.context
        ensemble = ensemble_of(teachers, context.held_out)
        lengths = torch.tensor(context.held_out.lengths)
        context.log_metrics(who, ensemble.probabilities(logits_of(teachers, "held_out"), lengths))
        lengths = torch.tensor([len(ids) for ids in context.pool_ids])
        return ensemble.probabilities(logits_of(teachers, "pool"), lengths)
