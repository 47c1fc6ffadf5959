"""How many texts become runs: each alone, or batches of like length."""

from collections.abc import Iterable, Iterator, Sequence
from sys import getsizeof
from typing import Any

from lstm_runtime.arrays import Array
from lstm_runtime.errors import InputError
from lstm_runtime.inference.checks import require_count, require_text
from lstm_runtime.inference.engine import Engine
from lstm_runtime.inference.ids import validate_texts
from lstm_runtime.inference.parallel import ordered_map
from lstm_runtime.inference.results import Sentiment, sentiment
from lstm_runtime.inference.scoring import score_texts
from lstm_runtime.inference.session import CPU

_GPU_BATCH = 64

KERNEL_BATCH = 8
"""Texts in a run of the int8 kernel: more leave the processor's caches and gain nothing."""

WINDOW = 16
"""Batches that are sorted by length together; alone, texts handed to a thread at once."""

WINDOW_BYTES = 2**20
"""Of a window's texts, from which on it takes no more of them."""


def answer_many(
    engine: Engine,
    texts: Any,
    batch_size: int | None,
    max_tokens: int | None,
    threads: int,
) -> Iterator[Sentiment]:
    """Yield the answer to each text, in order, from ``threads`` threads with bounded memory.

    Raises:
        InputError: at once for what is no iterable, and for batches of an int8 file; at its place
            for what is no text.

    """
    if isinstance(texts, str):
        raise InputError("texts must be an iterable of str, such as a list, and not one str")
    if isinstance(texts, bytes) or not isinstance(texts, Iterable):
        raise InputError(f"texts must be an iterable of str, not {type(texts).__name__}")
    batch_size = require_count("batch_size", batch_size)
    # A file that reads its texts one after the other gains nothing from runs of many, and some
    # providers are wrong in them.
    size = (batch_size or default_batch(engine)) if engine.batches else 1
    if size > 1 and engine.metadata.precision == "int8" and not engine.kernel:
        raise InputError(
            "without the kernel an int8 model takes texts one by one (batch size 1): in a batch, "
            "the answers would depend on their neighbours"
        )
    return _answers(engine, iter(texts), size, max_tokens, threads)


def default_batch(engine: Engine) -> int:
    """Return how many texts share a run where nobody says."""
    if not engine.batches:
        return 1
    if engine.provider != CPU:
        return _GPU_BATCH
    return KERNEL_BATCH if engine.kernel else 1


def answer_ids(engine: Engine, ids: Any, lengths: Any, max_tokens: int | None) -> list[Sentiment]:
    """Return the answer to each text that is ids already; their ``text`` is ''.

    Raises:
        InputError: when the file takes text, or as `validate_texts`.

    """
    if engine.reads_text:
        raise InputError(f"{engine.path} takes text, not ids: export it with --interface ids")
    texts = validate_texts(ids, lengths, engine.metadata.architecture.vocab_size)
    if max_tokens is not None:
        texts = [ids[-max_tokens:] for ids in texts]
    found = [engine.probabilities(engine.ids_feed([ids]))[0] for ids in texts]
    return [sentiment("", row.tolist(), engine.metadata) for row in found]


def _answers(
    engine: Engine, texts: Iterator[str], batch_size: int, max_tokens: int | None, threads: int
) -> Iterator[Sentiment]:
    def answer(window: list[str]) -> list[Sentiment]:
        found = predict_window(engine, window, batch_size, max_tokens)
        pairs = zip(window, found, strict=True)
        return [sentiment(text, row.tolist(), engine.metadata, k) for text, (row, k) in pairs]

    windows = _windows(texts, batch_size * WINDOW)
    for answers in ordered_map(answer, windows, threads, _held):
        yield from answers


def _held(texts: Iterable[str]) -> int:
    """Return how many bytes texts take."""
    return sum(map(getsizeof, texts))


def _windows(texts: Iterable[str], size: int) -> Iterator[list[str]]:
    """Yield ``size`` texts at a time; fewer where they are long, and before an end or an error."""
    window: list[str] = []
    left = WINDOW_BYTES
    try:
        for text in texts:
            require_text(text)
            window.append(text)
            left -= getsizeof(text)
            if len(window) == size or left <= 0:
                yield window
                window, left = [], WINDOW_BYTES
    except Exception:  # whatever the source raises comes behind the answers before it
        if window:
            yield window
        raise
    if window:
        yield window


def predict_window(
    engine: Engine, texts: Sequence[str], batch_size: int, max_tokens: int | None
) -> list[tuple[Array, float | None]]:
    """Return the probabilities ``[classes]`` and the share of known words of each text, in order.

    Texts of like length share a run, so that little of a batch is padding.
    """

    def run(batch: Sequence[str]) -> list[tuple[Array, float | None]]:
        return list(zip(*score_texts(engine, batch, max_tokens), strict=True))

    if batch_size == 1:
        return [run([text])[0] for text in texts]
    order = sorted(range(len(texts)), key=lambda n: len(texts[n]))
    found: dict[int, tuple[Array, float | None]] = {}
    for start in range(0, len(order), batch_size):
        batch = order[start : start + batch_size]
        found |= dict(zip(batch, run([texts[n] for n in batch]), strict=True))
    return [found[n] for n in range(len(texts))]
