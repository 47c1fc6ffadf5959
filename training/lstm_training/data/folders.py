"""Labelled texts as single files, the shape of the IMDB archive: train/pos/*.txt, train/neg/*.txt.

Archives are read, never extracted, so a hostile path in one has nothing to do harm with.
"""

import gzip
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Literal

from lstm_runtime.tables.lines import LONGEST

from lstm_training.data.scheme import LabelledRow
from lstm_training.errors import DataError

CLASSES = ("neg", "pos")
"""The folders of aclImdb, negative first."""

Part = Literal["train", "test"]
"""A part of aclImdb. The test part is for measuring only: nothing below a folder of that name is
read unless it is asked for."""

_TEST: Part = "test"


def read_folder(
    root: Path, classes: tuple[str, ...] = CLASSES, *, measuring: bool = False
) -> Iterator[LabelledRow]:
    """Yield the texts of ``root/train/{neg,pos}`` or, without a train folder, ``root/{neg,pos}``.

    Args:
        root: the folder.
        classes: names of the folders, which become the labels.
        measuring: whether ``root`` may be the test part.

    Raises:
        DataError: when there is no such folder, it is the test part, or a file is not UTF-8.

    """
    if root.resolve().name == _TEST and not measuring:
        raise DataError(f"{root} is the test part, which is kept for measuring: name its parent")
    base = root / "train" if (root / "train").is_dir() else root
    for name in classes:
        if not (base / name).is_dir():
            raise DataError(f"{base} has no folder {name!r}, where *.txt with that label should be")
        for file in sorted((base / name).glob("*.txt")):
            yield _row(str(file), file.read_bytes(), name)


def read_archive(
    path: Path, classes: tuple[str, ...] = CLASSES, part: Part = "train"
) -> Iterator[LabelledRow]:
    """Yield the texts of one part of a .tar.gz of such a folder, sorted by class and name.

    Args:
        path: the archive.
        classes: names of the folders, which become the labels.
        part: ``train``, or what is not in ``test`` where there is no train; or ``test``.

    Raises:
        DataError: when the archive is damaged or holds no such texts, or one is not UTF-8.

    """
    try:
        with gzip.open(path) as unpacked:
            with tarfile.open(fileobj=unpacked, mode="r|") as archive:
                found = dict(_members(archive, classes, part))
            while unpacked.read(1 << 20):  # to the end, where gzip's own checksum is
                pass
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{path} is not a complete .tar.gz archive: {error}") from error
    in_part = {name for name in found if name.parent.parent.name == part}
    for name in sorted(in_part or found, key=lambda name: (name.parent.name, name)):
        yield _row(f"{path}, {name}", found[name], name.parent.name)
    if not found:
        wanted = " or ".join(f"{name}/*.txt" for name in classes)
        raise DataError(f"{path} holds no {wanted}")


def _members(
    archive: tarfile.TarFile, classes: tuple[str, ...], part: Part
) -> Iterator[tuple[PurePosixPath, bytes]]:
    """Yield name and content of every labelled text in the test part, or else outside of it."""
    for member in archive:
        name = PurePosixPath(member.name)
        labelled = name.parent.name in classes and name.suffix == ".txt"
        if labelled and (_TEST in name.parts) == (part == _TEST) and member.isreg():
            if member.size > LONGEST:
                raise DataError(f"{name}: a text of more than {LONGEST:,} bytes")
            content = archive.extractfile(member)
            if content is not None:
                yield name, content.read()


def _row(where: str, content: bytes, folder: str) -> LabelledRow:
    try:
        return LabelledRow(where, content.decode(), folder)
    except UnicodeDecodeError as error:
        raise DataError(f"{where}: not UTF-8 ({error.reason} at byte {error.start})") from error
