"""A model's answers to texts, whatever kind of file it comes from."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from lstm_runtime.text.tokenizer import Tokenizer
from torch import Tensor

from lstm_training.errors import EvaluationError


@dataclass(frozen=True)
class EvaluatedModel:
    """Which model answered, and how its numbers are read."""

    file: str
    "Name of the file."
    kind: str
    "``checkpoint`` or ``onnx``."
    precision: str
    "Number format of the weights."
    provider: str
    "What it ran on: ``PyTorch``, or the execution provider as ONNX Runtime spells it."
    labels: tuple[str, ...]
    "The model's own label names; of two, probabilities are those of the second."
    threshold: float
    "Probability from which on a model of two labels gives the second."
    data_sha256: str | None = None
    "`Examples.sha256` of what the model was trained on, held-out part included, where known."


def trained_on(training: Mapping[str, Any] | None) -> str | None:
    """Return the ``data_sha256`` of a model's account of its training, None where it has none."""
    run = (training or {}).get("run")
    return run.get("data_sha256") if isinstance(run, Mapping) else None


@dataclass(frozen=True)
class TextStats:
    """How long texts are for a model's tokeniser, and whether it knows their words."""

    lengths: tuple[int, ...]
    "Tokens of each text, known or not; at least 1, since a text without any is read as one."
    known: tuple[bool, ...]
    "Whether any word of the text is in the vocabulary."

    @classmethod
    def of(cls, texts: Sequence[str], tokenizer: Tokenizer, words: Container[str]) -> "TextStats":
        """Read ``texts`` as a model with this tokeniser and these words does."""
        tokens = [tokenizer.tokens(text) for text in texts]
        return cls(
            tuple(max(len(found), 1) for found in tokens),
            tuple(any(token in words for token in found) for found in tokens),
        )


@dataclass(frozen=True)
class Predictions:
    """What a model says of some texts.

    Raises:
        EvaluationError: when a probability is not a number.

    """

    probabilities: Tensor
    """Probability of the second label of two, float32 ``[texts]``, or of each label of more,
    ``[texts, labels]``."""
    guesses: Tensor
    "Which label the model gives, by its own rule, int64 ``[texts]``; bool where there are two."
    stats: TextStats
    "How long the texts are and whether the model knows a word of them."

    def __post_init__(self) -> None:
        """Check the probabilities, since no measure of a broken model means anything."""
        finite = self.probabilities.isfinite().view(len(self.probabilities), -1).all(dim=1)
        wrong = int((~finite).sum())
        if wrong:
            raise EvaluationError(f"the model's answer to {wrong:,} texts is not a number")

    def of(self, text: int, label: int) -> float:
        """Return the probability of one label of one text."""
        if self.probabilities.dim() == 2:
            return float(self.probabilities[text, label])
        second = float(self.probabilities[text])
        return second if label else 1 - second


class Predictor(Protocol):
    """A loaded model that can be evaluated."""

    @property
    def model(self) -> EvaluatedModel:
        """What the model is."""

    def predict(self, texts: Sequence[str]) -> Predictions:
        """Return the answers to ``texts``, in their order."""
