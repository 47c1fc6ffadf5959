"""Labelled texts in the sense of a model's own labels."""

from dataclasses import replace

from lstm_training.data.examples import Examples
from lstm_training.data.scheme import LabelScheme
from lstm_training.data.sources import load_examples
from lstm_training.data.tables import Columns
from lstm_training.errors import DataError

from lstm_export.checkpoint.label_sets import load_label_sets
from lstm_export.checkpoint.source import Source


def load_labelled(
    source: Source,
    data: str,
    columns: Columns | None = None,
    values: tuple[tuple[str, str], ...] = (),
) -> Examples:
    """Read labelled texts whose labels are the model's.

    Args:
        source: the model; of two labels, 0/1, neg/pos and the like are accepted besides. One that
            has a sigmoid for each of several labels reads several labels a text.
        data: where the texts come from, as `lstm_training.load_examples` takes it.
        columns: the text and the label column of a table.
        values: which values of the label column mean which label; as they are when left out.

    Raises:
        DataError: when the texts are missing or malformed, or have other labels.

    """
    names = source.label_names
    if source.network.activation == "sigmoid" and source.network.classes > 1:
        if values:
            raise DataError("--label-map is for texts with one label; this model gives several")
        return load_label_sets(data, columns, names)
    scheme = LabelScheme(names, values=values) if values else LabelScheme(others=names)
    examples = load_examples(data, columns, scheme, measuring=True)
    places = scheme.places_in(names)
    return replace(examples, labels=tuple(places[n] for n in examples.labels), label_names=names)
