"""What a trained model is worth on the texts that were held out."""

import logging
from dataclasses import asdict, dataclass
from functools import cached_property

from torch import Tensor

from lstm_training.config import FitThreshold
from lstm_training.data.labels import ratings
from lstm_training.evaluation.confusion import Confusion
from lstm_training.evaluation.metrics import (
    THRESHOLD,
    compute_metrics,
    guesses,
    mean_absolute_error,
)
from lstm_training.evaluation.threshold import fit_threshold

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class HeldOutResult:
    """A model's answers to the held-out texts, and the threshold that it goes by."""

    scores: Tensor
    "Probabilities, as `lstm_training.evaluation.predict` gives them."
    labels: Tensor
    "The texts' labels, float ``[texts]``."
    names: tuple[str, ...]
    "What the labels are called."
    threshold: float = THRESHOLD
    "Of two labels, the probability from which on the second is given."

    @classmethod
    def fitted(
        cls, scores: Tensor, labels: Tensor, names: tuple[str, ...], aim: FitThreshold
    ) -> "HeldOutResult":
        """Choose the threshold by these very texts, where that was asked for."""
        if aim == "no":
            return cls(scores, labels, names)
        threshold = fit_threshold(scores, labels, aim)
        logger.info(
            "from a probability of %.4f on the label is %s: fitted to the held-out texts, so that "
            "their accuracy is a little too good to be true",
            threshold, names[1],
        )  # fmt: skip
        return cls(scores, labels, names, threshold)

    @cached_property
    def confusion(self) -> Confusion:
        """Which label got which answer."""
        given = guesses(self.scores, self.threshold)
        return Confusion.count(given, self.labels, len(self.names))

    def metrics(self) -> dict[str, float]:
        """Return the measures; of ratings the mean absolute error (``mae``) too."""
        found = asdict(compute_metrics(self.scores, self.labels, self.threshold))
        stars = ratings(self.names)
        if stars:
            found["mae"] = mean_absolute_error(guesses(self.scores), self.labels, stars)
        return found

    def warn_of_one_answer(self) -> None:
        """Say so where all texts get one label."""
        answer = self.confusion.one_answer
        if answer is not None:
            logger.warning(
                "this model gives one label only: it calls all of the held-out texts %s; try more "
                "--epochs or texts, or --class-weight balanced",
                self.names[answer],
            )
