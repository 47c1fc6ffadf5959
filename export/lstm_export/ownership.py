"""Which files of a folder `lstm-export` wrote: it replaces those and no others."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from lstm_runtime.errors import ModelFileError
from lstm_runtime.model_file.contract import Metadata
from lstm_runtime.model_file.reader import OnnxReader

from lstm_export.config import SUFFIXES, ExportConfig
from lstm_export.errors import OutputError

MARK = "written by lstm-export"
"""What every file that goes beside the models has in it."""

_LOOK = 4096
"""Bytes of a picture in which its mark stands."""


def beside_files(folder: Path, config: ExportConfig) -> tuple[Path, Path, Path]:
    """Return the paths of the report, the picture and the model card of a run."""
    return folder / "report.json", folder / "parity.png", folder / f"{config.name}.md"


def require_own(paths: Iterable[Path]) -> None:
    """Check that a run overwrites nothing but files of earlier runs.

    Raises:
        OutputError: names the first file that something else has written.

    """
    for path in paths:
        if path.exists() and not is_own(path):
            raise OutputError(
                f"{path} is there and lstm-export did not write it: give another folder (-o) or "
                "--name, or move it away"
            )


def is_own(path: Path) -> bool:
    """Tell whether `lstm-export` wrote the file at ``path``."""
    if not path.is_file():
        return False
    if path.suffix == ".onnx":
        return model_source(path) is not None
    with path.open("rb") as file:
        content = file.read() if path.suffix == ".json" else file.read(_LOOK)
    if path.suffix != ".json":
        return MARK.encode() in content
    try:
        found = json.loads(content)
    except ValueError:
        return False
    return isinstance(found, dict) and found.get("note") == MARK


def model_source(path: Path) -> str | None:
    """Return the SHA-256 of the checkpoint that a model file is of; None for a foreign file."""
    try:
        metadata: Metadata = OnnxReader(path).metadata()
    except ModelFileError:
        return None
    return metadata.source_sha256


def remove_other_models(folder: Path, config: ExportConfig, kept: Sequence[Path]) -> list[Path]:
    """Remove files of this name that are of another checkpoint than those just written.

    A run replaces the set of its name as a whole: a ``model.fp16.onnx`` of last week's checkpoint
    beside today's ``model.onnx`` would be another model under one name.
    """
    sources = {model_source(path) for path in kept}
    removed = []
    for suffix in SUFFIXES.values():
        path = folder / f"{config.name}{suffix}.onnx"
        if kept and path not in kept and is_own(path) and model_source(path) not in sources:
            path.unlink()
            removed.append(path)
    return removed
