"""Texts in one run: their probabilities, and how many of their words the model knows."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lstm_runtime.arrays import Array
from lstm_runtime.inference.engine import Engine
from lstm_runtime.model_file.contract import PROBABILITY

Scores = tuple[Array, list[float | None]]


def score_texts(engine: Engine, texts: Sequence[str], max_tokens: int | None = None) -> Scores:
    """Return the probabilities, ``[batch, classes]``, and the share of known words of each text.

    Raises:
        ClosedError: when the model was closed.
        InputError: when a text is no str, or one that the model cannot read.

    """
    feed = engine.text_feed(texts, max_tokens)
    names = engine.front_end
    if names is None:
        read = (engine.keep_last(text, max_tokens) for text in texts)
        return engine.probabilities(feed), [engine.known_words(text) for text in read]
    spec = engine.metadata.tokenizer
    if spec is None or spec.unknown is None:
        probability, ids, tokens = engine.run([PROBABILITY, names.ids, names.tokens], feed)
        # Unknown words, which are dropped, look like padding, but for their letters.
        return np.asarray(probability), _shares(ids >= 0, tokens != "")
    probability, ids = engine.run([PROBABILITY, names.ids], feed)
    there = ids >= 0
    return np.asarray(probability), _shares(there & (ids != spec.unknown), there)


def _shares(known: NDArray[np.bool_], there: NDArray[np.bool_]) -> list[float | None]:
    """Return the share of known words in each row, 0 where there is no word."""
    counts = (map(int, map(np.count_nonzero, rows)) for rows in (known, there))
    return [count / max(of, 1) for count, of in zip(*counts, strict=True)]
