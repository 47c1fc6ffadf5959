"""The models that come with the package: int8 for CPUs, fp16 for CUDA and all else."""

from pathlib import Path

_FOLDER = Path(__file__).parent / "models"

DEFAULT_CPU = _FOLDER / "default.int8.onnx"
DEFAULT_OTHER = _FOLDER / "default.fp16.onnx"
