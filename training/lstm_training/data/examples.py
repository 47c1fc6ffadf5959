"""Labelled texts in memory, and what counts as a label."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

from lstm_training.data.labels import USUAL, plain_label
from lstm_training.errors import DataError

_MOST_VALUES = 12
"""Values of a label column that a message names."""


@dataclass(frozen=True)
class LabelledRow:
    """One labelled text as it stands in a file."""

    where: str
    "File and row, for messages."
    text: object
    "What the text column holds; only a string is valid."
    label: object
    "What the label column holds."


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
        """Check that there is a text and that the columns belong together."""
        if not self.texts:
            raise DataError(f"{self.name} holds no text")
        if len(self.texts) != len(self.labels):
            raise DataError(
                f"{self.name} has {len(self.texts)} texts but {len(self.labels)} labels"
            )

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


@dataclass(frozen=True)
class LabelScheme:
    """How the label column is read."""

    names: tuple[str, ...] | None = None
    """The labels' names in their order, of two the negative first; they are the values of the
    column too, where ``values`` says nothing else. None accepts 0/1, neg/pos, false/true and the
    like."""
    others: tuple[str, ...] | None = None
    "The names that a model has for them, which are accepted where `names` is None."
    values: tuple[tuple[str, str], ...] = ()
    "Values of the column, each with the name that it means; `names` may then be left out."

    def __post_init__(self) -> None:
        """Check that every value means a label that there is.

        Raises:
            DataError: names the value that does not, or the label that none means.

        """
        known = set(map(plain_label, self.label_names))
        meant = {plain_label(name) for _, name in self.values}
        if self.values and meant != known:
            odd = ", ".join(sorted(meant ^ known))
            raise DataError(f"the labels and those that values are mapped to differ in: {odd}")

    @property
    def label_names(self) -> tuple[str, ...]:
        """What 0, 1 and so on are called in the model."""
        if self.names is not None:
            return self.names
        if self.values:
            names: dict[str, str] = {}
            for _, name in self.values:
                names.setdefault(plain_label(name), name)
            return tuple(names.values())
        others = self.others or ()
        return ("negative", "positive") if self._reads_usual else others

    @property
    def folders(self) -> tuple[str, ...] | None:
        """The names of the folders that texts lie in; None for the usual ones."""
        return tuple(value for value, _ in self.values) or self.names

    def parse(self, row: LabelledRow) -> int:
        """Return the label of ``row`` as 0, 1 and so on.

        Raises:
            DataError: when the label is missing or unknown; names the row.

        """
        if not plain_label(row.label):
            raise DataError(f"{row.where}: the label is missing")
        accepted = self._accepted()
        found = accepted.get(plain_label(row.label))
        if found is not None:
            return found
        classes = [
            "/".join(value for value, k in accepted.items() if k == n)
            for n in range(len(self.label_names))
        ]
        told = " or ".join(classes[:_MOST_VALUES]) + (" …" if len(classes) > _MOST_VALUES else "")
        raise DataError(
            f"{row.where}: unknown label {row.label!r:.40}; accepted: {told} "
            "(name your own with --labels, as in --labels NEG,POS, or map them with --label-map)"
        )

    def places_in(self, labels: tuple[str, ...]) -> tuple[int, ...]:
        """Return which of a model's ``labels`` each class here is.

        Names that they have in common decide; without any, the order in which they stand.
        """
        named = {plain_label(name): n for n, name in enumerate(self.label_names)}
        known = self._accepted() | named
        classes = [known.get(plain_label(label), -1) for label in labels]
        if sorted(classes) != list(range(len(labels))):
            return tuple(range(len(labels)))
        return tuple(classes.index(n) for n in range(len(labels)))

    def reverses(self, labels: tuple[str, ...]) -> bool:
        """Tell whether the first of two ``labels`` means 1 here and the second 0."""
        return self.places_in(labels) == (1, 0)

    @property
    def _reads_usual(self) -> bool:
        """Whether the usual values have their usual sense: not where a name takes one of them."""
        if self.names is not None or self.values:
            return False
        senses = [USUAL.get(plain_label(name)) for name in self.others or ()]
        return senses in ([], [None, None], [0, 1], [1, 0])

    def _accepted(self) -> dict[str, int]:
        """Return which values mean which class."""
        named = {plain_label(name): n for n, name in enumerate(self.label_names)}
        if self.values:
            return {plain_label(value): named[plain_label(name)] for value, name in self.values}
        if not self._reads_usual:
            return named
        others = {plain_label(name): n for n, name in enumerate(self.others or ())}
        return others | USUAL


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
            kind = "missing" if row.text is None else f"not a string but {row.text!r:.40}"
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
            if len(values) > _MOST_VALUES:
                return (
                    f"; the column holds more than {_MOST_VALUES} different values: is "
                    "--label-column the right one?"
                )
    told = ", ".join(f"{value!r:.40} ({count:,})" for value, count in sorted(values.items()))
    return f"; the column holds {told}"
