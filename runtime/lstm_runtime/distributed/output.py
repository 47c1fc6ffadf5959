"""The folder that a job writes: what was asked for, the parts, and in the end a manifest."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from lstm_runtime.distributed.places import Place
from lstm_runtime.errors import InputError

MANIFEST = "manifest.json"
"""The list of parts; written last, so that a folder with it is complete."""

_SUBJECT = "_job.json"

_COUNTS = "_counts"
"""A folder with what is in each part; removed with the manifest written."""

_AT_ONCE = 32
"""Small files that are read at a time: from a store each takes some ten milliseconds."""


@dataclass(frozen=True)
class Part:
    """A part file."""

    name: str
    "Its name within the folder."
    bytes: int
    "Its size."
    rows: int
    "Rows in it."
    bad: int
    "Rows without an answer."
    unknown: int
    "Rows whose text holds no word that the model knows."
    problems: list[str]
    "Its first bad rows, each with its place and why it is bad."


def counts_path(folder: str, part: str) -> str:
    """Return where it is written down what is in a part."""
    return f"{folder}/{_COUNTS}/{part}.json"


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
        self.place.filesystem.create_dir(self._counts.path)
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
            if not keep or not self._part_infos():
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

    def parts(self) -> list[Part]:
        """Return the parts that are there, each with what was written down when it was written."""

        def part(info: Any) -> Part:
            counts = Place(self.place.filesystem, counts_path(self.place.path, info.base_name))
            return Part(info.base_name, info.size, **json.loads(counts.read()))

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return list(pool.map(part, self._part_infos()))

    def _part_infos(self) -> list[Any]:
        found = self.place.files()
        return [i for i in found if i.base_name[0] not in "._" and i.base_name != MANIFEST]

    @property
    def _counts(self) -> Place:
        return self.place.child(_COUNTS)

    def finish(self, parts: list[Part], report: dict[str, Any]) -> None:
        """Write the manifest, and remove what only an interrupted run needs."""
        listed = [vars(part) for part in parts]
        manifest = json.dumps({**report, "parts": listed}, indent=1)
        self.place.child(MANIFEST).write(manifest.encode() + b"\n")
        for folder in (self.checkpoint, self._counts):
            if folder.exists():
                folder.filesystem.delete_dir(folder.path)
