"""The folder that a job writes: what was asked for, the parts, and in the end a manifest."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from lstm_runtime.distributed.places import Place, local_copy
from lstm_runtime.errors import InputError
from lstm_runtime.tables.base import Columns
from lstm_runtime.tables.formats import open_table

MANIFEST = "manifest.json"
"""The list of parts; written last, so that a folder with it is complete."""

_SUBJECT = "_job.json"


@dataclass(frozen=True)
class Part:
    """A part file."""

    name: str
    "Its name within the folder."
    rows: int
    "Rows in it."
    bad: int
    "Rows without an answer."
    bytes: int
    "Its size."


class OutputFolder:
    """The output of one job.

    Args:
        place: the folder.

    """

    def __init__(self, place: Place) -> None:
        self.place = place

    @property
    def checkpoint(self) -> Place:
        """The folder with the ids of finished rows: beside the output, not in it."""
        name = self.place.path.rpartition("/")[2]
        return self.place.sibling(f".{name}.checkpoint")

    def begin(self, subject: dict[str, Any], *, resume: bool) -> bool:
        """Write down what the job is about, or check that an interrupted one was about the same.

        Returns:
            Whether there is an interrupted job to go on with.

        Raises:
            InputError: when the folder is not empty and ``resume`` does not fit.

        """
        told = self.place.child(_SUBJECT)
        if told.exists():
            self._check(json.loads(told.read()), subject, resume=resume)
            return True
        if self.place.files():
            raise InputError(f"{self.place.path} is not empty: give another --output")
        told.write(json.dumps(subject).encode())
        return False

    def checkpointed_rows(self) -> int:
        """Return how many rows an interrupted run has finished.

        A checkpoint that is pending is of a part that is removed before the run goes on.
        """
        import pyarrow.parquet

        rows = 0
        for info in self.checkpoint.files():
            if not info.path.endswith(".pending.parquet"):
                with self.checkpoint.filesystem.open_input_file(info.path) as file:
                    rows += pyarrow.parquet.read_metadata(file).num_rows
        return rows

    @contextmanager
    def forgotten_on_error(self, *, keep: bool) -> Iterator[None]:
        """Remove the folder when the block raises, unless a later run can go on with it."""
        try:
            yield
        except BaseException:
            if not keep or not self.part_places():
                self.place.filesystem.delete_dir(self.place.path)
                if self.checkpoint.exists():
                    self.checkpoint.filesystem.delete_dir(self.checkpoint.path)
            raise

    def _check(self, found: dict[str, Any], subject: dict[str, Any], *, resume: bool) -> None:
        path = self.place.path
        if self.place.child(MANIFEST).exists():
            raise InputError(f"{path} is the output of a finished run: give another --output")
        if not resume:
            how = "add --resume to go on with it, or " if subject["--id-column"] else ""
            raise InputError(f"{path} is the output of an interrupted run: {how}remove the folder")
        other = sorted(name for name in subject if found.get(name) != subject[name])
        if other:
            raise InputError(
                f"{path} belongs to a run with another {', '.join(other)}: give another --output"
            )

    def part_places(self) -> list[Place]:
        """Return the parts that are there."""
        names = (info.base_name for info in self.place.files())
        return [self.place.child(n) for n in names if n[0] not in "._" and n != MANIFEST]

    def finish(self, parts: list[Part], report: dict[str, Any]) -> None:
        """Write the manifest, and remove what only an interrupted run needs."""
        listed = [vars(part) for part in parts]
        manifest = json.dumps({**report, "parts": listed}, indent=1)
        self.place.child(MANIFEST).write(manifest.encode() + b"\n")
        if self.checkpoint.exists():
            self.checkpoint.filesystem.delete_dir(self.checkpoint.path)


def count_part(place: Place, label: str) -> Part:
    """Count what is truly in a part.

    Raises:
        InputError: when it cannot be read.

    """
    name = place.path.rpartition("/")[2]
    with local_copy(place) as path:
        if name.endswith(".parquet"):
            rows, bad = _count_parquet(path, label)
        else:
            found = [not row.text for row in open_table(path, Columns(label)).rows()]
            rows, bad = len(found), sum(found)
        return Part(name, rows, bad, path.stat().st_size)


def _count_parquet(path: Any, label: str) -> tuple[int, int]:
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(path, columns=[label])
    return table.num_rows, table.column(label).null_count
