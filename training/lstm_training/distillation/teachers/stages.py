"""The teachers' stages, and the targets that they come to."""

import hashlib
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from lstm_training.data.prepare import EncodedTexts
from lstm_training.distillation.augmentation import is_turning, write_drills
from lstm_training.distillation.cache import Output, PartState
from lstm_training.distillation.context import Pantry
from lstm_training.distillation.corpus import cut_sentences
from lstm_training.distillation.teachers import ngrams, transformer
from lstm_training.distillation.teachers.ensemble import Blend, fit_blend


class Teachers:
    """Makes the teachers and asks them.

    Args:
        pantry: the texts, and the folder of outputs.

    """

    def __init__(self, pantry: Pantry) -> None:
        self.pantry, self.config, self.corpus = pantry, pantry.config, pantry.corpus

    @cached_property
    def ngrams(self) -> Output:
        """Logits of the n-gram teacher: training texts out of fold, held-out texts, pool."""
        config, pantry = self.config.ngrams, self.pantry
        others = {"held_out": self.corpus.held_out.texts, "pool": self.corpus.pool}

        def work(_part: PartState) -> dict[str, Any]:
            return ngrams.score_all(config, self.corpus.train, others, pantry.say)

        return pantry.workshop.stage("ngrams", pantry.inputs(config), work)

    @cached_property
    def transformer(self) -> Output:
        """Weights of the fine-tuned sentence encoder."""
        config, pantry = self.config.transformer, self.pantry

        def work(part: PartState) -> dict[str, Any]:
            tuned = transformer.fine_tune(config, self.corpus.train, part, pantry.say)
            return {"weights": tuned.state_dict()}

        return pantry.workshop.stage("transformer", pantry.inputs(config), work)

    @cached_property
    def transformer_scores(self) -> Output:
        """Logits of the sentence encoder: held-out texts and pool."""
        inputs = self.pantry.inputs(self.config.transformer, self.transformer)

        def work(_part: PartState) -> dict[str, Any]:
            return {
                "held_out": self._encoder_logits(self.corpus.held_out.texts),
                "pool": self._encoder_logits(self.corpus.pool),
            }

        return self.pantry.workshop.stage("transformer_scores", inputs, work)

    @cached_property
    def drills(self) -> Output:
        """Short texts that turn a word around, with targets.

        The labels of written texts are known; sentences of reviews are the encoder's alone, since
        n-grams read them wrongly.
        """
        config, scores = self.config.drills, self.transformer_scores
        known, written = frozenset(self.corpus.sentences), write_drills(config)

        def work(_part: PartState) -> dict[str, Any]:
            certain = torch.tensor([float(drill.positive) for drill in written])
            sentences = cut_sentences(
                self.corpus.unlabelled,
                config.cut,
                config.cut_tokens,
                config.seed,
                lambda sentence: is_turning(sentence) and sentence.strip() not in known,
            )
            logits = self._encoder_logits(sentences)[:, None]
            lengths = torch.tensor([len(self.pantry.encoder(text)) for text in sentences])
            blend = self._blend([scores])
            targets = [
                (1 - config.certainty) + (2 * config.certainty - 1) * certain,
                blend.probabilities(logits, lengths),
            ]
            texts = [drill.text for drill in written] + list(sentences)
            return {"texts": texts, "targets": torch.cat(targets)}

        # The patterns are part of the inputs: they lie in a file that invites changes.
        digest = hashlib.sha256(repr(written).encode()).hexdigest()
        inputs = self.pantry.inputs(config, scores) | {"written": digest}
        return self.pantry.workshop.stage("drills", inputs, work)

    @cached_property
    def first_opinion(self) -> Tensor:
        """Probability of each text of the pool, by the n-gram teacher alone."""
        return self._opinion("n-grams", [self.ngrams])

    @cached_property
    def joint_opinion(self) -> Tensor:
        """Probability of each text of the pool, by both teachers."""
        return self._opinion("teachers", [self.ngrams, self.transformer_scores])

    @cached_property
    def drill_lessons(self) -> EncodedTexts:
        """The drills in ids."""
        content = self.drills.content
        return EncodedTexts(tuple(map(self.pantry.ids, content["texts"])), content["targets"])

    def _encoder_logits(self, texts: tuple[str, ...]) -> Tensor:
        config = self.config.transformer
        teacher = transformer.TransformerTeacher(transformer.encoder_folder(config))
        teacher.load_state_dict(self.transformer.content["weights"])
        return transformer.score(teacher, texts, config)

    def _opinion(self, who: str, teachers: list[Output]) -> Tensor:
        blend, pantry = self._blend(teachers), self.pantry
        lengths = torch.tensor(pantry.held_out.lengths)
        pantry.tell(who, blend.probabilities(_logits(teachers, "held_out"), lengths))
        lengths = torch.tensor([len(ids) for ids in pantry.pool_ids])
        return blend.probabilities(_logits(teachers, "pool"), lengths)

    def _blend(self, teachers: list[Output]) -> Blend:
        """Return the best blend of ``teachers`` on the held-out texts."""
        held_out = self.pantry.held_out
        lengths = torch.tensor(held_out.lengths)
        return fit_blend(_logits(teachers, "held_out"), lengths, held_out.labels)


def _logits(teachers: list[Output], texts: str) -> Tensor:
    """Return what each teacher said of ``held_out`` or ``pool``, ``[texts, teachers]``."""
    return torch.stack([teacher.content[texts] for teacher in teachers], dim=1)
