"""A finished model as the start of another one's last training, with more words than it had."""

import hashlib
from collections.abc import Set
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from lstm_runtime.text.vocabulary import Vocabulary
from torch import Tensor

from lstm_training.checkpoint import load_checkpoint
from lstm_training.model import ModelConfig

EMBEDDING = "embedding.weight"


@dataclass(frozen=True)
class Start:
    """What a student starts from."""

    vocabulary: Vocabulary
    "The model's words in their places, then those that were added."
    sizes: ModelConfig
    "What the model is made of, with the added words."
    weights: dict[str, Tensor]
    "Its weights; added words have the vector of the unknown word."
    digest: str
    "SHA-256 of the checkpoint and of the words that were added."


def load_start(path: Path, words: Set[str]) -> Start:
    """Return the model of a checkpoint with the ``words`` that it lacks, in alphabetical order.

    A word that is added reads as the unknown word until it has learned: nothing that the model
    says changes before the first step.

    Raises:
        CheckpointError: when the file is missing, damaged or no checkpoint.

    """
    checkpoint = load_checkpoint(path)
    known = checkpoint.vocabulary
    added = sorted(words - known.ids.keys())
    vectors = checkpoint.state_dict[EMBEDDING]
    unknown = vectors[known.empty].expand(len(added), -1)
    digest = hashlib.sha256(path.read_bytes() + "\n".join(added).encode())
    return Start(
        replace(known, words=(*known.words, *added)),
        replace(checkpoint.config, vocab_size=len(known) + len(added)),
        {**checkpoint.state_dict, EMBEDDING: torch.cat([vectors, unknown])},
        digest.hexdigest(),
    )
