"""The tree keeps its promises: imports run one way, packages are typed, the runtime stays lean."""

import ast
from pathlib import Path

import lstm_export
import lstm_runtime
import lstm_training
import pytest

PACKAGES = {
    module.__name__: Path(str(module.__file__)).parent
    for module in (lstm_runtime, lstm_training, lstm_export)
}
MAY_IMPORT = {
    "lstm_runtime": set(),
    "lstm_training": {"lstm_runtime"},
    "lstm_export": {"lstm_runtime", "lstm_training"},
}
# What training may know of the runtime: the contract, how text becomes ids, and how to fail.
SHARED = {"arrays", "command", "errors", "extras", "files", "model_file", "tables", "text"}
# lstm-evaluate measures what users get, so one module runs ONNX files, and as an app would.
RUNS_MODELS = {"onnx_predictor.py": {"inference", "model"}}


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_run_one_way(package: str) -> None:
    files = list(PACKAGES[package].rglob("*.py"))
    assert len(files) > 5
    for path in files:
        others = {name.split(".")[0] for name in imports(path)} & set(PACKAGES) - {package}
        assert others <= MAY_IMPORT[package], path


def test_training_knows_little_of_the_runtime() -> None:
    for path in PACKAGES["lstm_training"].rglob("*.py"):
        used = {n.split(".")[1] for n in imports(path) if n.startswith("lstm_runtime.")}
        assert used <= SHARED | RUNS_MODELS.get(path.name, set()), path


@pytest.mark.parametrize("package", PACKAGES)
def test_package_is_typed(package: str) -> None:
    assert (PACKAGES[package] / "py.typed").exists()


def test_no_package_stands_in_the_folders_themselves() -> None:
    for folder in PACKAGES.values():
        assert not (folder.parent / "__init__.py").exists()
