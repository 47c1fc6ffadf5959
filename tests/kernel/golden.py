"""Builds and runs ``c/golden.c``: the states of a fixed layer and text, the same anywhere.

    python tests/kernel/golden.py

prints the SHA-256 of each instruction set of this machine.
"""

import hashlib
import importlib.util
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

ROOT = Path(__file__).parents[2]
PROGRAM = Path(__file__).parent / "c" / "golden.c"

SHA256 = "bf756189919fdf330125610e38b7e1fb7f552c890b43a72229cb2e22e9ac5b9c"
"The states' SHA-256."

SETS = ("portable", "avx2", "avxvnni", "avx512vnni", "neon", "neondot")
_LACKING = 3


def build_hook() -> ModuleType:
    """Import hatch_build.py, which belongs to no package."""
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["hatch_build"] = module  # dataclasses look there
    spec.loader.exec_module(module)
    return module


def build_golden(program: Path) -> None:
    """Build for the machine at hand, or for the one that LSTM_EDGE_TARGET names."""
    hook = build_hook()
    hook.build(ROOT / hook.SOURCES, hook.chosen_target(), program, PROGRAM)


def digests(program: Sequence[str]) -> dict[str, str]:
    """Return the SHA-256 of the states of each instruction set that runs."""
    found = {}
    for name in SETS:
        done = subprocess.run([*program, name], capture_output=True, check=False)
        if done.returncode != _LACKING:
            assert done.returncode == 0, (name, done.returncode)
            found[name] = hashlib.sha256(done.stdout).hexdigest()
    return found


if __name__ == "__main__":
    with TemporaryDirectory() as folder:
        made = Path(folder, "golden")
        build_golden(made)
        for name, digest in digests([str(made)]).items():
            print(digest, name)  # noqa: T201 - a command
