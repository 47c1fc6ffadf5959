"""Which part of a text is read, and what short texts are filled up with."""

from dataclasses import dataclass
from typing import Literal, TypeVar, get_args

from lstm_runtime.errors import VocabularyError

End = Literal["first", "last"]
Side = Literal["left", "right"]
T = TypeVar("T")
_LARGEST = 2**20
"""Ids: each text is filled up to so many, in a list, so a file may not ask for any number."""


@dataclass(frozen=True)
class Window:
    """What a pipeline of fixed width makes of a text's ids: cut, then padded.

    Unknown words that are dropped are gone before it.

    Raises:
        VocabularyError: when a number is below 1 or a word is none of those allowed.

    """

    max_tokens: int | None = None
    "Ids that are kept; None for all."
    keep: End = "first"
    "Which of them."
    pad_to: int | None = None
    "Ids that every text has at least, by padding; None for no padding."
    pad_side: Side = "left"
    "Where the padding stands."

    def __post_init__(self) -> None:
        """Check the values."""
        for name, number in (("max_tokens", self.max_tokens), ("pad_to", self.pad_to)):
            if number is not None and (type(number) is not int or number < 1):
                raise VocabularyError(f"{name} is a whole number from 1, not {number!r}")
        if self.pad_to is not None and self.pad_to > _LARGEST:
            raise VocabularyError(f"pad_to is at most {_LARGEST:,}, and not {self.pad_to}")
        if self.keep not in get_args(End) or self.pad_side not in get_args(Side):
            raise VocabularyError(f"keep {self.keep!r}, pad on the {self.pad_side!r}: no such end")

    def cut(self, items: list[T]) -> list[T]:
        """Return the part of a text's ids, or of what stands for each of them, that is kept."""
        if self.max_tokens is None:
            return items
        return items[: self.max_tokens] if self.keep == "first" else items[-self.max_tokens :]

    def of(self, ids: list[int], pad: int) -> list[int]:
        """Return ``ids`` cut and padded."""
        ids = self.cut(ids)
        filling = [pad] * ((self.pad_to or 0) - len(ids))
        return filling + ids if self.pad_side == "left" else ids + filling


WHOLE = Window()
"""The whole text, without padding."""
