"""The README is short, leads somewhere, and reads well on a package index too."""

import re
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def hook() -> ModuleType:
    spec = spec_from_file_location("hatch_readme", ROOT / "hatch_readme.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_readme_is_short_and_its_links_lead_somewhere() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    assert text.count("\n") <= 150
    for link in re.findall(r"\]\(([^)#]+)", text):
        assert (ROOT / link).exists(), link


@pytest.mark.parametrize(
    ("repository", "expected"),
    [
        (None, "See limits, [torch](https://pytorch.org) and [below](#below). "),
        (
            "https://example.org/lstm-edge/",
            "See [limits](https://example.org/lstm-edge/blob/main/docs/limits.md), "
            "[torch](https://pytorch.org) and [below](#below). "
            "![gates](https://example.org/lstm-edge/raw/main/docs/trace.png)",
        ),
    ],
)
def test_relative_links_are_made_absolute_or_taken_out(
    hook: ModuleType, repository: str | None, expected: str
) -> None:
    text = (
        "See [limits](docs/limits.md), [torch](https://pytorch.org) and [below](#below). "
        "![gates](docs/trace.png)"
    )
    assert hook.for_index(text, repository) == expected


def test_what_is_built_has_no_link_that_leads_nowhere() -> None:
    command = [sys.executable, "-m", "hatchling", "metadata", "readme"]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "One file is the whole model" in found.stdout
    assert not re.findall(r"\]\((?!https?:|#)", found.stdout)
