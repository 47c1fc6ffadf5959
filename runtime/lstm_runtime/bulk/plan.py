"""What a bulk run will read and write, looked at before its first answer."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lstm_runtime.errors import InputError
from lstm_runtime.tables.base import Columns, Table
from lstm_runtime.tables.dialect import Dialect
from lstm_runtime.tables.folder import read_folder
from lstm_runtime.tables.formats import check_output, open_table
from lstm_runtime.tables.packing import is_packed, table_suffix


@dataclass(frozen=True)
class Task:
    """One file to score."""

    source: Path
    "The file."
    output: Path
    "The file to write."
    table: Table
    "Its rows."

    @property
    def journal(self) -> Path:
        """Where its answers are put down first."""
        return self.output.with_name(f".{self.output.name}.journal")

    @property
    def partial(self) -> Path:
        """Where the output is written; no random name, so that a killed run leaves one file."""
        return self.output.with_name(f".partial.{self.output.name}")


@dataclass(frozen=True)
class Plan:
    """All files of a run."""

    tasks: tuple[Task, ...]
    "Files to score, in order."
    skipped: tuple[Path, ...]
    "What else is in the folder."
    lock: Path
    "The file that the run holds."


def make_plan(
    source: Path, output: Path, columns: Columns, dialect: Dialect, *, recursive: bool = False
) -> Plan:
    """Look at every file that will be read and written.

    Raises:
        InputError: when one cannot be read or lacks a column, or an output makes no sense or
            finds no room.
        MissingExtraError: when a format needs a library that is not installed.

    """
    if source.is_dir():
        if source.resolve() == output.resolve():
            raise InputError(f"{output}: the output would overwrite the input")
        if output.exists() and not output.is_dir():
            raise InputError(f"{output} is a file: the answers of a folder go into a folder")
        folder = read_folder(source, recursive=recursive, apart=output)
        pairs = [(path, output / path.relative_to(source)) for path in folder.tables]
        skipped, lock = folder.skipped, output / ".lstm-run.lock"
    else:
        if not output.name:  # the folder it is run in, or the root
            raise InputError(f"{output} is a folder: name the file to write")
        pairs, skipped = [(source, output)], ()
        lock = output.with_name(f".{output.name}.lock")
    for one, other in pairs:
        check_output(one, other)
        if other.is_dir():
            raise InputError(f"{other} is a folder: name the file to write")
    tasks = tuple(Task(one, other, open_table(one, columns, dialect)) for one, other in pairs)
    for task in tasks:
        task.table.check(task.output)
    _check_room(tasks)
    return Plan(tasks, skipped, lock)


def _check_room(tasks: Sequence[Task]) -> None:
    """Refuse outputs that are longer than the room there is: text that stays text grows."""
    kept = [task for task in tasks if not (_packs(task.source) or _packs(task.output))]
    needed = sum(task.source.stat().st_size for task in kept)
    place = next(folder for folder in tasks[0].output.absolute().parents if folder.exists())
    free = shutil.disk_usage(place).free
    if needed > free:
        raise InputError(
            f"{place} has room for {free / 1e6:,.1f} MB, and the answers take {needed / 1e6:,.1f} "
            "MB at least"
        )


def _packs(path: Path) -> bool:
    return is_packed(path) or table_suffix(path) == ".parquet"
