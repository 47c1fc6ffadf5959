"""The original model's answers that travel inside every file."""

from collections.abc import Iterable, Sequence
from itertools import cycle, islice

import numpy as np
from lstm_runtime.model_file.contract import Interface, Reference
from lstm_runtime.text.tokenizer import TextEncoder

from lstm_export.checkpoint.source import Source
from lstm_export.parity.cases import spelled_words
from lstm_export.parity.ground_truth import Original
from lstm_export.parity.self_test_texts import reference_texts

LENGTHS = (1, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144)
"""Of the random sequences that stand for texts where there is no vocabulary."""


def reference_answers(
    original: Original, source: Source, interface: Interface | None
) -> tuple[Reference, ...]:
    """Return the reference texts, or sequences of ids, with the original model's answers."""
    if source.encoder is None:
        rows = source.network.architecture.vocab_size
        words = [n for n in range(rows) if n not in source.padding] or list(range(rows))
        random = np.random.default_rng(0)
        sequences = [tuple(random.choice(words, n).tolist()) for n in LENGTHS]
        known = filter(source.is_answerable, sequences)
        return tuple(Reference(_values(original, ids), ids=ids) for ids in known)
    pairs = _answerable(source, source.encoder, reference_texts(source))
    if not pairs:  # a vocabulary of none of their words, all of which are left out
        spelled = [word for word, _ in spelled_words(source.encoder)]
        texts = [" ".join(islice(cycle(spelled), n)) for n in LENGTHS]
        pairs = _answerable(source, source.encoder, texts)
    as_text = source.graph_encoder(interface) is not None
    return tuple(
        Reference(_values(original, ids), text=text)
        if as_text
        else Reference(_values(original, ids), ids=tuple(ids))
        for text, ids in pairs
    )


def _answerable(
    source: Source, encoder: TextEncoder, texts: Iterable[str]
) -> list[tuple[str, list[int]]]:
    pairs = [(text, encoder(text)) for text in texts]
    return [(text, ids) for text, ids in pairs if source.is_answerable(ids)]


def _values(original: Original, ids: Sequence[int]) -> tuple[float, ...]:
    return tuple(original.probability(ids).tolist())
