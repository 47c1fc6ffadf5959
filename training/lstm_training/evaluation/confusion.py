"""Which label got which answer, and what follows from it for each label."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class LabelMeasures:
    """How well a model knows one label."""

    label: str
    "The label."
    texts: int
    "Texts that have it."
    called: int
    "Texts that were called so."
    right: int
    "Texts that have it and were called so."

    @property
    def precision(self) -> float | None:
        """Part of the texts called so that have the label; None where none was called so."""
        return self.right / self.called if self.called else None

    @property
    def recall(self) -> float | None:
        """Part of the texts with the label that were called so; None where there is none."""
        return self.right / self.texts if self.texts else None

    @property
    def f1(self) -> float | None:
        """Harmonic mean of both; None where no text has the label and none was called so."""
        either = self.texts + self.called
        return 2 * self.right / either if either else None

    def to_plain(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "label": self.label,
            "texts": self.texts,
            "called": self.called,
            "precision": self.precision,
            "recall": self.recall,
            "f1": self.f1,
        }


@dataclass(frozen=True)
class Confusion:
    """How many texts of each label got which answer."""

    rows: tuple[tuple[int, ...], ...]
    "The counts by label (row) and answer (column), in the order of the labels."

    @classmethod
    def count(cls, guesses: Tensor, labels: Tensor, classes: int = 2) -> "Confusion":
        """Compare ``guesses``, bool or int ``[texts]``, with ``labels``, float or int ``[texts]``.

        Where there are two labels, those may be probabilities of the second.
        """
        truth = (labels > 0.5) if classes == 2 else labels
        pairs = truth.long() * classes + guesses.long()
        table = torch.bincount(pairs, minlength=classes**2).view(classes, classes)
        return cls(tuple(map(tuple, table.tolist())))

    @property
    def true_negative(self) -> int:
        """Negative texts that were called negative."""
        return self.rows[0][0]

    @property
    def false_positive(self) -> int:
        """Negative texts that were called positive."""
        return self.rows[0][1]

    @property
    def false_negative(self) -> int:
        """Positive texts that were called negative."""
        return self.rows[1][0]

    @property
    def true_positive(self) -> int:
        """Positive texts that were called positive."""
        return self.rows[1][1]

    @property
    def texts(self) -> int:
        """Number of texts."""
        return sum(map(sum, self.rows))

    @property
    def accuracy(self) -> float:
        """Part of the texts with the right answer."""
        return sum(row[n] for n, row in enumerate(self.rows)) / self.texts

    @property
    def f1(self) -> float | None:
        """F1 of the positive class, or macro-F1 where there are more than two labels.

        None where no text is positive and none was called so.
        """
        if len(self.rows) > 2:
            return self.macro_f1
        return self.measures(("", ""))[1].f1

    @property
    def macro_f1(self) -> float:
        """Mean of the labels' F1; a label that no text has and none was called has no part."""
        found = [one.f1 for one in self.measures(("",) * len(self.rows)) if one.f1 is not None]
        return sum(found) / len(found)

    @property
    def one_answer(self) -> int | None:
        """The label that all texts got, though they have several; None where there is none."""
        called = [n for n, column in enumerate(zip(*self.rows, strict=True)) if sum(column)]
        labels = [row for row in self.rows if sum(row)]
        return called[0] if len(called) == 1 and len(labels) > 1 else None

    def measures(self, names: Sequence[str]) -> tuple[LabelMeasures, ...]:
        """Return the measures of each label, which go by ``names``."""
        columns = list(zip(*self.rows, strict=True))
        return tuple(
            LabelMeasures(name, sum(row), sum(columns[n]), row[n])
            for n, (name, row) in enumerate(zip(names, self.rows, strict=True))
        )

    def to_plain(self) -> dict[str, Any]:
        """Return plain values for JSON: four counts of two labels, the rows of more."""
        if len(self.rows) > 2:
            return {"rows": [list(row) for row in self.rows]}
        names = ("true_negative", "false_positive", "false_negative", "true_positive")
        return {name: getattr(self, name) for name in names}
