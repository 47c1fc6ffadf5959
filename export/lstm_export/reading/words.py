"""What the LSTM reads for each word, where that depends on nothing but the word."""

from collections.abc import Sequence

import numpy as np
import torch
from lstm_runtime.arrays import Array
from torch import nn

from lstm_export.errors import UnsupportedModelError
from lstm_export.reading.calls import Call
from lstm_export.reading.lstm import LstmView
from lstm_export.reading.watch import Observation, lstm_input

CHUNK = 256
"""Words of one run, when all of a vocabulary are looked at."""


def word_table(
    module: nn.Module,
    call: Call,
    runs: Sequence[tuple[Sequence[int], Observation, LstmView]],
) -> Array:
    """Return ``[vocab, input]``: the embedding with all that is done to a word's vector alone.

    A scale, a linear layer, a normalisation behind the embedding, or two embeddings joined: each
    makes another table. Every word is looked at once, and the table has to give what the LSTM
    read in all runs.

    Raises:
        UnsupportedModelError: when a word's vector depends on its neighbours or its place.

    """
    embedding = _embedding(runs[0][1], runs[0][0])
    plain = np.array(embedding.weight.detach().to("cpu", torch.float32).numpy())
    if _gives(plain, runs):
        return plain
    ids, _, view = runs[-1]
    if len(view.inputs) != len(ids):
        raise UnsupportedModelError(
            f"the LSTM reads {len(view.inputs)} vectors for {len(ids)} words"
        )
    table = _look_at_all(module, call, view.modules[0], len(plain))
    if not _gives(table, runs):
        between = [c.kind for c in runs[-1][1].calls if not isinstance(c.layer, nn.Embedding)]
        raise UnsupportedModelError(
            "what the LSTM reads for a word depends on its neighbours or its place; first runs "
            f"{between[0] if between else 'the LSTM'}"
        )
    return table


def _embedding(observation: Observation, ids: Sequence[int]) -> nn.Embedding:
    """Return the embedding that looked up the words themselves."""
    for call in observation.calls:
        given = call.given[0] if call.given else None
        if not (isinstance(call.layer, nn.Embedding) and isinstance(given, torch.Tensor)):
            continue
        if given.reshape(-1).tolist() == list(ids):
            return call.layer
    raise UnsupportedModelError("forward looks the words up in no nn.Embedding")


def _gives(table: Array, runs: Sequence[tuple[Sequence[int], Observation, LstmView]]) -> bool:
    for ids, _, view in runs:
        expected = table[np.array(ids)]
        if expected.shape != view.inputs.shape:
            return False
        if not np.allclose(expected, view.inputs, rtol=1e-5, atol=1e-5):
            return False
    return True


def _look_at_all(module: nn.Module, call: Call, lstm: nn.Module, count: int) -> Array:
    """Run all words through what stands before the LSTM.

    A forward may leave out its padding, which then has no vector: zeros.
    """
    parts = []
    for start in range(0, count, CHUNK):
        ids = list(range(start, min(start + CHUNK, count)))
        found = lstm_input(module, lstm, call, ids)
        if len(found) != len(ids):
            found = np.concatenate([_look_at_one(module, call, lstm, n) for n in ids])
        parts.append(found)
    return np.concatenate(parts)


def _look_at_one(module: nn.Module, call: Call, lstm: nn.Module, word: int) -> Array:
    """Return the vector of ``word``, ``[1, input]``, zeros where the LSTM is not shown it."""
    try:
        found = lstm_input(module, lstm, call, [word])
    except (RuntimeError, ValueError, IndexError):  # PyTorch packs no empty sequence
        found = np.zeros((0, 0), np.float32)
    width = getattr(lstm, "input_size", 0)
    return found if len(found) == 1 else np.zeros((1, width), np.float32)
