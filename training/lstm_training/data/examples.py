"""Labelled texts in memory, and what counts as a label."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from lstm_training.errors import DataError

_NEGATIVE = ("0", "negative", "neg", "false")
_POSITIVE = ("1", "positive", "pos", "true")


@dataclass(frozen=True)
class LabelledRow:
    """One labelled text as it stands in a file."""

    where: str
    "File and row, for messages."
    text: object
    "What the text column holds; only a string is valid."
    label: object
    "What the label column holds."


@dataclass(frozen=True)
class Examples:
    """Labelled texts, column by column.

    Raises:
        DataError: when there is no text or a column is shorter.

    """

    name: str
    "What the texts are called in messages and reports: a file's name or a data set's."
    texts: tuple[str, ...]
    "The texts."
    labels: tuple[int, ...]
    "Their labels: 0 or 1."
    label_names: tuple[str, str] = ("negative", "positive")
    "What 0 and 1 mean."

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

    def select(self, positions: Iterable[int]) -> "Examples":
        """Return the examples at ``positions``, in that order."""
        chosen = list(positions)
        return Examples(
            self.name,
            tuple(self.texts[n] for n in chosen),
            tuple(self.labels[n] for n in chosen),
            self.label_names,
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

    names: tuple[str, str] | None = None
    "The data's own two values, negative first; None accepts 0/1, neg/pos, false/true and the like."
    others: tuple[str, str] | None = None
    "Two more values to accept where `names` is None, negative first; known words keep their sense."

    @property
    def label_names(self) -> tuple[str, str]:
        """What 0 and 1 are called in the model."""
        return self.names or ("negative", "positive")

    def parse(self, row: LabelledRow) -> int:
        """Return the label of ``row`` as 0 or 1.

        Raises:
            DataError: when the label is missing or unknown; names the row.

        """
        if row.label is None or row.label == "":
            raise DataError(f"{row.where}: the label is missing")
        value = _plain(row.label)
        negative, positive = self._accepted()
        if value in negative:
            return 0
        if value in positive:
            return 1
        accepted = "/".join(negative) + " or " + "/".join(positive)
        raise DataError(
            f"{row.where}: unknown label {row.label!r:.40}; accepted: {accepted} "
            "(name your own two with --labels NEG,POS)"
        )

    def reverses(self, labels: tuple[str, str]) -> bool:
        """Tell whether the first of ``labels`` means 1 here and the second 0."""
        negative, positive = self._accepted()
        return _plain(labels[0]) in positive and _plain(labels[1]) in negative

    def _accepted(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        if self.names is not None:
            return (_plain(self.names[0]),), (_plain(self.names[1]),)
        others = tuple(map(_plain, self.others or ()))
        if not others or {*others} & {*_NEGATIVE, *_POSITIVE}:
            return _NEGATIVE, _POSITIVE
        return (*_NEGATIVE, others[0]), (*_POSITIVE, others[1])


def _plain(value: object) -> str:
    """Return a label as a lower-case word; spreadsheets and Parquet may have made 1 into 1.0."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip().lower()


def collect(name: str, rows: Iterable[LabelledRow], scheme: LabelScheme) -> Examples:
    """Check every row and return the rows as `Examples`.

    An empty text is legal, since the model can read one; a missing text is not.

    Raises:
        DataError: names the first row that has no text or no known label.

    """
    texts, labels = [], []
    for row in rows:
        if not isinstance(row.text, str):
            kind = "missing" if row.text is None else f"not a string but {row.text!r:.40}"
            raise DataError(f"{row.where}: the text is {kind}")
        texts.append(row.text)
        labels.append(scheme.parse(row))
    return Examples(name, tuple(texts), tuple(labels), scheme.label_names)
