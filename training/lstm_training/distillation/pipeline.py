"""The student's stages, from pre-training to the checkpoint."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from lstm_training.checkpoint import Checkpoint
from lstm_training.data.prepare import EncodedTexts, encode
from lstm_training.distillation.cache import StageResult
from lstm_training.distillation.config import plain
from lstm_training.distillation.context import Context
from lstm_training.distillation.fit import weights_of
from lstm_training.distillation.soft_labels import SoftLabels
from lstm_training.distillation.student.calibration import Calibration, fit_calibration, fold_into
from lstm_training.distillation.student.pretraining import pretrain
from lstm_training.distillation.student.student_config import StudentConfig
from lstm_training.distillation.student.training import PAD, average_weights, train_student
from lstm_training.distillation.teachers.stages import Teachers
from lstm_training.evaluation.metrics import Metrics
from lstm_training.evaluation.predict import predict
from lstm_training.model import ModelConfig, SentimentRNN
from lstm_training.trainer.state_file import StateFile


@dataclass(frozen=True)
class _StudentStage:
    """One training of the student."""

    name: str
    "Name of its stage."
    config: StudentConfig
    "How to learn."
    initial: dict[str, Tensor]
    "Weights to start from; those that are not there start fresh."
    training_set: Callable[[], EncodedTexts]
    "Gives the texts to learn from, with their targets."
    before: list[StageResult]
    "Stages that these depend on."

    def with_seed(self, seed: int) -> "_StudentStage":
        """Return the same training with another seed, as a stage of its own."""
        config = replace(self.config, optimization=replace(self.config.optimization, seed=seed))
        return replace(self, name=f"{self.name}_{seed}", config=config)


class StudentPipeline:
    """Makes each stage of the student from the ones before it.

    Args:
        context: the texts, and the folder of outputs.

    """

    def __init__(self, context: Context) -> None:
        self.context, self.config, self.teachers = context, context.config, Teachers(context)
        self.soft_labels = SoftLabels(context, self.teachers)

    @cached_property
    def language_model(self) -> StageResult:
        """Weights of embedding and LSTM after pre-training."""
        config, context = self.config.language_model, self.context

        def work(part: StateFile) -> dict[str, Any]:
            ids = [context.ids(text) for text in context.texts]
            model = pretrain(self._sizes(0.0), ids, config, part)
            return {"weights": weights_of(model)}

        return context.cache.stage("language_model", context.inputs(config), work)

    @cached_property
    def ngram_student(self) -> StageResult:
        """Weights of a first student, which has the n-gram teacher alone."""
        config, start, teachers = self.config.ngram_student, self.language_model, self.teachers
        stage = _StudentStage(
            "ngram_student",
            config,
            # fc has learned nothing in pre-training.
            {k: w for k, w in start.content["weights"].items() if not k.startswith("fc")},
            lambda: self._training_set(
                config, self.soft_labels.labelled_by_ngrams, self.soft_labels.pool_by_ngrams
            ),
            [start, teachers.ngrams],
        )
        return self._student(stage)

    @cached_property
    def student(self) -> StageResult:
        """Mean of the students that went on with both teachers."""
        config, start, teachers = self.config.student, self.ngram_student, self.teachers
        stage = _StudentStage(
            "student",
            config,
            start.content["weights"],
            lambda: self.ensemble_training_set(config),
            [start, teachers.ngrams, teachers.transformer_scores],
        )
        return self._mean_of(stage)

    @cached_property
    def finetuning(self) -> StageResult:
        """Mean of the students that went on from that mean, with the augmentation besides."""
        config, teachers, start = self.config.finetuning, self.teachers, self.context.start
        before = [] if start else [self.student]
        stage = _StudentStage(
            "finetuning",
            config,
            start.weights if start else self.student.content["weights"],
            lambda: _concatenate(self.ensemble_training_set(config), teachers.augmentation_set),
            [*before, teachers.ngrams, teachers.transformer_scores, teachers.augmentation],
        )
        return self._mean_of(stage)

    def _mean_of(self, stage: _StudentStage) -> StageResult:
        """Return the mean of the weights that a training comes to with each of the seeds."""
        seed_runs = [self._student(stage.with_seed(seed)) for seed in self.config.seeds]
        context = self.context

        def work(_part: StateFile) -> dict[str, Any]:
            weights = average_weights([seed_run.content["weights"] for seed_run in seed_runs])
            model = SentimentRNN.from_config(self._sizes(0.0))
            model.load_state_dict(weights)
            context.log_metrics(stage.name, predict(model, context.held_out, 64, PAD))
            return {"weights": weights}

        return context.cache.stage(stage.name, context.inputs(None, *seed_runs), work)

    def _student(self, stage: _StudentStage) -> StageResult:
        """Return the weights that a training comes to."""
        context, config = self.context, stage.config

        def work(part: StateFile) -> dict[str, Any]:
            torch.manual_seed(config.optimization.seed)
            sizes = self._sizes(config.drop_prob)
            student = SentimentRNN.from_config(sizes, config.embedding_dropout)
            student.load_state_dict(stage.initial, strict=False)

            def evaluate(model: SentimentRNN) -> Metrics:
                scores = predict(model, context.held_out, 64, PAD)
                return context.log_metrics(stage.name, scores)["all"]

            taught = train_student(student, stage.training_set(), config, part, evaluate)
            return {"weights": weights_of(taught)}

        return context.cache.stage(stage.name, context.inputs(config, *stage.before), work)

    def ensemble_training_set(self, config: StudentConfig) -> EncodedTexts:
        """Return the training set with the soft labels of both teachers."""
        by = self.soft_labels
        return self._training_set(config, by.labelled_by_both, by.pool_by_both)

    def _training_set(
        self, config: StudentConfig, of_labelled: Tensor, of_pool: Tensor
    ) -> EncodedTexts:
        """Return the labelled texts and the pool with their targets, cut to their last tokens."""
        corpus, context = self.context.corpus, self.context
        labels = torch.tensor(corpus.train.labels, dtype=torch.float32)
        labelled = config.label_weight * labels + (1 - config.label_weight) * of_labelled
        train = encode(corpus.train, context.encoder, config.max_tokens)
        pool = tuple(ids[-config.max_tokens :] for ids in context.pool_ids)
        return _concatenate(EncodedTexts(train.ids, labelled), EncodedTexts(pool, of_pool))

    def checkpoint(self) -> Checkpoint:
        """Return the finished model: the student with its calibration folded in."""
        context, sizes = self.context, self._sizes(self.config.finetuning.drop_prob)
        model = SentimentRNN.from_config(sizes)
        model.load_state_dict(self.finetuning.content["weights"])
        raw = predict(model, context.held_out, 64, PAD)
        calibration = fit_calibration(raw.logit(), context.held_out.labels)
        fold_into(calibration, model)
        measures = context.log_metrics("model", predict(model, context.held_out, 64, PAD))
        return Checkpoint(
            config=sizes,
            state_dict=model.state_dict(),
            vocabulary=context.vocabulary,
            labels=context.corpus.train.label_names,
            metrics=asdict(measures.pop("all")),
            training=self._account(calibration, measures),
        )

    def _account(self, calibration: Calibration, measures: dict[str, Metrics]) -> dict[str, Any]:
        """Return how the model came about, as plain values."""
        corpus = self.context.corpus
        return {
            "data": f"{corpus.train.name}, unlabelled texts",
            "rows": {
                "train": len(corpus.train),
                "held_out": len(corpus.held_out),
                "unlabelled": len(corpus.unlabelled),
                "sentences": len(corpus.sentences),
                "augmentation": len(self.teachers.augmentation.content["texts"]),
                "excluded": corpus.excluded,
            },
            "held_out": {name: asdict(metrics) for name, metrics in measures.items()},
            "calibration": asdict(calibration),
            "stage_seconds": self.context.cache.seconds,
            "run": plain(self.config),
        }

    def _sizes(self, drop_prob: float) -> ModelConfig:
        """Return what the student is made of."""
        if self.context.start:
            return replace(self.context.start.sizes, drop_prob=drop_prob)
        sizes = self.config.sizes
        return ModelConfig(
            vocab_size=len(self.context.vocabulary),
            embedding_dim=sizes.embedding_dim,
            hidden_dim=sizes.hidden_dim,
            n_layers=sizes.n_layers,
            drop_prob=drop_prob,
        )


def _concatenate(first: EncodedTexts, second: EncodedTexts) -> EncodedTexts:
    return EncodedTexts((*first.ids, *second.ids), torch.cat([first.labels, second.labels]))
