"""Label names: they end up in terminals, pages and tables."""

import re
from collections.abc import Sequence

_LONGEST = 1000
_CONTROL = "[\0-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
"""What moves a cursor or turns the direction of writing, or is no character at all."""


def problem_of_labels(labels: Sequence[str]) -> str:
    """Say why a file cannot have ``labels``; '' where it can."""
    for label in labels:
        if len(label) > _LONGEST:
            return f"the label {label[:20]!r}… has more than {_LONGEST:,} characters"
        if not label.isprintable() and re.search(_CONTROL, label):
            return f"the label {label!r} has control characters"
    return "" if len(set(labels)) == len(labels) else "two labels are the same"
