"""The same states everywhere: a fixed layer and text, by every instruction set, to the byte."""

from pathlib import Path

import pytest
from kernel.golden import SHA256, build_golden, build_hook, digests


def test_every_instruction_set_gives_the_golden_states(tmp_path: Path) -> None:
    if not build_hook().compiler():
        pytest.skip("no C compiler")
    build_golden(tmp_path / "golden")
    found = digests([str(tmp_path / "golden")])
    assert "portable" in found
    assert set(found.values()) == {SHA256}
