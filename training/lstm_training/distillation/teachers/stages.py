"""The teachers' stages: what they learn, and what they say of the texts."""

import hashlib
from functools import cached_property
from pathlib import Path
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
from lstm_training.distillation.saved_scores import SavedScores, save_scores
from lstm_training.distillation.teachers.encoders import ALL, Encoders, least_sure
from lstm_training.distillation.teachers.ensemble import ensemble_of
from lstm_training.trainer.state_file import StateFile
from lstm_training.transfer import ngrams


class Teachers:
    """Makes the teachers and asks them.

    Args:
        context: the texts, and the folder of outputs.

    """

    def __init__(self, context: Context) -> None:
        self.context, self.config, self.corpus = context, context.config, context.corpus
        self.encoders = Encoders(context, lambda: self.ngrams)

    @cached_property
    def ngrams(self) -> StageResult:
        """Logits of the n-gram teacher: training texts out of fold, held-out texts, pool."""
        config, context = self.config.ngrams, self.context
        others = {"held_out": self.corpus.held_out.texts, "pool": self.corpus.pool}

        def work(_part: StateFile) -> dict[str, Any]:
            return ngrams.score_all(config, self.corpus.train, others)

        return context.cache.stage("ngrams", context.teacher_inputs(config), work)

    @property
    def transformer(self) -> list[StageResult]:
        """Weights of the fine-tuned sentence encoders."""
        return self.encoders.stages

    @cached_property
    def transformer_scores(self) -> StageResult:
        """Logits of the sentence encoders: held-out texts, pool, labelled texts; NaN where none.

        Of several encoders the mean, and of a labelled text what the one of its fold says.
        """
        if self.context.saved_scores:
            return self._scores_from(self.context.saved_scores)
        corpus, most = self.corpus, self.config.scored_reviews
        labelled = self.config.scored_labelled
        before = [*self.transformer, *([self.ngrams] if most or labelled else [])]

        def work(part: StateFile) -> dict[str, Any]:
            asked = {
                "held_out": (corpus.held_out.texts, torch.arange(len(corpus.held_out))),
                "pool": (corpus.pool, self._asked_of_the_encoder()),
                "train": (corpus.train.texts, self._labelled_least_sure(labelled)),
            }
            texts = tuple(pool[n] for pool, rows in asked.values() for n in rows.tolist())
            folds = torch.full((len(texts),), ALL)
            own = asked["train"][1]
            folds[len(texts) - len(own) :] = self.encoders.folds[own]
            logits = self.encoders.logits(texts, part, folds)
            parts = torch.split(logits, [len(rows) for _, rows in asked.values()])
            return {
                name: torch.full((len(pool),), torch.nan).scatter(0, rows, scores)
                for (name, (pool, rows)), scores in zip(asked.items(), parts, strict=True)
            }

        inputs = self.encoders.inputs(*before)
        inputs |= {"scored_reviews": most} if most else {}
        inputs |= {"scored_labelled": labelled} if labelled else {}
        return self.context.cache.stage("transformer_scores", inputs, work)

    def _scores_from(self, saved: SavedScores) -> StageResult:
        """Return a result like that of the encoder, from what it said before."""
        corpus = self.corpus

        def work(_part: StateFile) -> dict[str, Any]:
            texts = {"held_out": corpus.held_out.texts, "pool": corpus.pool}
            texts["train"] = corpus.train.texts
            return {name: saved.of(some) for name, some in texts.items()}

        inputs = self.context.teacher_inputs(None) | {"teacher_scores": saved.sha256}
        return self.context.cache.stage("transformer_scores", inputs, work)

    def save_scores(self, path: Path) -> None:
        """Write what the encoder said of every text that it was asked about."""
        corpus, scores = self.corpus, self.transformer_scores.content
        mined = self.augmentation.content["mined"]
        texts = (*corpus.held_out.texts, *corpus.pool, *corpus.train.texts, *mined["texts"])
        logits = (scores["held_out"], scores["pool"], scores["train"], mined["logits"])
        save_scores(path, texts, torch.cat(logits), corpus.held_out.texts, mined["texts"])

    def _asked_of_the_encoder(self) -> Tensor:
        """Return the positions in the pool of the texts that the encoder scores."""
        reviews, most = len(self.corpus.unlabelled), self.config.scored_reviews
        if not 0 < most < reviews:
            return torch.arange(len(self.corpus.pool))
        chosen = least_sure(self.ngrams.content["pool"][:reviews], most).nonzero()[:, 0]
        return torch.cat([chosen, torch.arange(reviews, len(self.corpus.pool))])

    def _labelled_least_sure(self, most: int) -> Tensor:
        """Return the positions of the ``most`` labelled texts that n-grams are least sure of."""
        if not most:
            return torch.arange(0)
        return least_sure(self.ngrams.content["train"], most).nonzero()[:, 0]

    @cached_property
    def augmentation(self) -> StageResult:
        """Short texts that reviews lack, with targets.

        What generated texts say is known, and that of rated ones; sentences of reviews are the
        encoder's alone, since n-grams read them wrongly, and as many positive as negative ones.
        """
        config, scores = self.config.augmentation, self.transformer_scores
        known, generated = frozenset(self.corpus.sentences), generate_examples(config)
        saved = self.context.saved_scores

        def is_wanted(sentence: str) -> bool:
            new = has_valence_shifter(sentence) and sentence.strip() not in known
            return new and (not saved or saved.has(sentence, mined=True))

        def work(part: StateFile) -> dict[str, Any]:
            stance = torch.tensor([example.stance for example in generated])
            sentences = cut_sentences(
                self.corpus.unlabelled,
                config.mined,
                config.mined_tokens,
                config.seed,
                is_wanted,
            )
            logits = saved.of(sentences) if saved else self.encoders.logits(sentences, part)
            lengths = torch.tensor([len(self.context.encoder(text)) for text in sentences])
            ensemble = ensemble_of([scores], self.context.held_out)
            praise = ensemble.probabilities(logits[:, None], lengths)
            kept = balanced(praise, config.seed)
            targets = [
                (1 - config.certainty) + (2 * config.certainty - 1) * stance,
                praise[kept],
                torch.tensor([one.probability for one in self.corpus.rated]),
            ]
            texts = [example.text for example in generated]
            texts += [sentences[n] for n in kept.tolist()]
            texts += [one.text for one in self.corpus.rated]
            said = {"texts": list(sentences), "logits": logits}
            return {"texts": texts, "targets": torch.cat(targets), "mined": said}

        # The patterns are part of the inputs: they lie in a file that invites changes.
        digest = hashlib.sha256(repr(generated).encode()).hexdigest()
        # The encoder's words too, so that a folder of before they were kept makes the stage again.
        inputs = self.context.inputs(config, scores) | {"generated": digest, "logits_kept": True}
        return self.context.cache.stage("augmentation", inputs, work)

    @cached_property
    def augmentation_set(self) -> EncodedTexts:
        """The augmentation's texts in ids."""
        content = self.augmentation.content
        return EncodedTexts(tuple(map(self.context.ids, content["texts"])), content["targets"])
