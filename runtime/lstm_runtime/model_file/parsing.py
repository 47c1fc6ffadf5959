"""What a model file says of itself, out of its metadata properties: `Metadata.to_props` undone."""

import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from lstm_runtime.errors import ModelFileError
from lstm_runtime.model_file.contract import (
    FORMAT_VERSION,
    Architecture,
    Metadata,
    Reference,
)
from lstm_runtime.model_file.metadata_checks import check_metadata
from lstm_runtime.model_file.tokenizer_spec import TokenizerSpec


def parse_metadata(props: Mapping[str, str]) -> Metadata:
    """Read what `Metadata.to_props` wrote, and check every value.

    Raises:
        ModelFileError: when the file was not written by ``lstm-export``, is of a newer version, or
            its metadata is damaged.

    """
    if "format_version" not in props or "architecture" not in props:
        raise ModelFileError("not a model file of lstm-export: it carries no lstm-edge metadata")
    if props["format_version"] != json.dumps(FORMAT_VERSION):
        raise ModelFileError(
            f"model file of format {props['format_version'][:20]}; this version of lstm-edge "
            f"reads format {FORMAT_VERSION}: upgrade lstm-edge, or export the model again"
        )
    known = {field.name for field in fields(Metadata)}
    try:
        values = {name: json.loads(text) for name, text in props.items() if name in known}
        found = Metadata(**_typed(values))
    except (TypeError, KeyError, ValueError, AttributeError, RecursionError) as error:
        raise ModelFileError(f"the model file's metadata is damaged: {error}") from error
    check_metadata(found)
    return found


def _typed(values: dict[str, Any]) -> dict[str, Any]:
    """Turn the JSON values of `Metadata` into the types of its fields."""
    values["labels"] = _tuple(values["labels"])
    values["architecture"] = Architecture(**values["architecture"])
    values["reference"] = tuple(map(_reference, _tuple(values["reference"])))
    if values.get("tokenizer") is not None:
        values["tokenizer"] = TokenizerSpec.from_json(values["tokenizer"])
    if values.get("vocabulary") is not None:
        values["vocabulary"] = _tuple(values["vocabulary"])
    if values.get("aliases") is not None:
        values["aliases"] = tuple(map(_tuple, _tuple(values["aliases"])))
    return values


def _reference(item: dict[str, Any]) -> Reference:
    ids = item["ids"]
    return Reference(
        _tuple(item["probability"]), item["text"], None if ids is None else _tuple(ids)
    )


def _tuple(value: Any) -> tuple[Any, ...]:
    """Return a JSON array as a tuple; a text is none, though Python could take it for one."""
    if not isinstance(value, list):
        raise TypeError(f"{str(value)[:20]!r} is no list")
    return tuple(value)
