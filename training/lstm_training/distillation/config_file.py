"""A TOML file that says what is to be different from the defaults."""

import tomllib
from dataclasses import is_dataclass, replace
from pathlib import Path
from typing import Any, TypeVar, get_args, get_type_hints

from lstm_training.distillation.config import DistillationConfig
from lstm_training.errors import ConfigError

_Config = TypeVar("_Config")


def read_config(path: Path) -> DistillationConfig:
    """Return the default configuration with the values of a TOML file in place of its own.

    The file's tables and keys are named as the fields of `DistillationConfig`, so that
    ``[finetuning.optimization]`` with ``epochs = 2`` shortens the last training. What is not named
    stays.

    Raises:
        ConfigError: when the file is not TOML, or names a field that there is not, or gives one a
            value of another type.

    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not TOML: {error}") from error
    return _merged(DistillationConfig(), table, f"{path}: ")


def _merged(config: _Config, table: dict[str, Any], where: str) -> _Config:
    """Return ``config`` with the values of ``table``."""
    known = get_type_hints(type(config))
    changes = {}
    for name, value in table.items():
        if name not in known:
            raise ConfigError(f"{where}{name} is no setting; there are {', '.join(known)}")
        before = getattr(config, name)
        if not _fits(known[name], before, value):
            shown = list(before) if isinstance(before, tuple) else before
            raise ConfigError(f"{where}{name} is {value!r:.40}; a value like {shown!r} is wanted")
        changes[name] = _value(before, value, f"{where}{name}")
    return replace(config, **changes)  # type: ignore[type-var] # a dataclass


def _fits(hint: Any, before: Any, value: Any) -> bool:
    """Tell whether ``value`` is of the type that ``hint`` says; what a table holds comes later."""
    if is_dataclass(before):
        return True
    if isinstance(before, tuple):
        if not isinstance(value, list):
            return False
        kinds = list(get_args(hint))
        if kinds[-1] is Ellipsis:
            kinds = kinds[:1] * len(value)
        return [type(item) for item in value] == kinds
    wanted = str if before is None else type(before)
    return type(value) is wanted or (wanted is float and type(value) is int)


def _value(before: Any, value: Any, where: str) -> Any:
    """Return ``value`` in the type of ``before``."""
    if is_dataclass(before):
        if not isinstance(value, dict):
            raise ConfigError(f"{where} is a table of settings, not {value!r:.40}")
        return _merged(before, value, f"{where}.")
    if isinstance(before, tuple | float):
        return type(before)(value)
    return value
