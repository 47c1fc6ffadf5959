"""Bulk scoring: files of texts in, the same files with labels and scores out.

First every answer goes into a journal, then the finished file is written in one pass and renamed
into place: an output file is complete or absent, and a killed run goes on where its journal ends.
The journal counts rows, not bytes, so packed files resume as others do: what was answered is read
again, and not scored again.
"""

import hashlib
import os
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Literal

from lstm_runtime.bulk.answers import RowScorer
from lstm_runtime.bulk.journal import Journal
from lstm_runtime.bulk.plan import Task, make_plan
from lstm_runtime.bulk.progress_bar import ProgressBar
from lstm_runtime.bulk.report import BulkReport, Tally
from lstm_runtime.errors import InputError
from lstm_runtime.files import create, errors_naming, mode_of, parents_of
from lstm_runtime.model import SentimentModel
from lstm_runtime.run_lock import RunLock
from lstm_runtime.tables.base import Columns, RowResult
from lstm_runtime.tables.dialect import Dialect
from lstm_runtime.tables.formats import open_table
from lstm_runtime.tables.packing import table_suffix


@dataclass(frozen=True)
class BulkJob:
    """What to score, and how."""

    source: Path
    "A file, or a folder of files: text, CSV, TSV, JSON, JSON Lines, Parquet."
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
    dialect: Dialect = field(default_factory=Dialect)
    "Encoding, delimiter and quoting, where files do not show them."
    known: bool = False
    "Whether to add a third column, ``known``: the share of the text's words that the model knows."
    min_known: float | None = None
    "A text of which the model knows a smaller share of words is a bad row; None for any."
    recursive: bool = False
    "Whether to take the files in the folders of a folder too."
    restart: bool = False
    "Whether to throw away what an interrupted run has left, and begin anew."

    def columns_for(self, model: SentimentModel) -> Columns:
        """Return the columns to read, and those to add with the model's labels."""
        columns = Columns.to_score(self.text_column, self.prefix, known=self.known)
        return columns._replace(answers=model.metadata.labels)

    def scorer(self, model: SentimentModel) -> RowScorer:
        """Return what answers the rows."""
        keep = self.on_error == "keep"
        return RowScorer(model, keep, self.max_tokens, self.min_known, self.batch_size)


def run_bulk(model: SentimentModel, job: BulkJob) -> BulkReport:
    """Score files; all cores, bounded memory, progress on a terminal's stderr.

    All files are looked at before the first row is scored. While it works, the run holds a lock
    beside the output, so that no other writes there.

    Raises:
        InputError: names the file, line or row that cannot be scored; with ``on_error="keep"``
            only where the file as a whole cannot be read. Or names the process that is writing
            the same output. Answers found so far are kept: mend the cause that is not in the
            input, and resume.
        MissingExtraError: when a format needs a library that is not installed.

    """
    started = time.monotonic()
    columns = job.columns_for(model)
    plan = make_plan(job.source, job.output, columns, job.dialect, recursive=job.recursive)
    tally = Tally()
    same = _subject(model, job)
    with ExitStack() as stack:
        stack.enter_context(parents_of(plan.lock))
        lock = stack.enter_context(RunLock(plan.lock, job.output))
        for task in plan.tasks:
            stack.enter_context(parents_of(task.output))
            if job.restart:
                task.journal.unlink(missing_ok=True)
            subject, mode = {"input": _sha256(task.source), **same}, mode_of(task.source)
            with (
                errors_naming(task.output),
                Journal(task.journal, subject, resume=job.resume, mode=mode | 0o600) as journal,
            ):
                tally.resumed += journal.rows
                before = _stamp(task.source)
                _score(job.scorer(model), task, journal, lock, tally)
                if _stamp(task.source) != before:
                    raise InputError(f"{task.source} was changed while it was scored: start anew")
                _write(task, journal, lock, tally, mode)
        # Only now: until the last file is there, a resumed run must not score the first ones again.
        for task in plan.tasks:
            task.journal.unlink()
    seconds = time.monotonic() - started
    return tally.report(len(plan.tasks), seconds, tuple(str(path) for path in plan.skipped))


def write_bulk(model: SentimentModel, job: BulkJob, file: BinaryIO) -> BulkReport:
    """Score one file and write it into ``file`` as rows are answered; ``job.output`` is ignored.

    Raises:
        InputError: as `run_bulk`, but nothing is kept; or when the source is a folder.

    """
    started = time.monotonic()
    if job.source.is_dir():
        raise InputError(f"{job.source} is a folder: its answers go into a folder")
    if table_suffix(job.source) == ".parquet":
        raise InputError(f"{job.source}: Parquet goes into a file: name it with --output")
    table = open_table(job.source, job.columns_for(model), job.dialect)
    table.check()
    tally = Tally()

    def results() -> Iterator[RowResult]:
        for result, problem in job.scorer(model).answers(table.rows()):
            tally.count(result)
            tally.remember(problem)
            yield result

    # A name that packs nothing: who reads standard output wants to read it.
    table.write(results(), file, Path(f"-{table_suffix(job.source)}"))
    return tally.report(1, time.monotonic() - started)


def _score(scorer: RowScorer, task: Task, journal: Journal, lock: RunLock, tally: Tally) -> None:
    """Put the answers of all rows behind the journal's last into the journal."""
    rows = task.table.rows
    source = rows()
    if sum(1 for _ in islice(source, journal.rows)) < journal.rows:
        raise InputError(f"{task.journal} has more answers than there are rows: add --restart")
    progress = ProgressBar(sys.stderr, lambda: sum(1 for _ in rows()), journal.rows)
    try:
        for result, problem in scorer.answers(source):
            journal.append(result)
            lock.renew()
            tally.remember(problem)
            progress.step()
    finally:
        progress.close()


def _write(task: Task, journal: Journal, lock: RunLock, tally: Tally, mode: int) -> None:
    """Write the finished file."""

    def counted() -> Iterator[RowResult]:
        for result in journal.answers():
            tally.count(result)
            lock.renew()
            yield result

    partial = task.partial
    partial.unlink(missing_ok=True)  # of a run that was killed: this one holds the lock
    try:
        with create(partial, mode) as file:
            task.table.write(counted(), file, task.output)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(task.output)
    finally:
        partial.unlink(missing_ok=True)


def _subject(model: SentimentModel, job: BulkJob) -> dict[str, Any]:
    """Return what decides the answers beside the input, for the journal's first line."""
    return {
        "model": model.info.digest,  # of what was loaded, whatever lies at its path by now
        "provider": model.provider,
        # Its answers are the same on every instruction set, but not ONNX Runtime's own.
        "kernel": model.info.kernel is not None,
        "--text-column": job.text_column,
        "--max-tokens": job.max_tokens or model.max_tokens,
        "--min-known": job.min_known,
        "--encoding": job.dialect.encoding,
        "--delimiter": job.dialect.delimiter,
        "--quoting": job.dialect.quoting,
    }


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _stamp(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_size, found.st_mtime_ns
