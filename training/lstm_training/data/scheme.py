"""How the label column is read: the labels' names, and which values mean which."""

from dataclasses import dataclass

from lstm_runtime.errors import shown

from lstm_training.data.labels import USUAL, parse_label_map, parse_names, plain_label
from lstm_training.errors import ConfigError, DataError

MOST_VALUES = 12
"""Values of a label column that a message names at most."""


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
        told = " or ".join(classes[:MOST_VALUES]) + (" …" if len(classes) > MOST_VALUES else "")
        raise DataError(
            f"{row.where}: unknown label {shown(row.label)}; accepted: {told} "
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


def read_scheme(labels: str | None, label_map: str | None) -> LabelScheme | None:
    """Return how labels are read; None for the usual ones.

    Args:
        labels: names joined by commas, see `parse_names`.
        label_map: which values mean which of them, see `parse_label_map`.

    Raises:
        ConfigError: when either makes no sense, or both do not fit each other.

    """
    if labels is None and label_map is None:
        return None
    names = None if labels is None else parse_names(labels)
    values = () if label_map is None else parse_label_map(label_map)
    try:
        return LabelScheme(names, values=values)
    except DataError as error:
        raise ConfigError(f"labels: {error}") from error
