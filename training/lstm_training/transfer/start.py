"""A finished model as what another one starts from, with more words than it had."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from lstm_runtime.text.vocabulary import Vocabulary
from torch import Tensor

from lstm_training.checkpoint import Checkpoint, load_checkpoint
from lstm_training.config import TrainingConfig
from lstm_training.errors import CheckpointError, ConfigError
from lstm_training.transfer.bundled import bundled_checkpoint

BUNDLED = "default"
"""The name of the model that comes with the runtime."""
EMBEDDING = "embedding.weight"
HEAD = "fc."


def load_start(name: str) -> Checkpoint:
    """Return the model to start from.

    Args:
        name: path of a ``model.pt`` of ``lstm-train``, or ``default`` for the bundled model.

    Raises:
        CheckpointError: when the file is missing, damaged or no checkpoint, or when a weight in it
            is no number.

    """
    start = bundled_checkpoint() if name == BUNDLED else load_checkpoint(Path(name))
    broken = [key for key, weight in start.state_dict.items() if not weight.isfinite().all()]
    if broken:
        raise CheckpointError(f"{name} cannot be started from: {broken[0]} holds what is no number")
    return start


def extend(checkpoint: Checkpoint, words: Sequence[str]) -> Checkpoint:
    """Return ``checkpoint`` with ``words`` behind its own.

    A word that is added reads as the unknown word until it has learned: nothing that the model
    says changes before the first step.
    """
    known, vectors = checkpoint.vocabulary, checkpoint.state_dict[EMBEDDING]
    added = vectors[known.empty].expand(len(words), -1)
    return replace(
        checkpoint,
        config=replace(checkpoint.config, vocab_size=len(known) + len(words)),
        vocabulary=replace(known, words=(*known.words, *words)),
        state_dict={**checkpoint.state_dict, EMBEDDING: torch.cat([vectors, added])},
    )


def initial_weights(start: Checkpoint, vocabulary: Vocabulary, outputs: int) -> dict[str, Tensor]:
    """Return the weights to start from.

    Args:
        start: the model.
        vocabulary: its words, and the added ones behind them.
        outputs: logits of the new model. Where the old one has another number of them, its last
            layer has nothing to say, and is not among the weights.

    """
    weights = extend(start, vocabulary.words[len(start.vocabulary) :]).state_dict
    if start.config.output_size == outputs:
        return weights
    return {name: weight for name, weight in weights.items() if not name.startswith(HEAD)}


def digest(start: Checkpoint) -> str:
    """Return what tells one model to start from from another: SHA-256 of words and weights."""
    found = hashlib.sha256("\n".join(start.vocabulary.words).encode("utf-8", "surrogatepass"))
    for name, weight in sorted(start.state_dict.items()):
        found.update(name.encode() + weight.numpy().tobytes())
    return found.hexdigest()


def with_sizes_of(start: Checkpoint, config: TrainingConfig) -> TrainingConfig:
    """Return ``config`` with the sizes of the model to start from, and its pattern.

    Raises:
        ConfigError: when another pattern is asked for.

    """
    if config.pattern not in {None, start.pattern}:
        raise ConfigError("pattern is that of the model to start from: leave it out")
    sizes = start.config
    return replace(
        config,
        pattern=start.pattern,
        embedding_dim=sizes.embedding_dim,
        hidden_dim=sizes.hidden_dim,
        n_layers=sizes.n_layers,
    )
