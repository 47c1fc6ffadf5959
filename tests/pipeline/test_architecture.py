"""The tree keeps its promises: imports run one way, files are short, the runtime stays lean."""

import ast
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import lstm_edge
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
"""Which of the other packages each may know."""

SHARED = {
    "arrays", "bundled", "command", "errors", "extras", "figures", "files", "loading",
    "model_file", "run_lock", "settings", "tables", "text", "version",
}  # fmt: skip
"""What training may know of the runtime: the files that come with it and their contract, texts and
tables, how to fail."""

RUNS_MODELS = "evaluation.onnx_predictor"
"""The one module of training that runs models: it measures what users get, as an app would."""

ROOMS = {
    "lstm_runtime": (
        "__pyinstaller __main__ cli distributed bulk serving model trace inference bundled kernel "
        "tables model_file text figures run_lock files settings command extras console "
        "package_files arrays version log loading errors"
    ).split(),
    "lstm_training": (
        "__main__ distillation cli cross_validation api trainer transfer evaluation data "
        "checkpoint checkpoint_content processes file_kind plain_values model config "
        "one_reading errors"
    ).split(),
    "lstm_export": (
        "__main__ cli api report reseal pipeline ownership outcome metadata parity config "
        "parity.tolerance checkpoint reading checkpoint.assume checkpoint.fit "
        "checkpoint.state_dict checkpoint.folding checkpoint.hints traced reference graph network "
        "layers readout errors"
    ).split(),
}
"""Each package's rooms from the roof down: a room imports what stands behind it, not before it."""

LONGEST_FILE = 250


def modules(package: str) -> Iterator[tuple[str, Path]]:
    """Yield the names below a package, "" for the package itself, and their files."""
    for path in sorted(PACKAGES[package].rglob("*.py")):
        parts = path.relative_to(PACKAGES[package]).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


@cache
def imports(path: Path, *, typing_too: bool = True) -> frozenset[str]:
    """Return the full names that a file imports, within functions too."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing_only: set[ast.AST] = set()
    if not typing_too:
        for node in ast.walk(tree):
            if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
                typing_only |= {inner for body in node.body for inner in ast.walk(body)}
    found = set()
    for node in ast.walk(tree):
        if node in typing_only:
            continue
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{name.name}" for name in node.names}
    return frozenset(found)


def inner_imports(package: str) -> dict[str, set[str]]:
    """Return, for each module of a package, the modules of the same package that it imports."""
    names = dict(modules(package))
    graph = {}
    for module, path in names.items():
        inner = {
            name.removeprefix(f"{package}.")
            for name in imports(path, typing_too=False)
            if name.startswith(f"{package}.")
        }
        # What is imported is a module, or a name in one.
        homes = {name if name in names else name.rpartition(".")[0] for name in inner}
        graph[module] = homes - {module}
    return graph


def room(package: str, module: str) -> str:
    """Return the room of a module: its folder, or its name where it has none."""
    return module if module in ROOMS[package] else module.partition(".")[0]


def used_of_the_runtime(path: Path) -> set[str]:
    """Return the rooms of the runtime that a file imports from, also by its front door."""
    names = [n.split(".")[1:] for n in imports(path) if n.startswith("lstm_runtime.")]
    homes = lstm_runtime._HOMES | dict.fromkeys(dir(lstm_runtime.errors), "errors")
    return {homes.get(first, first.strip("_")).split(".")[0] for first, *_ in names}


@pytest.mark.parametrize("package", PACKAGES)
def test_packages_import_one_way(package: str) -> None:
    for module, path in modules(package):
        others = {name.split(".")[0] for name in imports(path)} & set(PACKAGES) - {package}
        assert others <= MAY_IMPORT[package], module


def test_training_knows_little_of_the_runtime() -> None:
    for module, path in modules("lstm_training"):
        if module != RUNS_MODELS:
            assert used_of_the_runtime(path) <= SHARED, module
    assert "model" in used_of_the_runtime(dict(modules("lstm_training"))[RUNS_MODELS])


@pytest.mark.parametrize("package", PACKAGES)
def test_no_module_imports_itself_by_a_detour(package: str) -> None:
    order = list(TopologicalSorter(inner_imports(package)).static_order())
    assert len(order) > 5


@pytest.mark.parametrize("package", PACKAGES)
def test_rooms_import_downwards_only(package: str) -> None:
    graph = inner_imports(package)
    height: dict[str, float] = {name: place for place, name in enumerate(ROOMS[package])}
    for module, inner in graph.items():
        if module not in height and "." not in module and inner <= {"errors"}:
            height[module] = len(ROOMS[package]) - 1.5  # the ground floor needs no place of its own
    for module, inner in graph.items():
        here = room(package, module)
        if not module:
            continue  # the package itself is the way in to all of its rooms
        assert here in height, f"{module}: give its room a place in ROOMS"
        for other in inner:
            there = room(package, other)
            assert there in height, f"{other}: give its room a place in ROOMS"
            assert there == here or height[there] > height[here], f"{module} imports {other}"


@pytest.mark.parametrize("package", PACKAGES)
def test_no_file_is_long(package: str) -> None:
    for module, path in modules(package):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE, module


@pytest.mark.parametrize("folder", [*PACKAGES.values(), Path(str(lstm_edge.__file__)).parent])
def test_packages_are_typed_and_stand_in_no_package(folder: Path) -> None:
    assert (folder / "py.typed").exists()
    assert not (folder.parent / "__init__.py").exists()


def test_the_runtimes_tests_need_nothing_but_the_runtime() -> None:
    for path in sorted((Path(__file__).parents[1] / "runtime").glob("*.py")):
        known = {name.split(".")[0] for name in imports(path)}
        assert not known & {"torch", "onnx", "lstm_training", "lstm_export"}, path.name
