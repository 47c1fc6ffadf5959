"""What a value of a label column means: which class, and whether the classes are ratings."""

import csv
import re
import shlex
import unicodedata
from collections.abc import Sequence
from itertools import pairwise

from lstm_training.errors import ConfigError

NEGATIVE = ("0", "negative", "neg", "false")
POSITIVE = ("1", "positive", "pos", "true")
USUAL = {**dict.fromkeys(NEGATIVE, 0), **dict.fromkeys(POSITIVE, 1)}
"""The values that need no naming, with their class."""

_WHOLE = re.compile(r"([+-]?\d+)\.0+")
_QUOTED = re.compile(r"'[^']*'|\"(?:[^\"]|\"\")*\"")
_HIDDEN = str.maketrans({",": "\ue000", "=": "\ue001"})
_SHOWN = str.maketrans({"\ue000": ",", "\ue001": "=", "\ue002": '"'})
"""Characters that part values, and what stands for them where they are in quotes."""


def plain_label(value: object) -> str:
    """Return a label as a lower-case word; spreadsheets and Parquet may have made 1 into 1.0.

    Accents that are characters of their own, as a Mac writes them, are put together (NFC).
    One that is missing, which pandas writes as no number, is the empty word.
    """
    if value is None or value != value:  # noqa: PLR0124 - as only no number does
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return _WHOLE.sub(r"\1", unicodedata.normalize("NFC", str(value)).strip().lower())


def split_names(text: str) -> tuple[str, ...]:
    """Return names joined by commas; one with a comma in it stands in double quotes, as in CSV.

    Raises:
        ConfigError: when it is no line of CSV.

    """
    try:
        rows = list(csv.reader([text], skipinitialspace=True))
    except csv.Error as error:
        raise ConfigError(f"{text!r}: {error}") from error
    return tuple(name.strip() for row in rows for name in row)


def parse_names(text: str) -> tuple[str, ...]:
    """Read label names as `split_names` does, two at least and all different.

    Raises:
        ConfigError: when they are not.

    """
    names = split_names(text)
    if len(names) < 2 or not all(names) or len(set(map(plain_label, names))) < len(names):
        raise ConfigError("give two different values or more, such as bad,good")
    return names


def parse_label_map(text: str) -> tuple[tuple[str, str], ...]:
    """Read which values mean which label, as in ``1,2=negative 3=neutral 4,5=positive``.

    Names and values with blanks, commas or equals signs stand in quotes; a double quote within
    double quotes is written twice, as in CSV.

    Returns:
        Pairs of a value and its label's name, in their order.

    Raises:
        ConfigError: when a part is no ``VALUES=NAME``, a value stands twice, or there is one label.

    """
    try:
        parts = shlex.split(_QUOTED.sub(_hidden, text))
    except ValueError as error:
        raise ConfigError(f"{text!r}: {error}") from error
    pairs: dict[str, tuple[str, str]] = {}
    for part in parts:
        plain = part if "=" in part else part.translate(_SHOWN)  # quotes round a whole pair
        values, _, name = plain.partition("=")
        name = name.translate(_SHOWN)
        for value in (one.translate(_SHOWN) for one in values.split(",")):
            if not value.strip() or not name.strip():
                raise ConfigError(
                    f"{part.translate(_SHOWN)!r} is not VALUE[,VALUE…]=NAME; what holds blanks "
                    "stands in quotes, as in '\"not good\"=bad good=good'"
                )
            if plain_label(value) in pairs:
                raise ConfigError(f"the value {value.strip()!r} stands twice")
            pairs[plain_label(value)] = (value.strip(), name.strip())
    if len({plain_label(name) for _, name in pairs.values()}) < 2:
        raise ConfigError("name two labels or more, such as 1,2=bad 4,5=good")
    return tuple(pairs.values())


def _hidden(quoted: re.Match[str]) -> str:
    """Return a part in quotes with other characters for those that would part it."""
    mark, inner = quoted[0][0], quoted[0][1:-1]
    doubled = inner.replace('""', "\ue002") if mark == '"' else inner
    return f"{mark}{doubled.translate(_HIDDEN)}{mark}"


def ratings(names: Sequence[str]) -> tuple[float, ...] | None:
    """Return the numbers that three or more labels are, such as stars; None of other labels.

    They have to rise, since classes in their order are what an error can be measured along.
    """
    try:
        found = tuple(float(name) for name in names)
    except ValueError:
        return None
    rising = all(low < high for low, high in pairwise(found))
    return found if len(found) > 2 and rising else None
