"""The journal of a bulk run: the answers so far, safe from kill -9.

The first line says what is being scored with what; each further line is the answer of one row, in
order, with a checksum. Whatever is cut off by a kill is a last line without its end, which is
dropped on resuming, as a damaged one is: the rows before it are never scored again, and those
behind it are.
"""

import json
import time
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from lstm_runtime.errors import InputError
from lstm_runtime.files import create
from lstm_runtime.tables.base import RowResult

_FLUSH_SECONDS = 0.5


class Journal:
    """Answers on disk; a context manager that leaves the file closed.

    Args:
        path: the journal's file.
        subject: what decides the answers: input, model, settings.
        resume: go on where an earlier journal of the same subject ends, if there is one.
        mode: permissions of the file.

    Raises:
        InputError: when there is a journal and ``resume`` is not asked for, or it is about
            something else.

    """

    def __init__(
        self, path: Path, subject: Mapping[str, Any], *, resume: bool, mode: int = 0o666
    ) -> None:
        self.path = path
        self.rows = 0
        "Answers that are safe."
        if path.exists():
            if not resume:
                raise InputError(
                    f"{path} is the journal of an interrupted run: add --resume to go on with it, "
                    "or --restart to begin anew"
                )
            self._file = self._reopen(subject)
        else:
            self._file = create(path, mode)
            self._file.write(_line(dict(subject)))
            self._file.flush()  # a full disk ends the run here, and not in an hour
        self._flushed = time.monotonic()

    def __enter__(self) -> "Journal":
        """Return the journal."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Write out what is buffered; an error before the first answer leaves no journal."""
        self._file.close()
        if error is not None and not self.rows:
            self.path.unlink()

    def append(self, answer: RowResult) -> None:
        """Add the next row's answer; twice a second what there is reaches the disk."""
        values = [answer.label, answer.score, answer.known]
        self._file.write(_line([*values, _checksum(values)]))
        self.rows += 1
        now = time.monotonic()
        if now - self._flushed > _FLUSH_SECONDS:
            self._file.flush()
            self._flushed = now

    def answers(self) -> Iterator[RowResult]:
        """Yield all answers from the first row on."""
        self._file.flush()
        with self.path.open("rb") as file:
            next(file)
            yield from filter(None, map(_answer, file))  # `_reopen` cut off what is none

    def _reopen(self, subject: Mapping[str, Any]) -> BinaryIO:
        """Check the first line, count the complete answers and cut off the rest."""
        if self.path.is_symlink():
            raise InputError(f"{self.path} is a link and no journal: remove it")
        file = self.path.open("r+b")
        found = _value(file.readline())
        if found is None:
            # Killed while the very first line was written.
            file.seek(0)
            file.write(_line(dict(subject)))
        elif found != subject:
            file.close()
            other = sorted(
                k for k in subject if not isinstance(found, dict) or found.get(k) != subject[k]
            )
            raise InputError(
                f"{self.path} belongs to a run with another {', '.join(other)}: add --restart to "
                "begin anew"
            )
        end = file.tell()
        for line in file:
            if _answer(line) is None:
                break
            end += len(line)
            self.rows += 1
        file.seek(end)
        file.truncate()
        return file


def _line(value: Any) -> bytes:
    return json.dumps(value).encode() + b"\n"


def _checksum(values: list[Any]) -> int:
    return zlib.crc32(_line(values))


def _value(line: bytes) -> Any:
    """Return the value of a complete line; None for one that was cut off or damaged."""
    if not line.endswith(b"\n"):
        return None
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _answer(line: bytes) -> RowResult | None:
    """Return the answer of a row; None for a line that holds none."""
    found = _value(line)
    if not isinstance(found, list) or len(found) != len(RowResult._fields) + 1:
        return None
    *values, checksum = found
    return RowResult(*values) if checksum == _checksum(values) else None
