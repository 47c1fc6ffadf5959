"""The class that ``--module`` names: imported from a file or a package, and built."""

import contextlib
import importlib
import importlib.util
import inspect
import io
import sys
from collections.abc import Callable, Iterator, Mapping
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
    found = import_object("--module", name, "class")
    if arguments is None:
        arguments = _named_by(found, hyperparameters or {})
    try:
        made = found(**arguments)
    except SystemExit as error:
        raise UnsupportedModelError(
            f"--module {name} ends the program when it is built, as one does that reads a command "
            "line: give its arguments with --init"
        ) from error
    except Exception as error:
        raise UnsupportedModelError(
            f"--module {name} cannot be built: {type(error).__name__}: {error} (--init gives the "
            "arguments of its constructor)"
        ) from error
    if not isinstance(made, nn.Module):
        raise UnsupportedModelError(f"--module {name} is a {type(made).__name__}, not a module")
    return made


def import_object(option: str, name: str, kind: str) -> Callable[..., Any]:
    """Import what an option names as ``package.file:NAME`` or ``FILE.py:NAME``.

    Args:
        option: the option, for errors.
        name: where it is, and its name behind a colon.
        kind: what it is, for errors.

    Raises:
        UnsupportedModelError: when there is no such thing.

    """
    where, _, own_name = name.rpartition(":")
    if not where or not own_name:
        form = kind.capitalize()
        raise UnsupportedModelError(
            f"{option} {name}: give FILE.py:{form} or package.module:{form}"
        )
    found = getattr(_imported(option, where), own_name, None)
    if not callable(found):
        raise UnsupportedModelError(f"{option} {name}: {where} has no {kind} {own_name}")
    return found  # type: ignore[no-any-return]


def _imported(option: str, where: str) -> ModuleType:
    """Import a file or a module; a script that does more than define things is named as such."""
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            return _import_file(Path(where)) if where.endswith(".py") else _import_name(where)
    except SystemExit as error:
        words = said.getvalue().strip().splitlines()
        reason = f": {words[-1]}" if words else ""
        raise UnsupportedModelError(
            f"{option} {where} ends the program when it is imported{reason}: it is a script that "
            'reads its command line; put that behind if __name__ == "__main__", or what is named '
            "into a file of its own"
        ) from error
    except Exception as error:
        raise UnsupportedModelError(
            f"{option} {where} cannot be built, as its import fails: {type(error).__name__}: "
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
