"""The models that come with the package: int8 for CPUs, fp16 for CUDA."""

from pathlib import Path

from lstm_runtime.inference.session import CPU

_FOLDER = Path(__file__).parent / "models"

DEFAULT_CPU = _FOLDER / "default.int8.onnx"
DEFAULT_OTHER = _FOLDER / "default.fp16.onnx"


def bundled_model(provider: str) -> Path:
    """Return the model for the execution provider of that name."""
    return DEFAULT_CPU if provider == CPU else DEFAULT_OTHER
