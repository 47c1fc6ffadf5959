"""Files and folders on any file system that Arrow knows, by path, glob or URI."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any

from lstm_runtime.errors import InputError
from lstm_runtime.tables.formats import SUFFIXES, is_table

_WILD = frozenset("*?[")

_SAID = 300
"""Characters of an error of Arrow that are told."""


@dataclass(frozen=True)
class Place:
    """A path on one of Arrow's file systems."""

    filesystem: Any
    "A ``pyarrow.fs.FileSystem``."
    path: str
    "The path within it."

    @property
    def is_local(self) -> bool:
        """Whether the path is one of this machine's own."""
        return str(self.filesystem.type_name) == "local"

    def child(self, name: str) -> "Place":
        """Return a place within this folder."""
        return Place(self.filesystem, f"{self.path}/{name}")

    def sibling(self, name: str) -> "Place":
        """Return a place beside this one."""
        return Place(self.filesystem, str(PurePosixPath(self.path).with_name(name)))

    def exists(self) -> bool:
        """Tell whether there is a file or a folder."""
        return bool(self._info().type)

    def size(self) -> int | None:
        """Return the bytes of a file; None for what is none."""
        info = self._info()
        return int(info.size) if info.is_file else None

    def read(self) -> bytes:
        """Return the bytes of the file."""
        with self.filesystem.open_input_stream(self.path) as file:
            return bytes(file.read())

    def write(self, data: bytes) -> None:
        """Write the file; on a local disk it is complete or absent."""
        self.filesystem.create_dir(str(PurePosixPath(self.path).parent), recursive=True)
        partial = f"{self.path}.partial" if self.is_local else self.path
        with self.filesystem.open_output_stream(partial) as file:
            file.write(data)
        if partial != self.path:
            self.filesystem.move(partial, self.path)

    def files(self, *, below: bool = False) -> list[Any]:
        """Return the files of the folder, with their sizes, in order; none where there is none."""
        return [info for info in self.entries(below=below) if info.is_file]

    def entries(self, *, below: bool = False) -> list[Any]:
        """Return what is in the folder, in order; nothing where there is none."""
        from pyarrow.fs import FileSelector

        selector = FileSelector(self.path, recursive=below, allow_not_found=True)
        return sorted(self.filesystem.get_file_info(selector), key=lambda info: info.path)

    def _info(self) -> Any:
        (info,) = self.filesystem.get_file_info([self.path])
        return info


def place_of(address: str) -> Place:
    """Return the place of a path or a URI.

    Raises:
        InputError: when Arrow knows no such file system.

    """
    import pyarrow
    from pyarrow.fs import FileSystem, LocalFileSystem

    if "://" not in address:
        return Place(LocalFileSystem(), str(Path(address).resolve()))
    try:
        filesystem, path = FileSystem.from_uri(address)
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        # Without Java, hdfs names every place where it was looked for.
        raise InputError(f"{address}: {error!s:.{_SAID}}") from error
    return Place(filesystem, path.rstrip("/"))


@dataclass(frozen=True)
class Source:
    """What an address stands for."""

    tables: list[tuple[Place, int]]
    "Its tables, and their sizes in bytes."
    skipped: tuple[str, ...] = ()
    "What else is in the folder; folders are not entered, and hidden files not looked at."


def read_source(address: str) -> Source:
    """Return the tables of a file, a folder, a glob or a URI.

    Raises:
        InputError: when there are none.

    """
    place = place_of(address)
    if (size := place.size()) is not None:
        if not is_table(Path(place.path)):
            raise InputError(f"{address}: no {', '.join(SUFFIXES)} file there")
        return Source([(place, size)])
    is_glob = _WILD & set(place.path) and not place.exists()
    found = _matching(place) if is_glob else place.entries()
    seen = [info for info in found if info.base_name[0] not in "._"]
    tables = [info for info in seen if info.is_file and is_table(Path(info.path))]
    if not tables:
        raise InputError(f"{address}: no {', '.join(SUFFIXES)} file there")
    return Source(
        [(Place(place.filesystem, info.path), info.size) for info in tables],
        tuple(info.path for info in seen if info not in tables),
    )


@contextmanager
def local_copy(place: Place) -> Iterator[Path]:
    """Yield a path on this machine's disk; a copy of a file that lies elsewhere."""
    if place.is_local:
        yield Path(place.path)
        return
    from pyarrow.fs import LocalFileSystem, copy_files

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / PurePosixPath(place.path).name
        copy_files(
            place.path,
            str(path),
            source_filesystem=place.filesystem,
            destination_filesystem=LocalFileSystem(),
        )
        yield path


def _matching(place: Place) -> list[Any]:
    """Return the files that match a glob; a star stands for anything within one name."""
    parts = PurePosixPath(place.path).parts
    first = next(n for n, part in enumerate(parts) if _WILD & set(part))
    base = Place(place.filesystem, str(PurePosixPath(*parts[:first])))

    def matches(path: str) -> bool:
        names = PurePosixPath(path).parts
        return len(names) == len(parts) and all(map(fnmatchcase, names, parts))

    return [info for info in base.files(below=True) if matches(info.path)]
