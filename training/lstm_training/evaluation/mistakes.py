"""The texts with the wrong answer."""

from dataclasses import dataclass

from torch import Tensor

from lstm_training.data.examples import Examples
from lstm_training.evaluation.predictions import EvaluatedModel, Predictions


@dataclass(frozen=True)
class Mistake:
    """A text with the wrong answer."""

    number: int
    "Which of the texts, counted from 1 in the order of the source."
    text: str
    "The whole text."
    label: str
    "Its label, as the model calls it."
    answer: str
    "The label that the model gave."
    probability: float
    "The model's probability of ``answer``."


def find_mistakes(
    model: EvaluatedModel, examples: Examples, predictions: Predictions, right: Tensor
) -> tuple[Mistake, ...]:
    """Return the wrong answers, the most confident first; equals in the order of the texts."""
    found = []
    for n in (~right).nonzero().flatten().tolist():
        guess = int(predictions.guesses[n])
        label, answer = model.labels[examples.labels[n]], model.labels[guess]
        probability = predictions.of(n, guess)
        found.append(Mistake(n + 1, examples.texts[n], label, answer, probability))
    return tuple(sorted(found, key=lambda mistake: -mistake.probability))
