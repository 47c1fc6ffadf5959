"""``model.pt``: weights and plain metadata, never pickled code."""

import os
import pickle
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from lstm_runtime.errors import VocabularyError
from lstm_runtime.files import atomic_path
from lstm_runtime.text.tokenizer import DEFAULT_PATTERN, TextEncoder, Tokenizer
from lstm_runtime.text.vocabulary import Vocabulary
from torch import Tensor

from lstm_training.errors import CheckpointError
from lstm_training.model import ModelConfig, SentimentRNN

FORMAT = "lstm-edge-checkpoint"
FORMAT_VERSION = 1

_ZIP, _PICKLE = b"PK", b"\x80"
"""How files of torch.save begin: since PyTorch 1.6, and before."""
_MAGIC = (0x1950A86A20F9469CFC6C).to_bytes(10, "little")
"""What the older form pickles first."""
_LOOK = 64
"""Bytes to look at."""
_FOREIGN = {
    b"\x08": "an ONNX file, or another of protobuf",
    b"\x1f\x8b": "a gzip file",
    b"\x89HDF": "an HDF5 file, as Keras writes it",
    b"\x93NUMPY": "a NumPy array",
}


@dataclass(frozen=True)
class Checkpoint:
    """Everything that a trained model is."""

    config: ModelConfig
    state_dict: dict[str, Tensor]
    vocabulary: Vocabulary
    labels: tuple[str, ...] = ("negative", "positive")
    "Label names; with one logit, the second is what the probability speaks of."
    pattern: str = DEFAULT_PATTERN
    "The tokeniser's pattern."
    metrics: dict[str, float] = field(default_factory=dict)
    "Measures on the held-out part of the training data."
    training: dict[str, Any] = field(default_factory=dict)
    "How the model came about: data, rows, configuration, versions; plain values only."

    @property
    def encoder(self) -> TextEncoder:
        """The text encoder that the model was trained with."""
        return TextEncoder(Tokenizer(self.pattern), self.vocabulary)

    def model(self) -> SentimentRNN:
        """Return the model with these weights, in evaluation mode."""
        model = SentimentRNN.from_config(self.config)
        model.load_state_dict(self.state_dict)
        return model.eval()


def save_checkpoint(checkpoint: Checkpoint, path: str | Path) -> None:
    """Write ``checkpoint`` to ``path`` in one piece: the file is complete or not there."""
    content = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "config": asdict(checkpoint.config),
        "state_dict": {name: t.detach().cpu() for name, t in checkpoint.state_dict.items()},
        "vocabulary": list(checkpoint.vocabulary.words),
        "labels": list(checkpoint.labels),
        "pattern": checkpoint.pattern,
        "metrics": checkpoint.metrics,
        "training": checkpoint.training,
    }
    save_content(content, Path(path))


def save_content(content: dict[str, Any], path: Path) -> None:
    """Write tensors and plain values to ``path`` in one piece; equal content gives equal bytes.

    Raises:
        CheckpointError: when they cannot be written, as on a full disk.

    """
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        try:
            torch.save(content, file)
            # The name must not reach the disk before the content does.
            file.flush()
            os.fsync(file.fileno())
        except RuntimeError as error:  # how PyTorch's writer reports a failed write
            raise CheckpointError(f"{path} could not be written: is the disk full?") from error


def load_content(path: Path) -> Any:
    """Read a PyTorch file without running any code in it.

    Raises:
        CheckpointError: when the file is missing, not a PyTorch file, or would run code.

    """
    if not path.is_file():
        raise CheckpointError(f"{path}: no such file")
    with path.open("rb") as file:
        start = file.read(_LOOK)
        if not start.startswith((_ZIP, _PICKLE)):
            raise CheckpointError(f"{path} is not a PyTorch file: it {_described(start)}")
        file.seek(0)
        try:
            return torch.load(file, map_location="cpu", weights_only=True)
        except pickle.UnpicklingError as error:
            if start.startswith(_PICKLE) and _MAGIC not in start:
                raise CheckpointError(
                    f"{path} is not a PyTorch file: it is a pickle that torch.save did not write"
                ) from error
            if "Weights only load failed" not in str(error):
                raise CheckpointError(f"{path} is not a PyTorch file") from error
            raise CheckpointError(
                f"{path} holds pickled Python code, which is never run here; where you trust the "
                "file, re-save its weights: m = torch.load(PATH, weights_only=False); "
                "torch.save(m.state_dict(), 'weights.pt')"
            ) from error
        except Exception as error:  # damage shows as whatever the loader stumbles over
            raise CheckpointError(
                f"{path} is not a complete PyTorch file ({type(error).__name__})"
            ) from error


def _described(start: bytes) -> str:
    """Say what a file is that begins with ``start``, in the words behind "it"."""
    for signature, name in _FOREIGN.items():
        if start.startswith(signature):
            return f"is {name}"
    if not start:
        return "is empty"
    if start[8:9] == b"{":  # behind the length of the header
        return "is a safetensors file"
    printable = not any(byte < 9 or 13 < byte < 32 for byte in start)
    return "is text" if printable else "is of another kind"


def is_checkpoint(content: Any) -> bool:
    """Tell whether ``content``, as `load_content` gave it, came from `save_checkpoint`."""
    return isinstance(content, dict) and content.get("format") == FORMAT


def parse_checkpoint(content: dict[str, Any], path: Path) -> Checkpoint:
    """Make a `Checkpoint` of the content of a file that `save_checkpoint` wrote.

    Raises:
        CheckpointError: when the file is of a newer version, or its parts do not fit together.

    """
    if content.get("format_version") != FORMAT_VERSION:
        raise CheckpointError(
            f"{path} has checkpoint version {content.get('format_version')}; this lstm-edge reads "
            f"version {FORMAT_VERSION}: upgrade lstm-edge"
        )
    try:
        checkpoint = Checkpoint(
            config=ModelConfig(**content["config"]),
            state_dict=content["state_dict"],
            vocabulary=Vocabulary(tuple(content["vocabulary"])),
            labels=tuple(content["labels"]),
            pattern=content["pattern"],
            metrics=content["metrics"],
            training=content["training"],
        )
        checkpoint.model()
    except (KeyError, TypeError, RuntimeError, AttributeError, VocabularyError) as error:
        raise CheckpointError(f"{path} is damaged: {error}") from error
    if len(checkpoint.vocabulary) != checkpoint.config.vocab_size:
        raise CheckpointError(
            f"{path} is damaged: {len(checkpoint.vocabulary)} words for "
            f"{checkpoint.config.vocab_size} embeddings"
        )
    return checkpoint


def load_checkpoint(path: str | Path) -> Checkpoint:
    """Read a ``model.pt`` that `save_checkpoint` wrote.

    Raises:
        CheckpointError: when the file is missing, damaged, foreign or of a newer version.

    """
    content = load_content(Path(path))
    if not is_checkpoint(content):
        raise CheckpointError(f"{path} is not a checkpoint of lstm-train")
    return parse_checkpoint(content, Path(path))
