"""The answers of a ``model.pt``, from PyTorch."""

from collections.abc import Sequence
from pathlib import Path

from lstm_training.checkpoint import Checkpoint, is_checkpoint, load_content, parse_checkpoint
from lstm_training.data.examples import Examples
from lstm_training.data.prepare import encode
from lstm_training.errors import CheckpointError
from lstm_training.evaluation.metrics import guesses
from lstm_training.evaluation.predict import predict
from lstm_training.evaluation.predictions import EvaluatedModel, Predictions, TextStats, trained_on

_BATCH_SIZE = 32


class TorchPredictor:
    """A checkpoint of ``lstm-train`` that answers on the CPU, reading every token of a text.

    Args:
        path: the file.

    Raises:
        CheckpointError: when the file is missing, damaged, foreign or of a newer version, or its
            outputs and labels do not fit each other.

    """

    def __init__(self, path: Path) -> None:
        content = load_content(path)
        if not is_checkpoint(content):
            raise CheckpointError(
                f"{path} is not a checkpoint of lstm-train: make an .onnx of it with lstm-export, "
                "and evaluate that"
            )
        self._checkpoint = parse_checkpoint(content, path)
        self.model = _describe(self._checkpoint, path)

    def predict(self, texts: Sequence[str]) -> Predictions:
        """Return the answers to ``texts``, in their order."""
        encoder, vocabulary = self._checkpoint.encoder, self._checkpoint.vocabulary
        # The labels have no part in the answers: zeros stand in for them.
        encoded = encode(Examples("texts", tuple(texts), (0,) * len(texts)), encoder)
        probabilities = predict(self._checkpoint.model(), encoded, _BATCH_SIZE, vocabulary.pad)
        stats = TextStats.of(texts, encoder.tokenizer, vocabulary.plain)
        given = guesses(probabilities, self.model.threshold)
        return Predictions(probabilities, given, stats)


def _describe(checkpoint: Checkpoint, path: Path) -> EvaluatedModel:
    return EvaluatedModel(
        file=path.name,
        kind="checkpoint",
        precision="fp32",
        provider="PyTorch",
        labels=checkpoint.labels,
        threshold=checkpoint.threshold,
        data_sha256=trained_on(checkpoint.training),
    )
