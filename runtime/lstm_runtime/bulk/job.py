"""Bulk scoring: files of texts in, the same files with labels and scores out.

First every answer goes into a journal, then the finished file is written in one pass and renamed
into place: an output file is complete or absent, and a killed run goes on where its journal ends.
"""

import hashlib
import os
import sys
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from lstm_runtime.bulk.journal import Journal
from lstm_runtime.bulk.progress_bar import ProgressBar
from lstm_runtime.errors import InputError
from lstm_runtime.model import SentimentModel
from lstm_runtime.tables.base import Columns, RowResult, Table, TextRow
from lstm_runtime.tables.formats import open_table, table_pairs

_BAD = RowResult(None, None)


@dataclass(frozen=True)
class BulkJob:
    """What to score, and how."""

    source: Path
    "A file, or a folder of files: text, CSV, TSV, JSON Lines, Parquet."
    output: Path
    "The file to write, or the folder to write files of the same names to."
    text_column: str = "text"
    "The column with the texts."
    prefix: str = ""
    "Put before the names of the added columns, ``label`` and ``score``."
    on_error: Literal["stop", "keep"] = "stop"
    "What a bad row does: stop the run, or go out without an answer."
    resume: bool = False
    "Whether to go on where an interrupted run stopped."
    max_tokens: int | None = None
    "Read only the last so many tokens of each text; None for all."
    batch_size: int | None = None
    "See `SentimentModel.score_many`."


@dataclass(frozen=True)
class BulkReport:
    """What a bulk run did."""

    files: int
    "Files written."
    rows: int
    "Rows in them."
    bad: int
    "Rows without an answer."
    resumed: int
    "Rows whose answer an earlier run had found."
    seconds: float
    "Time that this run took."


def run_bulk(model: SentimentModel, job: BulkJob) -> BulkReport:
    """Score files; all cores, bounded memory, progress on a terminal's stderr.

    Raises:
        InputError: names the file, line or row that cannot be scored; with ``on_error="keep"``
            only where the file as a whole cannot be read. Answers found so far are kept: mend the
            cause that is not in the input, and resume.
        MissingExtraError: when a format needs a library that is not installed.

    """
    started = time.monotonic()
    pairs = table_pairs(job.source, job.output)
    rows = bad = resumed = 0
    journals = []
    for source, output in pairs:
        table = open_table(source, Columns.to_score(job.text_column, job.prefix))
        path = output.with_name(f".{output.name}.journal")
        with Journal(path, _subject(model, job, source), resume=job.resume) as journal:
            resumed += journal.rows
            before = _stamp(source)
            _score(model, job, table, journal)
            if _stamp(source) != before:
                raise InputError(f"{source} was changed while it was scored: start anew")
            bad += _write(table, journal, output)
            rows += journal.rows
            journals.append(journal.path)
    # Only now: until the last file is there, a resumed run must not score the first ones again.
    for path in journals:
        path.unlink()
    return BulkReport(len(pairs), rows, bad, resumed, time.monotonic() - started)


def _score(model: SentimentModel, job: BulkJob, table: Table, journal: Journal) -> None:
    """Put the answers of all rows behind the journal's last into the journal."""
    progress = ProgressBar(sys.stderr, lambda: sum(1 for _ in table.rows()), journal.rows)
    try:
        rows = islice(table.rows(), journal.rows, None)
        for answer in answer_rows(model, rows, job.on_error, job.batch_size, job.max_tokens):
            journal.append(answer)
            progress.step()
    finally:
        progress.close()


def answer_rows(
    model: SentimentModel,
    rows: Iterator[TextRow],
    on_error: Literal["stop", "keep"],
    batch_size: int | None,
    max_tokens: int | None,
) -> Iterator[RowResult]:
    """Yield an answer for each row, in order.

    Raises:
        InputError: at a bad row, with ``on_error="stop"``; names it.

    """
    good: deque[bool] = deque()  # of the rows taken whose answer is still to come

    def texts() -> Iterator[str]:
        for row in rows:
            if row.problem and on_error == "stop":
                raise InputError(
                    f"{row.where}: {row.problem} (--on-error keep writes such rows without an "
                    "answer)"
                )
            good.append(not row.problem)
            if not row.problem:
                yield row.text

    for found in model.score_many(texts(), batch_size, max_tokens):
        while not good.popleft():
            yield _BAD
        yield RowResult(found.label, found.number)
    yield from (_BAD for _ in good)


def _write(table: Table, journal: Journal, output: Path) -> int:
    """Write the finished file; return how many rows have no answer."""
    bad = 0

    def counted() -> Iterator[RowResult]:
        nonlocal bad
        for answer in journal.answers():
            bad += answer.label is None
            yield answer

    # A name of its own, and not a random one: a killed run leaves one such file, not many.
    partial = output.with_name(f".partial.{output.name}")
    try:
        table.write(counted(), partial)
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.replace(output)
    finally:
        partial.unlink(missing_ok=True)
    return bad


def _subject(model: SentimentModel, job: BulkJob, source: Path) -> dict[str, Any]:
    """Return what decides the answers, for the journal's first line."""
    return {
        "input": _sha256(source),
        "model": _sha256(model.path),
        "provider": model.provider,
        # Its answers are the same on every instruction set, but not ONNX Runtime's own.
        "kernel": model.info.kernel is not None,
        "--text-column": job.text_column,
        "--max-tokens": job.max_tokens,
    }


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _stamp(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_size, found.st_mtime_ns
