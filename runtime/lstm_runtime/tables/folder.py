"""The tables in a folder, and what else is there."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lstm_runtime.errors import InputError
from lstm_runtime.tables.formats import SUFFIXES, is_table


@dataclass(frozen=True)
class Folder:
    """What a folder holds; hidden files are not looked at."""

    tables: tuple[Path, ...]
    "Files that are tables by their names, sorted."
    skipped: tuple[Path, ...]
    "Other files, and folders that were not entered."


def read_folder(folder: Path, *, recursive: bool = False, apart: Path | None = None) -> Folder:
    """Return what a folder holds.

    Args:
        folder: the folder.
        recursive: whether to enter the folders in it.
        apart: a path that is left out with all that is in it: where the answers go.

    Raises:
        InputError: when no table is among it.

    """
    found = sorted(_walk(folder, recursive, None if apart is None else apart.resolve()))
    tables = tuple(path for path in found if path.is_file() and is_table(path))
    skipped = tuple(path for path in found if path not in set(tables))
    if not tables:
        inner = any(path.is_dir() for path in skipped)
        hint = "; --recursive looks into the folders in it" if inner else ""
        raise InputError(f"{folder} holds no {', '.join(SUFFIXES)} file{hint}")
    return Folder(tables, skipped)


def _walk(folder: Path, recursive: bool, apart: Path | None) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.name.startswith(".") or path.resolve() == apart:
            continue
        # A link to a folder may lead in a circle.
        if recursive and path.is_dir() and not path.is_symlink():
            yield from _walk(path, recursive, apart)
        else:
            yield path
