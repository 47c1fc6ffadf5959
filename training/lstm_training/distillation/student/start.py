"""A finished model as the start of another one's last training, with more words than it had."""

import hashlib
from collections.abc import Set
from dataclasses import dataclass
from pathlib import Path

from lstm_runtime.text.vocabulary import Vocabulary
from torch import Tensor

from lstm_training.checkpoint import load_checkpoint
from lstm_training.model import ModelConfig
from lstm_training.transfer.start import extend


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

    See `extend`.

    Raises:
        CheckpointError: when the file is missing, damaged or no checkpoint.

    """
    checkpoint = load_checkpoint(path)
    added = sorted(words - checkpoint.vocabulary.ids.keys())
    grown = extend(checkpoint, added)
    digest = hashlib.sha256(path.read_bytes() + "\n".join(added).encode())
    return Start(
        grown.vocabulary,
        grown.config,
        grown.state_dict,
        digest.hexdigest(),
    )
