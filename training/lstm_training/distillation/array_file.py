"""Arrays in an ``.npz`` file, written in one piece and read as data alone."""

import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from lstm_runtime.files import atomic_path

from lstm_training.errors import ConfigError

_DAMAGED = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error)


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays by name.

    Raises:
        OSError: when they cannot be written, as on a full disk; nothing is left half-written.

    """
    with atomic_path(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name, array in arrays.items():
            # A fixed time: equal arrays make equal files.
            entry = zipfile.ZipInfo(f"{name}.npy")
            entry.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(entry, "w") as file:
                np.lib.format.write_array(file, array, allow_pickle=False)


def read_arrays(setting: str, path: Path) -> dict[str, np.ndarray]:
    """Read the arrays of a file by name; nothing in it is run.

    Raises:
        ConfigError: when the file is missing or damaged; names the ``setting`` that asks for it.

    """
    try:
        with path.open("rb") as file, np.lib.npyio.NpzFile(file, allow_pickle=False) as content:
            return {name: content[name] for name in content.files}
    except FileNotFoundError as error:
        raise ConfigError(f"{setting}: there is no file {path}") from error
    except _DAMAGED as error:
        raise ConfigError(f"{setting}: {path} is damaged, or of another kind: {error}") from error
