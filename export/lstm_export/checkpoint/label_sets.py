"""Labelled texts of which each may have several labels, or none."""

import json
import re
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np
from lstm_runtime.errors import shown
from lstm_training.data.examples import Examples
from lstm_training.data.labels import plain_label
from lstm_training.data.scheme import LabelledRow, LabelScheme
from lstm_training.data.sources import load_examples
from lstm_training.data.tables import Columns
from lstm_training.errors import DataError
from numpy.typing import NDArray

_BETWEEN = re.compile(r"\s*[,;|]\s*")
"""What parts the names of a text's labels in one cell."""


@dataclass(frozen=True)
class LabelSets(Examples):
    """Examples whose label is a sum of bits: bit n is set where the text has label n."""


@dataclass(frozen=True)
class LabelSetScheme(LabelScheme):
    """How a column is read that holds several labels: names in a list or joined by commas."""

    def parse(self, row: LabelledRow) -> int:
        """Return the labels of ``row``, bit by bit; nothing at all means none of them.

        Raises:
            DataError: names the row and the label that is unknown.

        """
        places = {plain_label(name): n for n, name in enumerate(self.label_names)}
        given = _listed(row.label)
        if len(given) == len(places) and all(plain_label(bit) in {"0", "1"} for bit in given):
            return sum(1 << n for n, bit in enumerate(given) if plain_label(bit) == "1")
        unknown = [name for name in given if plain_label(name) not in places]
        if unknown:
            raise DataError(
                f"{row.where}: unknown label {shown(unknown[0])}; the model's are "
                f"{', '.join(self.label_names)}"
            )
        return sum(1 << n for n in {places[plain_label(name)] for name in given})


def _listed(cell: object) -> list[object]:
    if isinstance(cell, str) and cell.lstrip().startswith("["):
        with suppress(json.JSONDecodeError):
            cell = json.loads(cell)
    if cell is None or isinstance(cell, list | tuple | np.ndarray):
        return list(cell or ())
    return [name for name in _BETWEEN.split(str(cell).strip()) if name]


def load_label_sets(data: str, columns: Columns | None, names: tuple[str, ...]) -> LabelSets:
    """Read texts with the labels ``names``, of which each may have several.

    They stand in one column, in a list or joined by commas, or each label has a column of its own
    with 0 and 1.

    Raises:
        DataError: when the texts are missing or malformed, or have other labels.

    """
    columns = columns or Columns()
    try:
        return _as_sets(load_examples(data, columns, LabelSetScheme(names), measuring=True))
    except DataError as error:
        if f"no column {columns.label!r}" not in str(error):
            raise
    parts = [
        load_examples(data, replace(columns, label=name), LabelScheme(), measuring=True)
        for name in names
    ]
    rows = zip(*(part.labels for part in parts), strict=True)
    labels = tuple(sum(bit << n for n, bit in enumerate(row)) for row in rows)
    return _as_sets(replace(parts[0], labels=labels, label_names=names))


def _as_sets(examples: Examples) -> LabelSets:
    return LabelSets(examples.name, examples.texts, examples.labels, examples.label_names)


def label_matrix(examples: Examples, classes: int) -> NDArray[np.int64]:
    """Return ``[texts, classes]``: 1 where a text has a label."""
    labels, places = examples.labels, np.arange(classes)
    if not isinstance(examples, LabelSets):
        return np.asarray(np.array(labels)[:, np.newaxis] == places, np.int64)
    return np.array([[label >> n & 1 for n in range(classes)] for label in labels], np.int64)
