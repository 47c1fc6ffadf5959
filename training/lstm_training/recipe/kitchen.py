"""The recipe: corpus, teachers, language model, student, checkpoint, in their order."""

from collections.abc import Callable
from dataclasses import asdict, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from lstm_runtime.tokenizer import TextEncoder, Tokenizer
from torch import Tensor

from lstm_training.checkpoint import Checkpoint
from lstm_training.dataset import EncodedTexts, build_vocabulary, encode
from lstm_training.evaluate import Metrics, measure, predict
from lstm_training.model import ModelConfig, SentimentRNN
from lstm_training.recipe import ngrams, transformer
from lstm_training.recipe.blend import Blend, fit_blend
from lstm_training.recipe.calibration import Calibration, fit_calibration, fold
from lstm_training.recipe.corpus import load_corpus
from lstm_training.recipe.language_model import pretrain
from lstm_training.recipe.settings import RecipeConfig, StudentConfig, plain
from lstm_training.recipe.stages import Output, Workshop
from lstm_training.recipe.student import PAD, Lessons, mean_weights, teach


class Kitchen:
    """Makes each stage from the ones before it.

    Args:
        config: every number of the recipe.
        folder: where the stages leave their outputs.
        say: takes a line now and then.

    Raises:
        DataError: when a source of texts is missing or malformed.

    """

    def __init__(self, config: RecipeConfig, folder: Path, say: Callable[[str], None]) -> None:
        # Denormals make gates that are nearly shut many times slower, and mean nothing.
        torch.set_flush_denormal(True)
        self.config, self.folder, self.say = config, folder, say
        self.workshop = Workshop(folder, say)
        self.corpus = load_corpus(config.corpus, say)
        self.digest = self.corpus.sha256()
        tokenizer = Tokenizer()
        self.texts = self.corpus.train.texts + self.corpus.unlabelled
        self.vocabulary = build_vocabulary(
            (tokenizer.tokens(text) for text in self.texts),
            config.sizes.vocab_size,
            config.sizes.min_count,
        )
        self.encoder = TextEncoder(tokenizer, self.vocabulary)
        self.held_out = encode(self.corpus.held_out, self.encoder)

    def model_config(self, drop_prob: float) -> ModelConfig:
        """Return the student's sizes."""
        sizes = self.config.sizes
        return ModelConfig(
            vocab_size=len(self.vocabulary),
            embedding_dim=sizes.embedding_dim,
            hidden_dim=sizes.hidden_dim,
            n_layers=sizes.n_layers,
            drop_prob=drop_prob,
        )

    @cached_property
    def ngrams(self) -> Output:
        """Logits of the n-gram teacher: training texts out of fold, held-out texts, pool."""
        others = {"held_out": self.corpus.held_out.texts, "pool": self.corpus.pool}
        return self.workshop.stage(
            "ngrams",
            self._inputs(self.config.ngrams),
            lambda: ngrams.score_all(self.config.ngrams, self.corpus.train, others, self.say),
        )

    @cached_property
    def transformer(self) -> Output:
        """Weights of the fine-tuned sentence encoder."""
        config, state = self.config.transformer, self.folder / "transformer.part.pt"
        return self.workshop.stage(
            "transformer",
            self._inputs(config),
            lambda: {
                "weights": transformer.fine_tune(
                    config, self.corpus.train, state, self.say
                ).state_dict()
            },
        )

    @cached_property
    def transformer_scores(self) -> Output:
        """Logits of the sentence encoder: held-out texts and pool."""
        config, trained = self.config.transformer, self.transformer

        def work() -> dict[str, Any]:
            teacher = transformer.TransformerTeacher(transformer.encoder_folder(config))
            teacher.load_state_dict(trained.content["weights"])
            texts = {"held_out": self.corpus.held_out.texts, "pool": self.corpus.pool}
            return {
                name: transformer.score(teacher, column, config) for name, column in texts.items()
            }

        return self.workshop.stage("transformer_scores", self._inputs(config, trained), work)

    @cached_property
    def language_model(self) -> Output:
        """Weights of embedding and LSTM after pre-training."""
        config, state = self.config.language_model, self.folder / "language_model.part.pt"

        def work() -> dict[str, Any]:
            ids = [torch.tensor(self.encoder(text), dtype=torch.int32) for text in self.texts]
            sizes = self.model_config(0.0)
            return {"weights": pretrain(sizes, ids, config, state, self.say).state_dict()}

        return self.workshop.stage("language_model", self._inputs(config), work)

    @cached_property
    def rehearsal(self) -> Output:
        """Weights of a first student, which has the n-gram teacher alone."""
        start = self.language_model
        return self._student(
            "rehearsal",
            self.config.rehearsal,
            # fc has learned nothing in pre-training.
            {name: w for name, w in start.content["weights"].items() if not name.startswith("fc")},
            [self.ngrams],
            start,
        )

    def pupil(self, seed: int) -> Output:
        """Weights of one student that has both teachers."""
        config, start = self.config.student, self.rehearsal
        config = replace(config, course=replace(config.course, seed=seed))
        teachers = [self.ngrams, self.transformer_scores]
        return self._student(f"student_{seed}", config, start.content["weights"], teachers, start)

    @cached_property
    def student(self) -> Output:
        """Mean of the pupils' weights."""
        pupils = [self.pupil(seed) for seed in self.config.seeds]
        return self.workshop.stage(
            "student",
            self._inputs(None, *pupils),
            lambda: {"weights": mean_weights([pupil.content["weights"] for pupil in pupils])},
        )

    @cached_property
    def finish(self) -> Output:
        """Weights of the student after a last course that starts from the mean."""
        start, teachers = self.student, [self.ngrams, self.transformer_scores]
        return self._student(
            "finish", self.config.finish, start.content["weights"], teachers, start
        )

    def _student(
        self,
        name: str,
        config: StudentConfig,
        initial: dict[str, Tensor],
        teachers: list[Output],
        start: Output,
    ) -> Output:
        def work() -> dict[str, Any]:
            torch.manual_seed(config.course.seed)
            sizes = self.model_config(config.drop_prob)
            student = SentimentRNN.from_config(sizes, config.embedding_dropout)
            student.load_state_dict(initial, strict=False)
            lessons = Lessons(self._lessons(config, teachers), self.held_out)
            teach(student, lessons, config, self.folder / f"{name}.part.pt", self.say)
            self.tell(name, predict(student, self.held_out, 64, PAD))
            return {"weights": student.state_dict()}

        return self.workshop.stage(name, self._inputs(config, start, *teachers), work)

    def blend(self, teachers: list[Output]) -> Blend:
        """Return the best blend of ``teachers`` on the held-out texts, and tell its accuracy."""
        logits = torch.stack([teacher.content["held_out"] for teacher in teachers], dim=1)
        lengths, labels = torch.tensor(self.held_out.lengths), self.held_out.labels
        blend = fit_blend(logits, lengths, labels)
        self.tell("teachers", blend.probabilities(logits, lengths))
        return blend

    def _lessons(self, config: StudentConfig, teachers: list[Output]) -> EncodedTexts:
        """Return the labelled texts and the pool with their targets, cut to their last tokens.

        Only the n-gram teacher has scored the labelled texts without having learned from them.
        """
        labels = torch.tensor(self.corpus.train.labels, dtype=torch.float32)
        doubt = self.ngrams.content["train"].sigmoid()
        labelled = config.label_weight * labels + (1 - config.label_weight) * doubt
        ids = [torch.tensor(self.encoder(t), dtype=torch.int32) for t in self.corpus.pool]
        logits = torch.stack([teacher.content["pool"] for teacher in teachers], dim=1)
        pool = self.blend(teachers).probabilities(logits, torch.tensor([len(text) for text in ids]))
        train = encode(self.corpus.train, self.encoder, config.max_tokens)
        return EncodedTexts(
            (*train.ids, *(text[-config.max_tokens :] for text in ids)), torch.cat([labelled, pool])
        )

    def tell(self, who: str, probabilities: Tensor) -> dict[str, Metrics]:
        """Measure ``probabilities`` of the held-out texts, all together and source by source."""
        sources, labels = self.corpus.held_out_sources, self.held_out.labels
        measures = {"all": measure(probabilities, labels)}
        for source in dict.fromkeys(sources):
            rows = torch.tensor([n for n, name in enumerate(sources) if name == source])
            measures[source] = measure(probabilities[rows], labels[rows])
        for name, metrics in measures.items():
            self.say(
                f"  {who}: held out, {name}: accuracy {metrics.accuracy:.4f}, "
                f"calibration error {metrics.ece:.4f}"
            )
        return measures

    def checkpoint(self) -> Checkpoint:
        """Return the finished model: the student with its calibration folded in."""
        sizes = self.model_config(self.config.finish.drop_prob)
        model = SentimentRNN.from_config(sizes)
        model.load_state_dict(self.finish.content["weights"])
        raw = predict(model, self.held_out, 64, PAD)
        calibration = fit_calibration(raw.logit(), self.held_out.labels)
        fold(calibration, model)
        measures = self.tell("model", predict(model, self.held_out, 64, PAD))
        return Checkpoint(
            config=sizes,
            state_dict=model.state_dict(),
            vocabulary=self.vocabulary,
            labels=self.corpus.train.label_names,
            metrics=asdict(measures.pop("all")),
            training=self._account(calibration, measures),
        )

    def _account(self, calibration: Calibration, measures: dict[str, Metrics]) -> dict[str, Any]:
        """Return how the model came about, as plain values."""
        return {
            "data": f"{self.corpus.train.name}, unlabelled texts",
            "rows": {
                "train": len(self.corpus.train),
                "held_out": len(self.corpus.held_out),
                "unlabelled": len(self.corpus.unlabelled),
                "sentences": len(self.corpus.sentences),
                "excluded": self.corpus.excluded,
            },
            "held_out": {name: asdict(metrics) for name, metrics in measures.items()},
            "calibration": asdict(calibration),
            "stage_seconds": self.workshop.seconds,
            "run": plain(self.config),
        }

    def _inputs(self, config: Any, *before: Output) -> dict[str, Any]:
        return {
            "corpus": self.digest,
            "config": plain(config),
            "sizes": plain(self.config.sizes),
            "before": [output.inputs for output in before],
        }
