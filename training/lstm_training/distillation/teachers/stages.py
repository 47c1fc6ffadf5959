"""The teachers' stages, and the targets that they come to."""

import hashlib
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from lstm_training.data.prepare import EncodedTexts
from lstm_training.distillation.augmentation import (
    balanced,
    generate_examples,
    has_valence_shifter,
)
from lstm_training.distillation.cache import StageResult
from lstm_training.distillation.context import Context
from lstm_training.distillation.corpus import cut_sentences
from lstm_training.distillation.fit import weights_of
from lstm_training.distillation.teachers.encoder import encoder_folder
from lstm_training.distillation.teachers.transformer import TransformerTeacher, fine_tune, score
from lstm_training.trainer.state_file import StateFile
from lstm_training.transfer import ngrams
from lstm_training.transfer.ensemble import Ensemble, fit_ensemble


class Teachers:
    """Makes the teachers and asks them.

    Args:
        context: the texts, and the folder of outputs.

    """

    def __init__(self, context: Context) -> None:
        self.context, self.config, self.corpus = context, context.config, context.corpus

    @cached_property
    def ngrams(self) -> StageResult:
        """Logits of the n-gram teacher: training texts out of fold, held-out texts, pool."""
        config, context = self.config.ngrams, self.context
        others = {"held_out": self.corpus.held_out.texts, "pool": self.corpus.pool}

        def work(_part: StateFile) -> dict[str, Any]:
            return ngrams.score_all(config, self.corpus.train, others)

        return context.cache.stage("ngrams", context.teacher_inputs(config), work)

    @cached_property
    def transformer(self) -> StageResult:
        """Weights of the fine-tuned sentence encoder."""
        config, context = self.config.transformer, self.context

        def work(part: StateFile) -> dict[str, Any]:
            torch.manual_seed(config.optimization.seed)
            train, rated = self.corpus.train, self.corpus.rated
            texts = [*train.texts, *(one.text for one in rated)]
            targets = torch.tensor(
                [*train.labels, *(one.probability for one in rated)], dtype=torch.float32
            )
            teacher = self._encoder()
            fine_tune(teacher, texts, targets, config, part)
            return {"weights": weights_of(teacher)}

        return context.cache.stage("transformer", context.teacher_inputs(config), work)

    @cached_property
    def transformer_scores(self) -> StageResult:
        """Logits of the sentence encoder: held-out texts, pool, labelled texts; NaN where none."""
        corpus, most = self.corpus, self.config.scored_reviews
        labelled = self.config.scored_labelled
        before = [self.transformer, *([self.ngrams] if most or labelled else [])]

        def work(part: StateFile) -> dict[str, Any]:
            asked = {
                "held_out": (corpus.held_out.texts, torch.arange(len(corpus.held_out))),
                "pool": (corpus.pool, self._asked_of_the_encoder()),
                "train": (corpus.train.texts, self._labelled_asked_of_the_encoder()),
            }
            texts = tuple(pool[n] for pool, rows in asked.values() for n in rows.tolist())
            logits = self._encoder_logits(texts, part)
            parts = torch.split(logits, [len(rows) for _, rows in asked.values()])
            return {
                name: torch.full((len(pool),), torch.nan).scatter(0, rows, scores)
                for (name, (pool, rows)), scores in zip(asked.items(), parts, strict=True)
            }

        inputs = self.context.teacher_inputs(self.config.transformer, *before)
        inputs |= {"scored_reviews": most} if most else {}
        inputs |= {"scored_labelled": labelled} if labelled else {}
        return self.context.cache.stage("transformer_scores", inputs, work)

    def _asked_of_the_encoder(self) -> Tensor:
        """Return the positions in the pool of the texts that the encoder scores."""
        reviews, most = len(self.corpus.unlabelled), self.config.scored_reviews
        if not 0 < most < reviews:
            return torch.arange(len(self.corpus.pool))
        chosen = _least_sure(self.ngrams.content["pool"][:reviews], most)
        return torch.cat([chosen, torch.arange(reviews, len(self.corpus.pool))])

    def _labelled_asked_of_the_encoder(self) -> Tensor:
        """Return the positions of the labelled texts that the encoder scores."""
        most = self.config.scored_labelled
        return _least_sure(self.ngrams.content["train"], most) if most else torch.arange(0)

    @cached_property
    def augmentation(self) -> StageResult:
        """Short texts that reviews lack, with targets.

        What generated texts say is known, and that of rated ones; sentences of reviews are the
        encoder's alone, since n-grams read them wrongly, and as many positive as negative ones.
        """
        config, scores = self.config.augmentation, self.transformer_scores
        known, generated = frozenset(self.corpus.sentences), generate_examples(config)

        def work(part: StateFile) -> dict[str, Any]:
            stance = torch.tensor([example.stance for example in generated])
            sentences = cut_sentences(
                self.corpus.unlabelled,
                config.mined,
                config.mined_tokens,
                config.seed,
                lambda sentence: has_valence_shifter(sentence) and sentence.strip() not in known,
            )
            logits = self._encoder_logits(sentences, part)[:, None]
            lengths = torch.tensor([len(self.context.encoder(text)) for text in sentences])
            mined = self._fit_ensemble([scores]).probabilities(logits, lengths)
            kept = balanced(mined, config.seed)
            targets = [
                (1 - config.certainty) + (2 * config.certainty - 1) * stance,
                mined[kept],
                torch.tensor([one.probability for one in self.corpus.rated]),
            ]
            texts = [example.text for example in generated]
            texts += [sentences[n] for n in kept.tolist()]
            texts += [one.text for one in self.corpus.rated]
            return {"texts": texts, "targets": torch.cat(targets)}

        # The patterns are part of the inputs: they lie in a file that invites changes.
        digest = hashlib.sha256(repr(generated).encode()).hexdigest()
        inputs = self.context.inputs(config, scores) | {"generated": digest}
        return self.context.cache.stage("augmentation", inputs, work)

    @cached_property
    def ngram_soft_labels(self) -> Tensor:
        """Probability of each text of the pool, by the n-gram teacher alone."""
        return self._soft_labels("n-grams", [self.ngrams])

    @cached_property
    def ensemble_soft_labels(self) -> Tensor:
        """Probability of each text of the pool, by both teachers where both scored it."""
        both = self._soft_labels("teachers", [self.ngrams, self.transformer_scores])
        return torch.where(both.isnan(), self.ngram_soft_labels, both)

    @cached_property
    def labelled_ngram_soft_labels(self) -> Tensor:
        """Probability of each labelled text, by the n-gram teacher, which learned from others."""
        return torch.as_tensor(self.ngrams.content["train"].sigmoid())

    @cached_property
    def labelled_soft_labels(self) -> Tensor:
        """The same by both teachers, where the second one was asked.

        The sentence encoder has learned from these texts: it is not out of fold, as n-grams are.
        """
        if not self.config.scored_labelled:
            return self.labelled_ngram_soft_labels
        teachers, encoder = [self.ngrams, self.transformer_scores], self.context.encoder
        lengths = torch.tensor([len(encoder(text)) for text in self.corpus.train.texts])
        both = self._fit_ensemble(teachers).probabilities(_logits(teachers, "train"), lengths)
        return torch.where(both.isnan(), self.labelled_ngram_soft_labels, both)

    @cached_property
    def augmentation_set(self) -> EncodedTexts:
        """The augmentation's texts in ids."""
        content = self.augmentation.content
        return EncodedTexts(tuple(map(self.context.ids, content["texts"])), content["targets"])

    def _encoder_logits(self, texts: tuple[str, ...], part: StateFile) -> Tensor:
        teacher = self._encoder()
        teacher.load_state_dict(self.transformer.content["weights"])
        return score(teacher, texts, self.config.transformer, part)

    def _encoder(self) -> TransformerTeacher:
        """Return the encoder before its fine-tuning."""
        config = self.config.transformer
        folder = encoder_folder(config.folder, self.context.cache.folder)
        return TransformerTeacher(folder, config.frozen_layers)

    def _soft_labels(self, who: str, teachers: list[StageResult]) -> Tensor:
        ensemble, context = self._fit_ensemble(teachers), self.context
        lengths = torch.tensor(context.held_out.lengths)
        context.log_metrics(who, ensemble.probabilities(_logits(teachers, "held_out"), lengths))
        lengths = torch.tensor([len(ids) for ids in context.pool_ids])
        return ensemble.probabilities(_logits(teachers, "pool"), lengths)

    def _fit_ensemble(self, teachers: list[StageResult]) -> Ensemble:
        """Return the best ensemble of ``teachers`` on the held-out texts."""
        held_out = self.context.held_out
        lengths = torch.tensor(held_out.lengths)
        return fit_ensemble(_logits(teachers, "held_out"), lengths, held_out.labels)


def _logits(teachers: list[StageResult], texts: str) -> Tensor:
    """Return what each teacher said of those ``texts`` of its result, ``[texts, teachers]``."""
    return torch.stack([teacher.content[texts] for teacher in teachers], dim=1)


def _least_sure(logits: Tensor, most: int) -> Tensor:
    """Return the positions, in order, of the ``most`` logits that are next to zero."""
    return logits.abs().argsort(stable=True)[:most].sort().values
