"""The line of ``lstm-run --version``: read from files, so that it needs no ONNX Runtime."""

from dataclasses import dataclass
from pathlib import Path

from lstm_runtime.bundled import DEFAULT_CPU
from lstm_runtime.kernel.library import STOCK, kernel_in_use
from lstm_runtime.model_file.checked import read_model_file
from lstm_runtime.version import __version__


@dataclass(frozen=True)
class Version:
    """What runs."""

    lstm_edge: str
    "Version of the package."
    model: str
    "Name of the model file."
    precision: str
    "Number format of its weights."
    source_sha256: str
    "SHA-256 of the checkpoint that it was made of."
    kernel: str | None
    "Instruction set of the int8 kernel that would run it on the CPU; None for ONNX Runtime's own."


def version(model_file: Path | None) -> Version:
    """Return the versions of the tool and of a model file; None for the package's own for CPUs.

    Raises:
        ModelFileError: as `read_model_file`.

    """
    path = model_file or DEFAULT_CPU
    metadata = read_model_file(path).metadata
    kernel = kernel_in_use() if metadata.precision == "int8" else None
    return Version(__version__, path.name, metadata.precision, metadata.source_sha256, kernel)


def version_line(found: Version) -> str:
    """Return the versions in one line."""
    return (
        f"lstm-run {found.lstm_edge}, model {found.model} "
        f"({found.precision}, checkpoint {found.source_sha256[:12]}), "
        f"kernel {found.kernel or STOCK}"
    )
