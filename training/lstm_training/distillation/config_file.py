"""A TOML file that says what is to be different from the defaults."""

import json
import tomllib
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lstm_runtime.errors import shown
from lstm_runtime.extras import requires_extra

from lstm_training.distillation.config import DistillationConfig
from lstm_training.errors import ConfigError


def read_config(path: Path) -> DistillationConfig:
    """Return the default configuration with the values of a TOML file in place of its own.

    The file's tables and keys are named as the fields of `DistillationConfig`, so that
    ``[finetuning.optimization]`` with ``epochs = 2`` shortens the last training. What is not named
    stays.

    Raises:
        ConfigError: when the file is not TOML, names a field that there is not, or gives one a
            value of another type or out of its range.
        MissingExtraError: when pydantic is not installed.

    """
    with requires_extra("distill"):
        from pydantic import TypeAdapter, ValidationError  # of the extra
    try:
        changes = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not TOML: {error}") from error
    defaults = asdict(DistillationConfig())
    merged = json.dumps(_merged(defaults, changes, f"{path}: "), default=str)
    try:
        return TypeAdapter(DistillationConfig).validate_json(merged, strict=True)
    except ValidationError as error:
        raise ConfigError(f"{path}: {_told(error.errors()[0], changes, defaults)}") from error


def _merged(defaults: dict[str, Any], changes: dict[str, Any], where: str) -> dict[str, Any]:
    """Return ``defaults`` with ``changes``, table by table."""
    merged = dict(defaults)
    for name, value in changes.items():
        if name not in defaults:
            raise ConfigError(f"{where}{name} is no setting; there are {', '.join(defaults)}")
        if isinstance(defaults[name], dict):
            if not isinstance(value, dict):
                raise ConfigError(f"{where}{name} is a table of settings, not {shown(value)}")
            merged[name] = _merged(defaults[name], value, f"{where}{name}.")
        else:
            merged[name] = value
    return merged


def _told(error: Any, given: Any, default: Any) -> str:
    """Return what is wrong in words, with the value that was given and one that is right."""
    names: list[str] = []
    for part in error["loc"]:
        if not isinstance(default, dict):
            break  # what follows is a place within the value
        names.append(str(part))
        given, default = given.get(part), default[part]
    name = ".".join(names)
    if "error" in error.get("ctx", {}):  # the range, in the words of the setting
        return f"{name}.{error['ctx']['error']}" if name else str(error["ctx"]["error"])
    example = list(default) if isinstance(default, tuple) else default
    return f"{name} is {shown(given)}; a value like {example!r} is wanted"
