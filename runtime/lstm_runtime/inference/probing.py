"""Whether a provider runs a model: a session can list it, and the CPU do the work, or nobody."""

from typing import Any

import numpy as np

from lstm_runtime.arrays import Array
from lstm_runtime.errors import ClosedError, LstmEdgeError, ProviderError
from lstm_runtime.inference.engine import Engine, Feed
from lstm_runtime.inference.placement import require_placed
from lstm_runtime.inference.session import brief
from lstm_runtime.log import log_warning

LEAST_ALLOWED = 1e-3
"""Difference of answers alone and together that no provider's rounding reaches, where a file
allows less."""


def require_running(engine: Engine) -> None:
    """See that a provider other than the CPU runs a model, and runs it right in batches.

    Where texts of different lengths in one run get other answers than alone, they run alone from
    then on: OpenVINO's provider ignores the lengths.

    Raises:
        ProviderError: when a run fails, its answer is no number, or another provider does the work.

    """
    found = _answer(engine, _feed(engine, [_texts(engine)[0]]))
    if not np.isfinite(found).all():
        raise ProviderError(f"{engine.provider} gives {found.ravel().tolist()} for this model")
    feed = engine.with_states(_feed(engine, [_texts(engine)[0]]))
    require_placed(*engine.opened, feed)
    if engine.batches and batch_difference(engine) > max(LEAST_ALLOWED, engine.metadata.tolerance):
        engine.batches = False
        log_warning(
            __name__,
            f"{engine.provider} is wrong about texts that share a run: each runs alone",
        )


def batch_difference(engine: Engine) -> float:
    """Return the largest difference between answers alone and in one padded batch."""
    texts = _texts(engine)
    alone = [_answer(engine, _feed(engine, [text]))[0] for text in texts]
    together = _answer(engine, _feed(engine, texts))
    scale = np.maximum(1.0, np.abs(alone))
    return float(np.max(np.abs(together - np.array(alone)) / scale))


def _texts(engine: Engine) -> list[Any]:
    """Return texts, or ids, of different lengths: the file's own, and short ones.

    The empty text is one: CUDA refuses it in files that an lstm-export of before wrote, and an app
    should hear of that when it loads the model.
    """
    references = engine.metadata.reference
    if engine.reads_text:
        return ["", "a", *(item.text for item in references if item.text), "a good film"]
    return [[0], *([*item.ids] for item in references if item.ids), [0, 0, 0]]


def _feed(engine: Engine, texts: list[Any]) -> Feed:
    return engine.text_feed(texts) if engine.reads_text else engine.ids_feed(texts)


def _answer(engine: Engine, feed: Feed) -> Array:
    try:
        return engine.probabilities(feed)
    except ClosedError:
        raise
    except LstmEdgeError as error:
        cause = error.__cause__
        why = brief(cause if isinstance(cause, Exception) else error)
        raise ProviderError(f"{engine.provider} fails in this model: {why}") from error
