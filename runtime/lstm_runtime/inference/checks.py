"""Checks of arguments that texts are scored with."""

from operator import index
from typing import Any, SupportsIndex

from lstm_runtime.errors import InputError, shown


def require_text(text: Any, name: str = "a text") -> None:
    """Check that a text is one.

    Raises:
        InputError: when it is not a str.

    """
    if not isinstance(text, str):
        raise InputError(f"{name} must be a str, not {type(text).__name__}")


def require_count(name: str, value: Any) -> int | None:
    """Return a number that may be left out, one of NumPy's as Python's own.

    Raises:
        InputError: when it is no whole number, or less than 1.

    """
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, SupportsIndex) or index(value) < 1:
        raise InputError(f"{name} must be a whole number from 1, not {shown(value)}")
    return index(value)


def require_type(name: str, value: Any, kind: type) -> None:
    """Check an argument that may be left out.

    Raises:
        InputError: when it is of another type.

    """
    if value is not None and not isinstance(value, kind):
        raise InputError(f"{name} must be a {kind.__name__}, not {type(value).__name__}")
