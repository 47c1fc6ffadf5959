"""The original model's answers that travel inside every file."""

from collections.abc import Sequence

import numpy as np
from lstm_runtime.model_file.contract import Interface, Reference

from lstm_export.checkpoint.source import Source
from lstm_export.parity.ground_truth import Original
from lstm_export.parity.self_test_texts import reference_texts

LENGTHS = (1, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144)
"""Of the random sequences that stand for texts where there is no vocabulary."""


def reference_answers(
    original: Original, source: Source, interface: Interface | None
) -> tuple[Reference, ...]:
    """Return the reference texts, or sequences of ids, with the original model's answers."""
    encoder = source.graph_encoder(interface)
    if encoder is not None:
        pairs = [(text, encoder(text)) for text in reference_texts(source)]
        return tuple(
            Reference(_values(original, ids), text=text)
            for text, ids in pairs
            if source.is_answerable(ids)
        )
    random = np.random.default_rng(0)
    if source.encoder is not None:
        sequences = [tuple(source.encoder(text)) for text in reference_texts(source)]
    else:
        rows = source.network.architecture.vocab_size
        words = [n for n in range(rows) if n not in source.padding] or list(range(rows))
        sequences = [tuple(random.choice(words, n).tolist()) for n in LENGTHS]
    known = filter(source.is_answerable, sequences)
    return tuple(Reference(_values(original, ids), ids=ids) for ids in known)


def _values(original: Original, ids: Sequence[int]) -> tuple[float, ...]:
    return tuple(original.probability(ids).tolist())
