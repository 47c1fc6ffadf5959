"""The documentation site builds without warnings, without torch, and asks no other host."""

import os
import re
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("lstm_runtime", "lstm_export", "lstm_training")
COMMANDS = {
    "lstm-run": "lstm_runtime.cli.app",
    "lstm-export": "lstm_export.cli.app",
    "lstm-train": "lstm_training.cli.train",
    "lstm-evaluate": "lstm_training.cli.evaluate",
}
FILES = ("mkdocs.yml", "CONTRIBUTING.md", "CHANGELOG.md", "js/README.md", "native/README.md")
SOURCES = ("docs", "examples", "runtime", "export", "training", "benchmarks/results")


def build(project: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    command = [str(Path(sys.executable).with_name("zensical")), "build", *options]
    # Libraries that a reader of the documentation need not have: importing them is an error here.
    absent = project / "absent"
    for name in ("torch", "onnx", "onnxruntime"):
        (absent / f"{name}.py").parent.mkdir(exist_ok=True)
        (absent / f"{name}.py").write_text("raise ImportError('not for the documentation')")
    environment = os.environ | {"PYTHONPATH": str(absent), "NO_COLOR": "1"}
    return subprocess.run(
        command, cwd=project, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of what the site is made of, so that its cache starts empty."""
    folder = tmp_path_factory.mktemp("project")
    for name in SOURCES:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("*.onnx", "*.pt"))
    for name in FILES:
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def site(project: Path) -> Path:
    found = build(project, "--strict")
    assert found.returncode == 0, found.stdout + found.stderr
    return project / ".work/site"


def test_every_public_name_is_in_the_reference(site: Path) -> None:
    """A name that a package passes on from another stands on that other's page."""
    pages = "".join((site / "reference" / p / "index.html").read_text("utf-8") for p in PACKAGES)
    for package in PACKAGES:
        module = import_module(package)
        for name in getattr(module, "__all__", []):
            home = getattr(getattr(module, name), "__module__", package).split(".")[0]
            if name in getattr(import_module(home), "__all__", ()) and not name.startswith("__"):
                assert f'id="{home}.{name}"' in pages, f"{package}.{name}"


def options(module: str) -> set[str]:
    parameters = import_module(module).main.params
    names = {name for one in parameters for name in [*one.opts, *one.secondary_opts]}
    return {name for name in names if name.startswith("--")}


def test_every_option_of_each_command_is_in_the_reference(site: Path) -> None:
    page = (site / "reference/commands/index.html").read_text("utf-8")
    for command, module in COMMANDS.items():
        assert f'id="{command}"' in page
        assert len(options(module)) > 5
        assert not [name for name in options(module) if name not in page], command


OF_OTHERS = {
    *("--standalone", "--nproc-per-node", "--nnodes", "--node-rank", "--master-addr", "--cpu"),
    *("--multi", "--num", "--no-deps", "--no-binary"),  # of --multi_gpu and --num_processes
    *("--timeout-graceful-shutdown", "--ray", "--rows", "--words"),  # uvicorn's, benchmarks'
    "--write-structures",  # of the tests
}
"""Options of torchrun, accelerate, pip, uvicorn, benchmarks and pytest that pages tell."""


def test_every_option_that_a_page_names_is_there() -> None:
    ours = {"--help"}.union(OF_OTHERS, *map(options, COMMANDS.values()))
    for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")):
        text = page.read_text("utf-8")
        named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text))
        # A cell of a table may cut a message within an option's name.
        cut = {name for name in re.findall(r"(--[a-z][a-z-]+) …", text) if name not in ours}
        assert all(any(one.startswith(name) for one in ours) for name in cut), page
        assert named - cut <= ours, page


def test_every_page_is_in_the_navigation(site: Path) -> None:
    home = (site / "index.html").read_text("utf-8")
    for page in (ROOT / "docs").rglob("*.md"):
        address = page.relative_to(ROOT / "docs").with_suffix("")
        href = rf'href="(\./)?{address.as_posix()}/"'
        assert address.name == "index" or re.search(href, home), page


def test_the_model_card_begins_behind_its_head(site: Path) -> None:
    """The page takes the card from a certain line on."""
    page = (site / "model-card/index.html").read_text("utf-8")
    assert "pipeline_tag" not in page
    assert page.count("<h1") == 1
    assert "readout <code>last</code>" in page


def test_a_page_asks_no_other_host(site: Path) -> None:
    for page in site.rglob("*.html"):
        loaded = re.findall(r'(?:src|<link[^>]* href)="(https?:[^"]*)"', page.read_text("utf-8"))
        assert not loaded, page


@pytest.mark.parametrize(
    "line", ["[a](nowhere.md)", "[a](limits.md#nothing)", "[a][lstm_runtime.Nothing]"]
)
def test_a_broken_link_fails_the_build(project: Path, line: str) -> None:
    page = project / "docs/concepts/limits.md"
    before = page.read_text("utf-8")
    page.write_text(f"{before}\n{line}\n", "utf-8")
    try:
        assert build(project, "--strict").returncode != 0
    finally:
        page.write_text(before, "utf-8")
