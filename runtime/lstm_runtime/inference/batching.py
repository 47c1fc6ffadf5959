"""How many texts become runs: each alone, or batches of like length."""

from collections.abc import Sequence

from lstm_runtime.arrays import Array
from lstm_runtime.inference.engine import Engine

WINDOW = 16
"""Batches that are sorted by length together; alone, texts handed to a thread at once."""


def predict_window(
    engine: Engine, texts: Sequence[str], batch_size: int, max_tokens: int | None
) -> list[Array]:
    """Return the probabilities ``[classes]`` of each text, in order.

    Texts of like length share a run, so that little of a batch is padding.
    """

    def run(batch: Sequence[str]) -> Array:
        return engine.probabilities(engine.text_feed(batch, max_tokens))

    if batch_size == 1:
        return [run([text])[0] for text in texts]
    order = sorted(range(len(texts)), key=lambda n: len(texts[n]))
    found: dict[int, Array] = {}
    for start in range(0, len(order), batch_size):
        batch = order[start : start + batch_size]
        found |= dict(zip(batch, run([texts[n] for n in batch]), strict=True))
    return [found[n] for n in range(len(texts))]
