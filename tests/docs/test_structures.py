"""The page of structures lists every structure that the tests export or refuse."""

import re
from pathlib import Path

import further_models
import general_models
import public_models
import pytest
import structures
from torch import nn

PAGE = Path(__file__).parents[2] / "docs/concepts/structures.md"


def classes(module: object) -> set[str]:
    own = [c for c in vars(module).values() if isinstance(c, type) and issubclass(c, nn.Module)]
    return {c.__name__ for c in own if c.__module__ == getattr(module, "__name__", "")} - {"Base"}


@pytest.mark.parametrize(
    "names",
    [
        {*structures.FAMILY, *structures.OTHERS},
        classes(general_models),
        classes(further_models),
        classes(public_models) - {"Reader", "Extract"},
    ],
    ids=["family", "general", "further", "public"],
)
def test_every_structure_has_its_row(names: set[str]) -> None:
    rows = re.findall(
        r"^\| ([^|]+) \| (lstm-edge|torch\.onnx, \w+|refused: )", PAGE.read_text("utf-8"), re.M
    )
    assert names <= {name for name, _ in rows}
