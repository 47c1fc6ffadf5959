"""What the tests of the npm package share: Node and its packages, or the reason to skip."""

import shutil
import subprocess
from pathlib import Path

import pytest

JS = Path(__file__).parents[2] / "js"
NODE = shutil.which("node")
OLDEST = (20, 19)


@pytest.fixture(scope="session")
def node() -> str:
    """Return the node command, with the packages of js/ installed and the model copied."""
    if NODE is None:
        pytest.skip("no Node.js here (20.19 or newer; make js installs what else is needed)")
    version = subprocess.run([NODE, "--version"], capture_output=True, text=True, check=True).stdout
    if tuple(map(int, version.strip("v\n").split(".")[:2])) < OLDEST:
        pytest.skip(f"Node.js {version.strip()} is older than {OLDEST[0]}.{OLDEST[1]}")
    if not (JS / "node_modules" / "onnxruntime-node").is_dir():
        pytest.skip("js/node_modules is missing: make js")
    subprocess.run([NODE, "scripts/copy-model.js"], cwd=JS, check=True)
    return NODE
