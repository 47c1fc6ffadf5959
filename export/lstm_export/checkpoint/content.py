"""What is in a checkpoint file, without running any code in it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lstm_training.checkpoint import load_content
from lstm_training.errors import CheckpointError
from torch import Tensor

from lstm_export.checkpoint.archives import load_program
from lstm_export.errors import UnsupportedModelError

WRAPPERS = ("state_dict", "model_state_dict", "model", "net", "module", "weights")
"""Keys under which training scripts put the weights."""


FOLDER_FILES = ("model.safetensors", "pytorch_model.bin")
"""What a folder of Hugging Face's libraries holds its weights in, the better form first."""


@dataclass(frozen=True)
class Content:
    """What a checkpoint file holds."""

    value: Any
    "Tensors and plain values, or the module of an archive with a program."
    path: Path
    "The file that they were in."
    sha256: str
    "SHA-256 of that file."

    @property
    def hyperparameters(self) -> dict[str, Any]:
        """What a Lightning checkpoint says its module was built with; empty for other files."""
        found = self.value.get("hyper_parameters") if isinstance(self.value, Mapping) else None
        return {str(name): value for name, value in found.items()} if found else {}


def read_content(path: Path) -> Content:
    """Return the content of a checkpoint, whatever usual form it has.

    That is a file of ``torch.save``, an archive with a program, a safetensors file, or a folder as
    Hugging Face's libraries write it.

    Raises:
        CheckpointError: when the file is missing, damaged or would run code.

    """
    file = _file_of(path)
    value = _read_safetensors(file) if _is_safetensors(file) else _read_torch(file)
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return Content(value, file, digest)


def _file_of(path: Path) -> Path:
    if not path.is_dir():
        return path
    for name in FOLDER_FILES:
        if (path / name).is_file():
            return path / name
    raise CheckpointError(
        f"{path} is a folder without {' or '.join(FOLDER_FILES)}: name the checkpoint file"
    )


def _is_safetensors(path: Path) -> bool:
    """Tell by the file's header, 8 bytes of its length and then JSON; its name may be any."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        start = file.read(9)
    return len(start) == 9 and start.endswith(b"{") and not start.startswith(b"PK")


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (SafetensorError, ValueError, KeyError) as error:
        raise CheckpointError(f"{path} is a damaged safetensors file: {error}") from error


def _read_torch(path: Path) -> Any:
    program = load_program(path)
    return load_content(path) if program is None else program


def unwrap(content: Any, path: Path) -> dict[str, Tensor]:
    """Return the state dict, without what a training script wrapped around it.

    Raises:
        UnsupportedModelError: when there is none.

    """
    if not isinstance(content, Mapping):
        raise UnsupportedModelError(f"{path} holds a {type(content).__name__}, not a state dict")
    for key in WRAPPERS:
        if isinstance(content.get(key), Mapping):
            return unwrap(content[key], path)
    others = [str(name) for name, value in content.items() if not isinstance(value, Tensor)]
    if others or not content:
        raise UnsupportedModelError(
            f"{path} holds no state dict: neither {', '.join(WRAPPERS)} nor tensors alone, but "
            f"{', '.join(others[:6]) or 'nothing'}"
        )
    return {str(name): value for name, value in content.items()}
