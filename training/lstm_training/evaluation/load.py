"""Which kind of model a file is."""

from pathlib import Path

from lstm_training.errors import EvaluationError
from lstm_training.evaluation.predictions import Predictor

BUNDLED = "default"
"""The name of the model that comes with the runtime."""

_ZIP, _ONNX = b"PK\x03\x04", b"\x08"
"""How files of PyTorch and of ONNX (the field ``ir_version``) begin."""
_ANY_PROVIDER = "auto"


def open_model(name: str, provider: str = _ANY_PROVIDER) -> Predictor:
    """Load the model to evaluate.

    Args:
        name: path of a checkpoint of ``lstm-train`` or of an ``.onnx`` file of ``lstm-export``,
            or ``default`` for the model that comes with the runtime.
        provider: where an ``.onnx`` file runs, as `SentimentModel.load` takes it.

    Raises:
        EvaluationError: when the file is missing or neither, or a checkpoint should run on a
            provider of ONNX Runtime.
        LstmEdgeError: when the file cannot be loaded.

    """
    if name != BUNDLED and _is_checkpoint(Path(name)):
        if provider != _ANY_PROVIDER:
            raise EvaluationError(f"{name} runs in PyTorch: --provider is for .onnx files")
        from lstm_training.evaluation.torch_predictor import (
            TorchPredictor,
        )

        return TorchPredictor(Path(name))
    from lstm_training.evaluation.onnx_predictor import OnnxPredictor

    return OnnxPredictor(None if name == BUNDLED else Path(name), provider)


def _is_checkpoint(path: Path) -> bool:
    """Tell a checkpoint from an ONNX file, by content and, where that is damaged, by name.

    Raises:
        EvaluationError: when the file is missing or neither.

    """
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "no such file"
        raise EvaluationError(f"{path}: {what} (or name {BUNDLED}, the bundled model)")
    with path.open("rb") as file:
        start = file.read(len(_ZIP))
    if start == _ZIP or start[:1] == _ONNX:
        return start == _ZIP
    if path.suffix.lower() in {".pt", ".pth", ".onnx"}:
        return path.suffix.lower() != ".onnx"
    raise EvaluationError(
        f"{path} is neither a model.pt of lstm-train nor an .onnx file of lstm-export"
    )
