"""The class that ``--module`` names: imported from a file or a package, and built."""

import contextlib
import importlib
import importlib.util
import inspect
import io
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from torch import nn

from lstm_export.errors import UnsupportedModelError


def build_module(
    name: str,
    arguments: Mapping[str, Any] | None = None,
    hyperparameters: Mapping[str, Any] | None = None,
) -> nn.Module:
    """Import ``package.file:Class`` or ``FILE.py:Class`` and build the class.

    Args:
        name: where the class is, and its name behind a colon.
        arguments: the constructor's keyword arguments; None for those of ``hyperparameters`` that
            the constructor names.
        hyperparameters: what the checkpoint says that its module was built with.

    Raises:
        UnsupportedModelError: when there is no such class, or it cannot be built so.

    """
    where, _, class_name = name.rpartition(":")
    if not where or not class_name:
        raise UnsupportedModelError(f"--module {name}: give FILE.py:Class or package.module:Class")
    found = getattr(_imported(where), class_name, None)
    if not callable(found):
        raise UnsupportedModelError(f"--module {name}: {where} has no class {class_name}")
    if arguments is None:
        arguments = _named_by(found, hyperparameters or {})
    try:
        made = found(**arguments)
    except Exception as error:
        raise UnsupportedModelError(
            f"--module {name} cannot be built: {type(error).__name__}: {error} (--init gives the "
            "arguments of its constructor)"
        ) from error
    if not isinstance(made, nn.Module):
        raise UnsupportedModelError(f"--module {name} is a {type(made).__name__}, not a module")
    return made


def _imported(where: str) -> ModuleType:
    """Import a file or a module; a script that does more than define things is named as such."""
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            return _import_file(Path(where)) if where.endswith(".py") else _import_name(where)
    except SystemExit as error:
        words = said.getvalue().strip().splitlines()
        reason = f": {words[-1]}" if words else ""
        raise UnsupportedModelError(
            f"--module {where} ends the program when it is imported{reason}: it is a script that "
            'reads its command line; put that behind if __name__ == "__main__", or the class into '
            "a file of its own"
        ) from error
    except Exception as error:
        raise UnsupportedModelError(
            f"--module {where} cannot be built, as its import fails: {type(error).__name__}: "
            f"{error}"
        ) from error


def _import_name(name: str) -> ModuleType:
    with _search_path(Path.cwd()):
        return importlib.import_module(name)


def _import_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    # Under a name of its own: a user's json.py must not take the place of another module.
    name = f"user_file_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # where dataclasses look their module up while the class is made
    with _search_path(path.resolve().parent):
        spec.loader.exec_module(module)
    return module


@contextlib.contextmanager
def _search_path(folder: Path) -> Iterator[None]:
    before = list(sys.path)
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path[:] = before


def _named_by(found: Any, hyperparameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the hyperparameters that the constructor takes by name."""
    try:
        names = inspect.signature(found).parameters
    except (TypeError, ValueError):
        return {}
    return {name: value for name, value in hyperparameters.items() if name in names}
