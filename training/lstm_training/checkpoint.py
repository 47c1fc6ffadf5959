"""``model.pt``: weights and plain metadata, never pickled code."""

import json
import os
import pickle
import shlex
import warnings
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from lstm_runtime.errors import shown
from lstm_runtime.files import atomic_path
from lstm_runtime.text.tokenizer import DEFAULT_PATTERN, TextEncoder, Tokenizer
from lstm_runtime.text.vocabulary import Vocabulary
from torch import Tensor

from lstm_training.checkpoint_content import check_content
from lstm_training.errors import CheckpointError
from lstm_training.file_kind import LOOK, damaged_part, describe_file, is_inflated, zip_names
from lstm_training.model import ModelConfig, SentimentRNN
from lstm_training.plain_values import plain_values

FORMAT = "lstm-edge-checkpoint"
FORMAT_VERSION = 1

_ZIP, _PICKLE = b"PK", b"\x80"
"""How files of torch.save begin: since PyTorch 1.6, and before."""
_MAGIC = (0x1950A86A20F9469CFC6C).to_bytes(10, "little")
"""What the older form pickles first."""
_MAGIC_WITHIN = 64
"""Bytes that it stands in."""
_DAMAGED = (KeyError, TypeError, RuntimeError, AttributeError, ValueError, OverflowError)
_QUANTIZED = ("_packed_params", "torch.ao.nn.quantized", "torch.nn.quantized", "ScriptObject")
"""What the loader stumbles over in a model of quantize_dynamic."""


@dataclass(frozen=True)
class Checkpoint:
    """Everything that a trained model is."""

    config: ModelConfig
    state_dict: dict[str, Tensor]
    vocabulary: Vocabulary
    labels: tuple[str, ...] = ("negative", "positive")
    "Label names, one for each logit; with one logit two, and the probability is the second's."
    pattern: str = DEFAULT_PATTERN
    "The tokeniser's pattern."
    threshold: float = 0.5
    "With one logit, the probability from which on the second label is given."
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
        "aliases": [list(pair) for pair in checkpoint.vocabulary.aliases],
        "labels": list(checkpoint.labels),
        "pattern": checkpoint.pattern,
        "threshold": checkpoint.threshold,
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
    if not path.exists():
        raise CheckpointError(f"{path}: no such file")
    if not path.is_file():
        raise CheckpointError(f"{path} is not a PyTorch file: it {describe_file(path)}")
    with path.open("rb") as file:
        start = file.read(LOOK)
        if not start.startswith((_ZIP, _PICKLE)):
            raise CheckpointError(f"{path} is not a PyTorch file: it {describe_file(path)}")
        if start.startswith(_ZIP) and is_inflated(path):
            raise CheckpointError(f"{path} unpacks to more than weights do")
        if start.startswith(_ZIP) and (part := damaged_part(path)):
            raise CheckpointError(f"{path} is damaged: the checksum of {part} differs")
        file.seek(0)
        try:
            with plain_values(), warnings.catch_warnings():
                # Of old or odd pickles, which are refused or read like others.
                warnings.simplefilter("ignore", UserWarning)
                return torch.load(file, map_location="cpu", weights_only=True)
        except pickle.UnpicklingError as error:
            raise _refusal(path, start, str(error)) from error
        except Exception as error:  # damage shows as whatever the loader stumbles over
            names = zip_names(path) if start.startswith(_ZIP) else None
            # Without names it is cut short or damaged: its first bytes are all that can be told.
            if names is not None and not any(name.endswith("data.pkl") for name in names):
                raise CheckpointError(
                    f"{path} is not a PyTorch file: it {describe_file(path)}"
                ) from error
            raise CheckpointError(
                f"{path} is not a complete PyTorch file ({type(error).__name__})"
            ) from error


def _refusal(path: Path, start: bytes, message: str) -> CheckpointError:
    """Return the error for a file that holds more than weights and plain values."""
    if start.startswith(_PICKLE) and _MAGIC not in start[:_MAGIC_WITHIN]:
        return CheckpointError(
            f"{path} is not a PyTorch file: it is a pickle that torch.save did not write; where "
            f"you trust it, write it as one: {_rewrite_command(path)}"
        )
    if "Weights only load failed" not in message:
        return CheckpointError(f"{path} is not a PyTorch file")
    if any(mark in message for mark in _QUANTIZED):
        return CheckpointError(
            f"{path} holds weights that PyTorch quantised, of which the originals cannot be had "
            "back: save the model's state_dict() before quantize_dynamic, and let lstm-export "
            "quantise it"
        )
    return CheckpointError(
        f"{path} holds pickled Python code, which is never run here; where you trust the file, "
        f"save its weights alone: {resave_command(path)}"
    )


def _rewrite_command(path: Path) -> str:
    """Return the shell command that writes a plain pickle as a file of ``torch.save``."""
    old, new = (json.dumps(str(p)) for p in (path, path.with_name(f"{path.stem}.pt")))
    code = f'import pickle, torch; torch.save(pickle.load(open({old}, "rb")), {new})'
    return f"python -c {shlex.quote(code)}"


def resave_command(path: Path) -> str:
    """Return the shell command that saves the weights of a pickled file of ``torch.save``.

    It runs the code in the file, where the classes that it names can be imported.
    """
    target = path.with_name(f"{path.stem}.weights.pt")
    # Double quotes inside, so that the shell's single ones go round all of it.
    old, new = json.dumps(str(path)), json.dumps(str(target))
    script = (
        f'import torch; m = torch.load({old}, map_location="cpu", weights_only=False); '
        "d = m if isinstance(m, dict) else m.state_dict(); "
        'd = next((d[k] for k in ("state_dict", "model_state_dict", "model", "net") if k in d), d);'
        " d = d if isinstance(d, dict) else d.state_dict(); "
        f"torch.save({{k: v for k, v in d.items() if torch.is_tensor(v)}}, {new})"
    )
    return f"python -c {shlex.quote(script)}"


def is_checkpoint(content: Any) -> bool:
    """Tell whether ``content``, as `load_content` gave it, came from `save_checkpoint`."""
    return isinstance(content, dict) and content.get("format") == FORMAT


def parse_checkpoint(content: dict[str, Any], path: Path) -> Checkpoint:
    """Make a `Checkpoint` of the content of a file that `save_checkpoint` wrote.

    Raises:
        CheckpointError: when the file is of a newer version, or its parts do not fit together.

    """
    version = content.get("format_version")
    if type(version) is not int or version != FORMAT_VERSION:
        raise CheckpointError(
            f"{path} has checkpoint version {shown(version)}; this lstm-edge reads "
            f"version {FORMAT_VERSION}: upgrade lstm-edge"
        )
    try:
        check_content(content)
        checkpoint = Checkpoint(
            config=ModelConfig(**content["config"]),
            state_dict=content["state_dict"],
            vocabulary=Vocabulary(
                tuple(content["vocabulary"]),
                aliases=tuple((alias, word) for alias, word in content.get("aliases", ())),
            ),
            labels=tuple(content["labels"]),
            pattern=content["pattern"],
            threshold=float(content.get("threshold", 0.5)),
            metrics=content["metrics"],
            training=content["training"],
        )
        checkpoint.model()
    except _DAMAGED as error:
        raise CheckpointError(f"{path} is damaged: {error}") from error
    if len(checkpoint.labels) != max(checkpoint.config.output_size, 2):
        raise CheckpointError(
            f"{path} is damaged: {len(checkpoint.labels)} labels for "
            f"{checkpoint.config.output_size} logits"
        )
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
