"""The built wheel in environments of its own: the newest libraries and the oldest it claims, and
all tests of the runtime on the oldest and the newest Python of this machine.
"""

import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow  # each test installs the wheel

ROOT = Path(__file__).parents[2]
APP = ROOT / "examples/help_desk.py"

_PROBE = """
import sys, numpy, onnxruntime
from lstm_runtime import SentimentModel
model = SentimentModel.load(sys.argv[1])
stream = model.stream()
for piece in ("a good fi", "lm"):
    stream.push(piece)
assert abs(stream.finish().score - model("a good film").score) < 0.05
assert list(model.score_many(["good", ""] * 50)) == model(["good", ""] * 50)
assert len(model.trace("a good film").tokens) == 3
assert model.verify().passed
print(numpy.__version__, onnxruntime.__version__)
"""


def _lower_bounds() -> dict[str, str]:
    """Return the oldest versions that pyproject.toml claims for the runtime."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    claims = [*project["dependencies"], *project["optional-dependencies"]["cpu"]]
    return dict(claim.split(">=") for claim in claims)


def _pip(*arguments: str, python: Path | None = None) -> None:
    target = ["--python", str(python)] if python else []
    command = [sys.executable, "-m", "pip", *target, *arguments, "--quiet"]
    found = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    if found.returncode and "No matching distribution" in found.stderr:
        pytest.skip(f"no package registry here: {found.stderr.strip().splitlines()[-1]}")
    assert found.returncode == 0, found.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    _pip("wheel", "--no-deps", "--wheel-dir", str(folder), str(ROOT))
    return next(folder.glob("lstm_edge-*.whl"))


def _pythons() -> dict[tuple[int, ...], Path]:
    """Return the Pythons that the package claims to run on and this machine has, by version."""
    found = {}
    report = "import sys; print(*sys.version_info[:2])"
    for python in (Path(sys.executable), *_candidates()):
        told = subprocess.run([python, "-c", report], capture_output=True, text=True, check=False)
        if told.returncode == 0:
            version = tuple(map(int, told.stdout.split()))
            if version >= (3, 11):
                found.setdefault(version, python)
    return found


def _candidates() -> Iterator[Path]:
    """Yield what the search path and pyenv offer."""
    for minor in range(11, 30):
        command = shutil.which(f"python3.{minor}")
        if command:
            yield Path(command)
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from sorted(root.glob("versions/*/bin/python3"))


def _environment(folder: Path, *packages: str, interpreter: Path | None = None) -> Path:
    """Make a virtual environment with these packages; return its Python."""
    command = [str(interpreter or sys.executable), "-m", "venv", "--without-pip", str(folder)]
    subprocess.run(command, check=True, capture_output=True)
    bin_folder = "Scripts" if sys.platform == "win32" else "bin"
    python = folder / bin_folder / "python"
    _pip("install", *packages, python=python)
    return python


@pytest.fixture(scope="module")
def bare(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the Python of an environment with the wheel and what its extra ``cpu`` names."""
    return _environment(tmp_path_factory.mktemp("bare") / "env", f"{wheel}[cpu]")


def test_the_app_of_the_readme_runs_from_the_wheel_without_torch(bare: Path) -> None:
    found = subprocess.run(
        [str(bare), str(APP), "What a wonderful film!", "A dull, lifeless mess."],
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stderr
    assert [line.split("\t")[0] for line in found.stdout.splitlines()] == ["thanks", "trouble"]
    code = "import importlib.util as u; print([n for n in ('torch', 'onnx') if u.find_spec(n)])"
    absent = subprocess.run([str(bare), "-c", code], capture_output=True, text=True, check=True)
    assert absent.stdout == "[]\n"
    helped = subprocess.run(
        [str(bare.with_name("lstm-train")), "x"], capture_output=True, text=True, check=False
    )
    assert "Traceback" not in helped.stderr


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (
            "from lstm_edge import SentimentModel\n"
            "print(SentimentModel.load()('Not bad at all.').label)",
            "positive",
        ),
        (
            "import lstm_edge, lstm_runtime\n"
            "names = {'SentimentModel', 'run_bulk', 'LstmEdgeError', '__version__'}\n"
            "print(names - set(dir(lstm_edge)), names - set(dir(lstm_runtime)))",
            "set() set()",
        ),
        (
            "import lstm_edge\n"
            "for name in ('export', 'train', 'evaluate'):\n"
            "    try:\n"
            "        getattr(lstm_edge, name)\n"
            "    except lstm_edge.MissingExtraError as error:\n"
            "        print('pip install' in str(error))",
            "True True True",
        ),
    ],
)
def test_the_front_doors_open_without_torch(bare: Path, code: str, told: str) -> None:
    found = subprocess.run([str(bare), "-c", code], capture_output=True, text=True, check=False)
    assert (" ".join(found.stdout.split()), found.stderr) == (told, "")


def test_the_module_is_the_command(bare: Path) -> None:
    command = [str(bare), "-m", "lstm_runtime", "--version"]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    assert found.stdout.startswith("lstm-run 0.")


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="the oldest versions have no wheels here")
def test_the_oldest_numpy_and_onnxruntime_that_are_claimed(
    wheel: Path, tmp_path: Path, model_files: dict[str, Path]
) -> None:
    bounds = _lower_bounds()
    pins = [f"{name}=={version}" for name, version in bounds.items()]
    python = _environment(tmp_path / "env", "--no-deps", str(wheel), *pins)
    for precision in ("fp32", "int8", "fp16"):
        found = subprocess.run(
            [str(python), "-c", _PROBE, str(model_files[precision])],
            capture_output=True,
            text=True,
            check=False,
        )
        assert found.returncode == 0, found.stderr
        for name, version in zip(("numpy", "onnxruntime"), found.stdout.split(), strict=True):
            assert version.startswith(bounds[name])


@pytest.mark.slow
@pytest.mark.parametrize("which", ["oldest", "newest"])
def test_the_runtimes_tests_pass_against_the_wheel_without_torch(
    wheel: Path, tmp_path: Path, which: str
) -> None:
    pythons = _pythons()
    version = min(pythons) if which == "oldest" else max(pythons)
    if which == "newest" and len(pythons) == 1:
        pytest.skip(f"this machine has Python {'.'.join(map(str, version))} only")
    packages = (f"{wheel}[cpu,bulk,plot]", "pytest", "hypothesis")
    python = _environment(tmp_path / "env", *packages, interpreter=pythons[version])
    for name in ("tests/runtime", "tests/data", "tests/golden"):
        shutil.copytree(ROOT / name, tmp_path / name)
    for name in ("tests/conftest.py", "tests/structure_page.py", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path / name)
    command = [str(python), "-m", "pytest", "-m", "not slow", "tests/runtime"]
    found = subprocess.run(
        [*command, "--ignore", "tests/runtime/test_environments.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=540,
    )
    assert found.returncode == 0, found.stdout[-3000:] + found.stderr[-1000:]
    told = subprocess.run(
        [str(python), "-c", "import sys, lstm_runtime; print(sys.version_info[:2], lstm_runtime)"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.startswith(str(version))
    assert str(tmp_path) in told.stdout
