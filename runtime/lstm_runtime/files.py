"""Files that are either complete or absent, whatever stops the program."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

_NEW = (
    os.O_WRONLY
    | os.O_CREAT
    | os.O_EXCL
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)


def create(path: Path, mode: int = 0o666) -> BinaryIO:
    """Create a file and open it for writing; no link is followed.

    Args:
        path: where nothing may be yet.
        mode: permissions; those in the process's umask are left out, as everywhere.

    Raises:
        FileExistsError: when there is something, a broken link too.

    """
    return os.fdopen(os.open(path, _NEW, mode), "wb")


def mode_of(path: Path) -> int:
    """Return the permissions to read and write that a file has."""
    return path.stat().st_mode & 0o666


@contextmanager
def errors_naming(path: Path, standing_in: Path | None = None) -> Iterator[None]:
    """Let errors of the operating system in the block name a file: a full disk names none.

    Args:
        path: the file.
        standing_in: another that is written in its place, and means nothing to anybody.

    """
    try:
        yield
    except OSError as error:
        if error.filename in {None, "", standing_in and str(standing_in), standing_in}:
            error.filename = str(path)
        raise


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        file = next((path for path in (folder, *folder.parents) if path.is_file()), folder)
        told = "is a file, not a folder"
        raise NotADirectoryError(errno.ENOTDIR, told, str(file)) from error


@contextmanager
def parents_of(path: Path) -> Iterator[None]:
    """Make the folders that ``path`` needs; when the block raises, remove those left empty."""
    missing = [folder for folder in path.parents if not folder.exists()]
    try:
        _make(path.parent)
        yield
    except BaseException:
        for folder in missing:
            with suppress(OSError):
                folder.rmdir()
        raise


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; rename it to ``path`` when the block succeeds.

    When the block raises (a full disk, Ctrl-C), the temporary file is removed and whatever
    stood under ``path`` before is untouched. The parent folder is made when it is missing. Errors
    of the operating system that name no file, or the temporary one, name ``path``.
    """
    temporary = path.with_name(f".{path.stem}-{os.urandom(4).hex()}{path.suffix}")
    with errors_naming(path, temporary), parents_of(path):
        create(temporary).close()
        try:
            yield temporary
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
