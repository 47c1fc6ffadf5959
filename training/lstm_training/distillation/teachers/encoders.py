"""The sentence encoders: each fine-tuned on its part of the labelled texts, and asked."""

from collections.abc import Callable, Sequence
from functools import cached_property, partial
from typing import Any

import torch
from torch import Tensor

from lstm_training.distillation.cache import StageResult
from lstm_training.distillation.context import Context
from lstm_training.distillation.fit import weights_of
from lstm_training.distillation.teachers.encoder import encoder_folder
from lstm_training.distillation.teachers.scoring import score
from lstm_training.distillation.teachers.transformer import TransformerTeacher, fine_tune
from lstm_training.trainer.state_file import StateFile
from lstm_training.transfer.folds import fold_of

ALL = -1
"""Stands for all encoders where a fold stands for one."""


class Encoders:
    """Fine-tunes the encoders, a stage for each, and asks them.

    Args:
        context: the texts, and the folder of outputs.
        ngrams: makes the first teacher, which says what is worth learning from.

    """

    def __init__(self, context: Context, ngrams: Callable[[], StageResult]) -> None:
        self.context, self.config, self.corpus = context, context.config, context.corpus
        self._ngrams = ngrams

    @cached_property
    def stages(self) -> list[StageResult]:
        """Weights of each encoder."""
        folds = self.config.transformer.folds
        if folds == 1:
            return [self._stage("transformer", ALL)]
        return [self._stage(f"transformer_{fold}", fold) for fold in range(folds)]

    @cached_property
    def folds(self) -> Tensor:
        """Which encoder has not learned from a labelled text, int64 ``[texts]``; `ALL` for none."""
        train, folds = self.corpus.train, self.config.transformer.folds
        if folds == 1:
            return torch.full((len(train),), ALL)
        return torch.from_numpy(fold_of(train, folds))

    def logits(self, texts: Sequence[str], part: StateFile, folds: Tensor | None = None) -> Tensor:
        """Return what the encoders say, or the one of a text's fold, float32 ``[texts]``.

        Args:
            texts: what to score.
            part: state to resume from.
            folds: of each text the fold, or `ALL`; None where all are asked about all.

        """
        whose = torch.full((len(texts),), ALL) if folds is None else folds
        loads = [partial(self._load, stage) for stage in self.stages]
        asked = [
            ((whose == ALL) | (whose == fold)).nonzero()[:, 0].tolist()
            for fold in range(len(loads))
        ]
        return score(loads, asked, texts, self.config.transformer, part).nanmean(0)

    def inputs(self, *before: StageResult) -> dict[str, Any]:
        """Return what a stage of the encoders depends on.

        What there was before there could be several is the same as with one.
        """
        inputs = self.context.teacher_inputs(self.config.transformer, *before)
        if inputs["config"]["folds"] == 1:
            del inputs["config"]["folds"]
        return inputs

    def _stage(self, name: str, fold: int) -> StageResult:
        """Return the weights of the encoder that learns from all folds but this one."""
        config, most = self.config.transformer, self.config.learned_labelled

        def work(part: StateFile) -> dict[str, Any]:
            torch.manual_seed(config.optimization.seed)
            learned = torch.ones(len(self.corpus.train), dtype=torch.bool)
            if most:
                learned &= least_sure(self._ngrams().content["train"], most)
            if fold != ALL:
                learned &= self.folds != fold
            train = self.corpus.train.select(learned.nonzero()[:, 0].tolist())
            rated = self.corpus.rated
            texts = [*train.texts, *(one.text for one in rated)]
            targets = torch.tensor(
                [*train.labels, *(one.probability for one in rated)], dtype=torch.float32
            )
            teacher = self._untrained()
            fine_tune(teacher, texts, targets, config, part)
            return {"weights": weights_of(teacher)}

        inputs = self.inputs(*([self._ngrams()] if most else []))
        inputs |= {"learned_labelled": most} if most else {}
        inputs |= {} if fold == ALL else {"fold": fold}
        return self.context.cache.stage(name, inputs, work)

    def _load(self, stage: StageResult) -> TransformerTeacher:
        teacher = self._untrained()
        teacher.load_state_dict(stage.content["weights"])
        return teacher

    def _untrained(self) -> TransformerTeacher:
        """Return the encoder before its fine-tuning."""
        config = self.config.transformer
        folder = encoder_folder(config.folder, self.context.cache.folder)
        return TransformerTeacher(folder, config.frozen_layers)


def least_sure(logits: Tensor, most: int) -> Tensor:
    """Return whether a logit is one of the ``most`` that are next to zero, bool ``[texts]``."""
    found = torch.zeros(len(logits), dtype=torch.bool)
    found[logits.abs().argsort(stable=True)[:most]] = True
    return found
