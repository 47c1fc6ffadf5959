"""The student's stages, from pre-training to the checkpoint."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from lstm_training.checkpoint import Checkpoint
from lstm_training.data.prepare import EncodedTexts, encode
from lstm_training.distillation.cache import Output, PartState
from lstm_training.distillation.config import StudentConfig, plain
from lstm_training.distillation.context import Pantry
from lstm_training.distillation.student.calibration import Calibration, fit_calibration, fold
from lstm_training.distillation.student.pretraining import pretrain
from lstm_training.distillation.student.training import PAD, mean_weights, teach
from lstm_training.distillation.teachers.stages import Teachers
from lstm_training.evaluation.metrics import Metrics, predict
from lstm_training.model import ModelConfig, SentimentRNN


@dataclass(frozen=True)
class _Plan:
    """A course for the student."""

    name: str
    "Name of its stage."
    config: StudentConfig
    "How to learn."
    initial: dict[str, Tensor]
    "Weights to start from; those that are not there start fresh."
    lessons: Callable[[], EncodedTexts]
    "Gives the texts to learn from, with their targets."
    before: list[Output]
    "Stages that these depend on."

    def with_seed(self, seed: int) -> "_Plan":
        """Return the same course with another seed, as a stage of its own."""
        config = replace(self.config, course=replace(self.config.course, seed=seed))
        return replace(self, name=f"{self.name}_{seed}", config=config)


class Kitchen:
    """Makes each stage of the student from the ones before it.

    Args:
        pantry: the texts, and the folder of outputs.

    """

    def __init__(self, pantry: Pantry) -> None:
        self.pantry, self.config, self.teachers = pantry, pantry.config, Teachers(pantry)

    @cached_property
    def language_model(self) -> Output:
        """Weights of embedding and LSTM after pre-training."""
        config, pantry = self.config.language_model, self.pantry

        def work(part: PartState) -> dict[str, Any]:
            ids = [pantry.ids(text) for text in pantry.texts]
            model = pretrain(self._sizes(0.0), ids, config, part, pantry.say)
            return {"weights": model.state_dict()}

        return pantry.workshop.stage("language_model", pantry.inputs(config), work)

    @cached_property
    def rehearsal(self) -> Output:
        """Weights of a first student, which has the n-gram teacher alone."""
        config, start, teachers = self.config.rehearsal, self.language_model, self.teachers
        plan = _Plan(
            "rehearsal",
            config,
            # fc has learned nothing in pre-training.
            {k: w for k, w in start.content["weights"].items() if not k.startswith("fc")},
            lambda: self._lessons(config, teachers.first_opinion),
            [start, teachers.ngrams],
        )
        return self._student(plan)

    @cached_property
    def student(self) -> Output:
        """Mean of the students that went on with both teachers."""
        config, start, teachers = self.config.student, self.rehearsal, self.teachers
        plan = _Plan(
            "student",
            config,
            start.content["weights"],
            lambda: self._lessons(config, teachers.joint_opinion),
            [start, teachers.ngrams, teachers.transformer_scores],
        )
        return self._mean_of(plan)

    @cached_property
    def finish(self) -> Output:
        """Mean of the students that went on from that mean, with the drills besides."""
        config, start, teachers = self.config.finish, self.student, self.teachers
        plan = _Plan(
            "finish",
            config,
            start.content["weights"],
            lambda: _joined(self._lessons(config, teachers.joint_opinion), teachers.drill_lessons),
            [start, teachers.ngrams, teachers.transformer_scores, teachers.drills],
        )
        return self._mean_of(plan)

    def _mean_of(self, plan: _Plan) -> Output:
        """Return the mean of the weights that a course comes to with each of the seeds."""
        pupils = [self._student(plan.with_seed(seed)) for seed in self.config.seeds]
        pantry = self.pantry

        def work(_part: PartState) -> dict[str, Any]:
            weights = mean_weights([pupil.content["weights"] for pupil in pupils])
            model = SentimentRNN.from_config(self._sizes(0.0))
            model.load_state_dict(weights)
            pantry.tell(plan.name, predict(model, pantry.held_out, 64, PAD))
            return {"weights": weights}

        return pantry.workshop.stage(plan.name, pantry.inputs(None, *pupils), work)

    def _student(self, plan: _Plan) -> Output:
        """Return the weights that a course comes to."""
        pantry, config = self.pantry, plan.config

        def work(part: PartState) -> dict[str, Any]:
            torch.manual_seed(config.course.seed)
            sizes = self._sizes(config.drop_prob)
            student = SentimentRNN.from_config(sizes, config.embedding_dropout)
            student.load_state_dict(plan.initial, strict=False)

            def measures() -> str:
                found = pantry.tell(plan.name, predict(student, pantry.held_out, 64, PAD))
                return f"; held out: loss {found['all'].loss:.4f}"

            teach(student, plan.lessons(), config, part, measures, pantry.say)
            return {"weights": student.state_dict()}

        return pantry.workshop.stage(plan.name, pantry.inputs(config, *plan.before), work)

    def _lessons(self, config: StudentConfig, opinion: Tensor) -> EncodedTexts:
        """Return the labelled texts and the pool with their targets, cut to their last tokens.

        Only the n-gram teacher has scored the labelled texts without having learned from them.
        """
        corpus, pantry = self.pantry.corpus, self.pantry
        labels = torch.tensor(corpus.train.labels, dtype=torch.float32)
        doubt = self.teachers.ngrams.content["train"].sigmoid()
        labelled = config.label_weight * labels + (1 - config.label_weight) * doubt
        train = encode(corpus.train, pantry.encoder, config.max_tokens)
        pool = tuple(ids[-config.max_tokens :] for ids in pantry.pool_ids)
        return _joined(EncodedTexts(train.ids, labelled), EncodedTexts(pool, opinion))

    def checkpoint(self) -> Checkpoint:
        """Return the finished model: the student with its calibration folded in."""
        pantry, sizes = self.pantry, self._sizes(self.config.finish.drop_prob)
        model = SentimentRNN.from_config(sizes)
        model.load_state_dict(self.finish.content["weights"])
        raw = predict(model, pantry.held_out, 64, PAD)
        calibration = fit_calibration(raw.logit(), pantry.held_out.labels)
        fold(calibration, model)
        measures = pantry.tell("model", predict(model, pantry.held_out, 64, PAD))
        return Checkpoint(
            config=sizes,
            state_dict=model.state_dict(),
            vocabulary=pantry.vocabulary,
            labels=pantry.corpus.train.label_names,
            metrics=asdict(measures.pop("all")),
            training=self._account(calibration, measures),
        )

    def _account(self, calibration: Calibration, measures: dict[str, Metrics]) -> dict[str, Any]:
        """Return how the model came about, as plain values."""
        corpus = self.pantry.corpus
        return {
            "data": f"{corpus.train.name}, unlabelled texts",
            "rows": {
                "train": len(corpus.train),
                "held_out": len(corpus.held_out),
                "unlabelled": len(corpus.unlabelled),
                "sentences": len(corpus.sentences),
                "drills": len(self.teachers.drills.content["texts"]),
                "excluded": corpus.excluded,
            },
            "held_out": {name: asdict(metrics) for name, metrics in measures.items()},
            "calibration": asdict(calibration),
            "stage_seconds": self.pantry.workshop.seconds,
            "run": plain(self.config),
        }

    def _sizes(self, drop_prob: float) -> ModelConfig:
        """Return what the student is made of."""
        sizes = self.config.sizes
        return ModelConfig(
            vocab_size=len(self.pantry.vocabulary),
            embedding_dim=sizes.embedding_dim,
            hidden_dim=sizes.hidden_dim,
            n_layers=sizes.n_layers,
            drop_prob=drop_prob,
        )


def _joined(first: EncodedTexts, second: EncodedTexts) -> EncodedTexts:
    return EncodedTexts(first.ids + second.ids, torch.cat([first.labels, second.labels]))
