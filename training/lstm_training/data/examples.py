"""Labelled texts in memory, and the check of the rows that they come from."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

from lstm_runtime.errors import shown
from lstm_runtime.model_file.labels import problem_of_labels

from lstm_training.data.labels import plain_label
from lstm_training.data.scheme import MOST_VALUES, LabelledRow, LabelScheme
from lstm_training.errors import DataError


@runtime_checkable
class TextsOnDisk(Protocol):
    """Texts that are not in memory, and some of which can be had without being read."""

    identity: str
    "Names the texts and how they were read."

    def select(self, positions: Sequence[int]) -> Sequence[str]:
        """Return the texts at ``positions``, in that order."""
        ...


@dataclass(frozen=True)
class Examples:
    """Labelled texts, column by column.

    Raises:
        DataError: when there is no text or a column is shorter.

    """

    name: str
    "What the texts are called in messages and reports: a file's name or a data set's."
    texts: Sequence[str]
    "The texts: a tuple, or `TextsOnDisk`."
    labels: tuple[int, ...]
    "Their labels: 0, 1 and so on."
    label_names: tuple[str, ...] = ("negative", "positive")
    "What 0, 1 and so on mean; of two, the second is what a model's probability speaks of."

    def __post_init__(self) -> None:
        """Check that there is a text, that the columns belong together, and the labels' names."""
        # A file's name may be no UTF-8, which neither a checkpoint nor a report can hold.
        object.__setattr__(self, "name", self.name.encode("utf-8", "backslashreplace").decode())
        if not self.texts:
            raise DataError(f"{self.name} holds no text")
        if len(self.texts) != len(self.labels):
            raise DataError(
                f"{self.name} has {len(self.texts)} texts but {len(self.labels)} labels"
            )
        if problem := problem_of_labels(self.label_names):
            raise DataError(problem)  # now, and not when the trained model is exported

    def __len__(self) -> int:
        """Return the number of texts."""
        return len(self.texts)

    @property
    def counts(self) -> tuple[int, ...]:
        """How many texts each label has."""
        found = Counter(self.labels)
        return tuple(found[n] for n in range(len(self.label_names)))

    def require_for_each(self, folds: int) -> None:
        """Check that each label has a text for each of the folds.

        Raises:
            DataError: when one has fewer.

        """
        fewest = min(Counter(self.labels).values())
        if fewest < folds:
            raise DataError(f"{self.name}: a label has {fewest} texts, too few for {folds} folds")

    def select(self, positions: Iterable[int]) -> "Examples":
        """Return the examples at ``positions``, in that order."""
        chosen = list(positions)
        return replace(
            self,
            texts=self.texts.select(chosen)
            if isinstance(self.texts, TextsOnDisk)
            else tuple(self.texts[n] for n in chosen),
            labels=tuple(self.labels[n] for n in chosen),
        )

    def sha256(self) -> str:
        """Return a digest of every text, label and label name, in their order."""
        digest = hashlib.sha256(repr(self.label_names).encode())
        for text, label in zip(self.texts, self.labels, strict=True):
            # The length keeps neighbours apart; JSON may smuggle in lone surrogates.
            content = text.encode("utf-8", "surrogatepass")
            digest.update(b"%d %d " % (label, len(content)) + content)
        return digest.hexdigest()


def collect(name: str, rows: Iterable[LabelledRow], scheme: LabelScheme) -> Examples:
    """Check every row and return the rows as `Examples`.

    Raises:
        DataError: as `checked` does.

    """
    found = list(checked(rows, scheme))
    texts, labels = tuple(text for text, _ in found), tuple(label for _, label in found)
    return Examples(name, texts, labels, scheme.label_names)


def checked(rows: Iterable[LabelledRow], scheme: LabelScheme) -> Iterator[tuple[str, int]]:
    """Yield text and label of every row.

    An empty text is legal, since the model can read one; a missing text is not.

    Raises:
        DataError: names the first row that has no text or no known label, and what other labels
            there are.

    """
    values = Counter[str]()
    remaining = iter(rows)
    for row in remaining:
        if not isinstance(row.text, str):
            kind = "missing" if row.text is None else f"not a string but {shown(row.text)}"
            raise DataError(f"{row.where}: the text is {kind}")
        values[plain_label(row.label)] += 1
        try:
            label = scheme.parse(row)
        except DataError as error:
            told = _other_values(values, remaining) if plain_label(row.label) else ""
            raise DataError(f"{error}{told}") from error
        yield row.text, label


def _other_values(values: Counter[str], remaining: Iterator[LabelledRow]) -> str:
    """Say what the label column holds, so that its labels can be named at the second attempt."""
    with suppress(DataError):  # the first error is what is told
        for row in remaining:
            values[plain_label(row.label)] += 1
            if len(values) > MOST_VALUES:
                return (
                    f"; the column holds more than {MOST_VALUES} different values: is "
                    "--label-column the right one?"
                )
    told = ", ".join(f"{shown(value)} ({count:,})" for value, count in sorted(values.items()))
    return f"; the column holds {told}"
