"""The original model's answers that travel inside every file."""

from collections.abc import Sequence

import numpy as np
from lstm_runtime.model_file.contract import Reference
from lstm_runtime.text.tokenizer import TextEncoder

from lstm_export.parity.ground_truth import Original
from lstm_export.parity.self_test_texts import REFERENCE_TEXTS


def reference_texts(original: Original, encoder: TextEncoder) -> tuple[Reference, ...]:
    """Return the reference texts with the original model's answers."""
    return tuple(Reference(_values(original, encoder(text)), text=text) for text in REFERENCE_TEXTS)


def reference_ids(original: Original, vocab_size: int) -> tuple[Reference, ...]:
    """Return reference sequences of ids, for models without a vocabulary, with their answers."""
    random = np.random.default_rng(0)
    lengths = (1, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144)
    sequences = [tuple(random.integers(0, vocab_size, n).tolist()) for n in lengths]
    return tuple(Reference(_values(original, ids), ids=ids) for ids in sequences)


def _values(original: Original, ids: Sequence[int]) -> tuple[float, ...]:
    return tuple(original.probability(ids).tolist())
