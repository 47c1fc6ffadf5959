"""How a table is written, where its name and its first bytes do not say."""

from dataclasses import dataclass
from typing import Literal

from lstm_runtime.errors import InputError

Quoting = Literal["csv", "none"]

_WORDS = {"tab": "\t", "\\t": "\t"}
_ESCAPE = "surrogateescape"


@dataclass(frozen=True)
class Dialect:
    """What to take for granted of a table; what is None is found out.

    Raises:
        InputError: for an encoding that there is not, or a delimiter that cannot be one.

    """

    encoding: str | None = None
    """Name of the encoding, as Python knows it; None for UTF-8. A byte order mark at the beginning
    (UTF-8, UTF-16, UTF-32) is believed first."""
    delimiter: str | None = None
    """One character between the fields of CSV and TSV, or ``tab``; None for a tab in TSV, and in
    CSV the comma, the semicolon or the tab with which the header has the wanted columns."""
    quoting: Quoting | None = None
    """``csv``: a field may stand in double quotes, and then hold anything; ``none``: a quote is a
    character like others. None for ``csv`` in CSV and ``none`` in TSV, which knows no quotes."""

    def __post_init__(self) -> None:
        """Check the values."""
        if self.encoding is not None:
            try:
                # Bytes that are no text pass by that, which not every codec can.
                "a\n".encode(self.encoding, _ESCAPE).decode(self.encoding, _ESCAPE)
            except (LookupError, UnicodeError) as error:
                raise InputError(f"there is no encoding {self.encoding!r}") from error
        delimiter = _WORDS.get(self.delimiter or "", self.delimiter)
        object.__setattr__(self, "delimiter", delimiter)
        if delimiter is not None and (len(delimiter) != 1 or delimiter in '"\r\n'):
            raise InputError(f"the delimiter is one character or the word tab, not {delimiter!r}")
