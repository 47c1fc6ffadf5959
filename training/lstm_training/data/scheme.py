"""How labels are read, from the two settings that say so."""

from lstm_training.data.examples import LabelScheme
from lstm_training.data.labels import parse_label_map, parse_names
from lstm_training.errors import ConfigError, DataError


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
