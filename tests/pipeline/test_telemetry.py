"""Nothing phones home: ONNX Runtime reports to Microsoft unless it is told not to in time."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
THE_IMPORT = Path("runtime/lstm_runtime/inference/session.py")

_LOAD_AND_FORK = """
import os, sys, time
import lstm_runtime
model = lstm_runtime.SentimentModel.load(sys.argv[1], "cpu")
model("good")
child = os.fork()
if not child:
    sys.exit(7)
for _ in range(200):
    ended, status = os.waitpid(child, os.WNOHANG)
    if ended:
        sys.exit(os.waitstatus_to_exitcode(status) - 7)
    time.sleep(0.1)
os.kill(child, 9)
sys.exit("the child does not end")
"""


@pytest.fixture
def clean_environment(tmp_path: Path) -> dict[str, str]:
    """Return an environment with a fresh home, in which nobody has switched anything off."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name != "ORT_DISABLE_TELEMETRY" and not name.startswith("XDG_")
    }
    home = tmp_path / "home"
    home.mkdir()
    # Matplotlib keeps a list of the fonts; that one is its own and stays on the machine.
    return kept | {"HOME": str(home), "MPLCONFIGDIR": str(tmp_path / "matplotlib")}


def _written_at_home(environment: dict[str, str]) -> list[Path]:
    return sorted(Path(environment["HOME"]).rglob("*"))


def test_one_function_imports_onnxruntime() -> None:
    importers = []
    for path in sorted(ROOT.glob("*/lstm_*/**/*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if any(name.split(".")[0] == "onnxruntime" for name in names):
                importers.append(path.relative_to(ROOT))
    assert importers == [THE_IMPORT]


@pytest.mark.parametrize(
    "command",
    [
        ("lstm-run", "--model", "{int8}", "A good film."),
        ("lstm-run", "--model", "{int8}", "--info"),
        ("lstm-run", "--model", "{int8}", "--verify"),
        ("lstm-export", "{checkpoint}", "-o", "{out}", "--precision", "int8"),
        ("lstm-evaluate", "{fp32}", "--data", "{table}"),
        ("lstm-train", "--data", "{table}", "--epochs", "1", "--n-layers", "1", "-o", "{out}"),
    ],
    ids=lambda command: f"{command[0]} {command[-1]}",
)
def test_no_command_writes_below_the_home_folder(
    command, run, model_files, checkpoint_file, clean_environment, tmp_path
) -> None:
    table = tmp_path / "table.csv"
    rows = [f"a {word} film {n},{label}\n" for n in range(9) for word, label in _TWO]
    table.write_text("text,label\n" + "".join(rows))
    places = {**model_files, "checkpoint": checkpoint_file, "table": table, "out": tmp_path / "out"}
    found = run(*(part.format(**places) for part in command), env=clean_environment)
    assert found.returncode == 0, found.stderr
    assert _written_at_home(clean_environment) == []


_TWO = (("good", 1), ("bad", 0))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_fork_after_load_ends_at_once(model_files, clean_environment) -> None:
    # The reporting threads of ONNX Runtime 1.29 and newer make a forked child hang at its end.
    found = subprocess.run(
        [sys.executable, "-c", _LOAD_AND_FORK, str(model_files["int8"])],
        env=clean_environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (found.returncode, found.stderr) == (0, "")


def test_an_app_that_wants_to_report_is_not_overruled(clean_environment) -> None:
    code = (
        "import os; from lstm_runtime.inference.session import import_onnxruntime as load; load(); "
        "print(os.environ['ORT_DISABLE_TELEMETRY'])"
    )
    for given, expected in ((None, "1"), ("0", "0")):
        wanted = {} if given is None else {"ORT_DISABLE_TELEMETRY": given}
        found = subprocess.run(
            [sys.executable, "-c", code],
            env=clean_environment | wanted,
            capture_output=True,
            text=True,
            check=True,
        )
        assert found.stdout.strip() == expected
