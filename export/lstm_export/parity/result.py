"""How far a model is from the original, case by case and over all texts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from lstm_runtime.arrays import Array
from lstm_runtime.model_file import contract
from numpy.typing import NDArray

from lstm_export.parity.tolerance import Tolerance

NEAR_THRESHOLD = 0.02
"""A text whose probability is no further from another label may get either."""


@dataclass(frozen=True)
class CaseParity:
    """Differences in one case."""

    name: str
    "Batch and length, or which text."
    max_abs: dict[str, float]
    "Output to its largest difference; that of states is relative to values above 1."
    reference: bool
    "Whether it is one of the texts that the file carries as its reference."
    excerpt: str = ""
    "How that text begins."


@dataclass(frozen=True)
class Parity:
    """Differences between one model and the original over all cases."""

    cases: tuple[CaseParity, ...]
    "Case by case."
    wanted: Array
    "The original's probabilities, ``[texts, classes]``."
    found: Array
    "The other's, alike."
    plain: bool = False
    "Whether they are plain numbers, which name no label, and not probabilities."
    texts: int = 0
    "Rows at the end that are texts and not random words; 0 where there are no texts."
    threshold: float = 0.5
    "With one probability, from which on the second label is given."
    several: bool = False
    "Whether a text may have several labels: each of its probabilities is then judged by itself."

    @property
    def max_abs(self) -> dict[str, float]:
        """Largest difference of each output."""
        names = self.cases[0].max_abs
        return {n: float(np.max([case.max_abs[n] for case in self.cases])) for n in names}

    @property
    def mean(self) -> float:
        """Mean difference of the probabilities."""
        return float(self._differences.mean())

    def fraction_within(self, limit: float) -> float:
        """Share of the texts whose probabilities differ by ``limit`` at most."""
        return float((self._differences.max(axis=1) <= limit).mean())

    @property
    def _differences(self) -> Array:
        """Differences; relative above 1, for plain numbers may be large and float32 is coarse."""
        return np.asarray(np.abs(self.wanted - self.found) / np.maximum(1.0, np.abs(self.wanted)))

    @property
    def agreement(self) -> float:
        """Share of texts with the same label, among those not within 0.02 of the threshold.

        Random words are judged by it only where there are no texts: they say nothing, so a model
        that was trained on few texts may be sure of either label, and any rounding decides.
        """
        if self.plain:
            return 1.0
        wanted, found = (self._judged(v[-self.texts :]) for v in (self.wanted, self.found))
        clear = _margin(wanted, self.threshold) > NEAR_THRESHOLD
        same = self._labels(wanted) == self._labels(found)
        return float(same[clear].mean()) if clear.any() else 1.0

    @property
    def worst_case(self) -> str:
        """The case with the largest difference of a probability."""
        differences = [case.max_abs[contract.PROBABILITY] for case in self.cases]
        return self.cases[int(np.argmax(differences))].name

    def accuracy(self, labels: Sequence[int] | NDArray[np.int64]) -> tuple[float, float]:
        """Return the share of right answers of the original and the other.

        Args:
            labels: those of the last texts compared; ``[texts, classes]`` of 0 and 1 where a text
                may have several, of which the share of right ones is returned.

        """
        right = np.array(labels)
        end = len(right)
        before, after = (
            self._labels(self._judged(values[-end:])) == right.ravel()
            for values in (self.wanted, self.found)
        )
        return float(before.mean()), float(after.mean())

    def _judged(self, probability: Array) -> Array:
        """Return one row for each decision: of a text, or of each of its labels."""
        return probability.reshape(-1, 1) if self.several else probability

    def _labels(self, probability: Array) -> NDArray[np.int64]:
        if probability.shape[1] == 1:
            return np.asarray(probability[:, 0] >= self.threshold, np.int64)
        return np.asarray(np.argmax(probability, axis=1))

    def summary(self) -> dict[str, Any]:
        """Return what goes into the file's metadata."""
        return {
            "texts": len(self.wanted),
            "largest": self.max_abs,
            "mean": self.mean,
            "agreement": self.agreement,
            "worst_case": self.worst_case,
        }

    def failures(self, tolerance: Tolerance) -> list[str]:
        """Say what lies outside ``tolerance``; nothing when all is within. A NaN is outside."""
        max_abs = self.max_abs
        bounds = {
            contract.TRAJECTORY: tolerance.trajectory,
            contract.HN: tolerance.states,
            contract.CN: tolerance.states,
        }
        limits = [
            *self._reference_limits(tolerance.max_abs),
            ("mean probability", self.mean, tolerance.mean),
            *((n, max_abs[n], b) for n, b in bounds.items() if n in max_abs and b is not None),
        ]
        failures = [
            f"{name} differs by {value:.2g}, allowed is {limit:.2g}"
            for name, value, limit in limits
            if not value <= limit
        ]
        within = self.fraction_within(tolerance.max_abs)
        if not within >= tolerance.fraction_within:
            worst = f"worst is case {self.worst_case}, by {max_abs[contract.PROBABILITY]:.2g}"
            failures.append(
                f"{within:.2%} of the probabilities differ by {tolerance.max_abs:.2g} at most, "
                f"needed are {tolerance.fraction_within:.0%} ({worst})"
            )
        if not self.agreement >= tolerance.agreement:
            needed = f"needed are {tolerance.agreement:.2%}"
            failures.append(f"{self.agreement:.2%} of the labels agree, {needed}")
        return failures

    def _reference_limits(self, limit: float) -> list[tuple[str, float, float]]:
        return [
            (
                f"probability (case {case.name}{case.excerpt})",
                case.max_abs[contract.PROBABILITY],
                limit,
            )
            for case in self.cases
            if case.reference
        ]


def _margin(probability: Array, threshold: float) -> Array:
    """Return how far each text is from another label."""
    if probability.shape[1] == 1:
        return np.asarray(np.abs(probability[:, 0] - threshold))
    ordered = np.sort(probability, axis=1)
    return np.asarray(ordered[:, -1] - ordered[:, -2])
