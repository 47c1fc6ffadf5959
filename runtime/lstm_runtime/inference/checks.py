"""Checks of arguments that texts are scored with."""

from typing import Any

from lstm_runtime.errors import InputError


def require_text(text: Any) -> None:
    """Check that a text is one.

    Raises:
        InputError: when it is not a str.

    """
    if not isinstance(text, str):
        raise InputError(f"a text must be a str, not {type(text).__name__}")


def require_count(name: str, value: int | None) -> None:
    """Check a number that may be left out.

    Raises:
        InputError: when it is less than 1.

    """
    if value is not None and value < 1:
        raise InputError(f"{name} must be 1 or more, not {value}")
