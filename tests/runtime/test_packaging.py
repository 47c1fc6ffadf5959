"""The runtime inside other things: an app of PyInstaller, a zip archive, broken libraries."""

import importlib
import importlib.metadata
import json
import multiprocessing
import os
import shutil
import subprocess
import sys
import zipapp
from pathlib import Path
from typing import Any

import click
import lstm_runtime
import pytest
from lstm_runtime import MissingExtraError
from lstm_runtime.extras import requires_extra
from lstm_runtime.kernel.library import library_path

PACKAGE = Path(str(lstm_runtime.__file__)).parent

APP = """
import json, sys
from lstm_runtime import SentimentModel
from lstm_runtime.cli.app import main
if sys.argv[1:]:
    main()
model = SentimentModel.load()
found = model("One of the finest films I have ever seen.")
print(json.dumps([found.label, found.score, model.info.kernel, model.info.versions["lstm-edge"]]))
"""


def answer() -> list[Any]:
    model = lstm_runtime.SentimentModel.load()
    found = model("One of the finest films I have ever seen.")
    return [found.label, found.score, model.info.kernel, lstm_runtime.__version__]


@pytest.mark.slow
def test_an_app_of_pyinstaller_is_one_file_with_all_it_needs(tmp_path: Path) -> None:
    pytest.importorskip("PyInstaller")
    (tmp_path / "app.py").write_text(APP)
    command = [sys.executable, "-m", "PyInstaller", "--onefile", "--noconfirm", "--log-level=ERROR"]
    apart = ["torch", "pyarrow", "matplotlib", "pandas", "scipy", "transformers", "zstandard"]
    left_out = [f"--exclude-module={name}" for name in apart]
    subprocess.run([*command, *left_out, "app.py"], cwd=tmp_path, check=True, timeout=600)
    app = next((tmp_path / "dist").iterdir())
    shutil.move(app, tmp_path / app.name)
    for folder in ("build", "dist"):
        shutil.rmtree(tmp_path / folder)
    alone = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}

    def run(*arguments: str) -> str:
        command = [str(tmp_path / app.name), *arguments]
        done = subprocess.run(
            command, cwd=tmp_path, env=alone, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert json.loads(run()) == answer()
    assert "passed" in json.loads(run("--verify", "--json"))
    told = json.loads(run("--info", "--json"))
    assert told["onnxruntime"][0].startswith("onnxruntime")
    assert told["providers"]["cpu"] == "runs"
    (tmp_path / "in.csv").write_text("text\ngood film\n")
    assert run("--input", "in.csv", "--output", "-").startswith("text,label,score\ngood film,")
    assert "(int8, checkpoint " in run("--version")


def test_pyinstaller_finds_the_hook() -> None:
    found = importlib.metadata.entry_points(group="pyinstaller40", name="hook-dirs")
    (entry,) = [entry for entry in found if entry.value.startswith("lstm_runtime.")]
    (folder,) = entry.load()()
    assert (Path(folder) / "hook-lstm_runtime.py").is_file()


def test_a_zip_archive_carries_model_and_kernel(tmp_path: Path) -> None:
    for package in (PACKAGE, Path(str(click.__file__)).parent):
        ignored = shutil.ignore_patterns("__pycache__", "src")
        shutil.copytree(package, tmp_path / "app" / package.name, ignore=ignored)
    more = "import lstm_runtime\nprint(lstm_runtime.__file__)\nprint(model.path.name, model.path)\n"
    (tmp_path / "app" / "__main__.py").write_text(APP + more)
    zipapp.create_archive(tmp_path / "app", tmp_path / "app.pyz")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    command = [sys.executable, str(tmp_path / "app.pyz")]
    environment = os.environ | {"TMPDIR": str(temporary), "TEMP": str(temporary)}
    found = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    told, where, model = found.stdout.splitlines()
    assert json.loads(told) == answer()
    assert "app.pyz" in where
    assert model.startswith(f"default.int8.onnx {temporary}")
    assert list(temporary.iterdir()) == []
    (tmp_path / "in.csv").write_text("text\ngood film\n")
    bulk = subprocess.run(
        [*command, "--input", "in.csv", "--output", "out.csv"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (bulk.returncode, bulk.stderr) == (0, "")
    assert library_path() is None or json.loads(told)[2] is not None


_IN_A_PROCESS = """
import multiprocessing, sys
from lstm_runtime.package_files import _unpacked
if __name__ == "__main__":
    there = multiprocessing.get_context(sys.argv[1])
    process = there.Process(target=_unpacked, args=(b"model", "model.onnx"))
    process.start()
    process.join()
    sys.exit(process.exitcode)
"""


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_a_process_of_multiprocessing_removes_what_it_unpacked(method: str, tmp_path: Path) -> None:
    environment = os.environ | {"TMPDIR": str(tmp_path), "TEMP": str(tmp_path)}
    command = [sys.executable, "-c", _IN_A_PROCESS, method]
    subprocess.run(command, env=environment, check=True, timeout=60)
    assert not list(tmp_path.rglob("model.onnx"))


NUMPY = """
try:
    raise ImportError("DLL load failed while importing _multiarray_umath: not found")
except ImportError as error:
    raise ImportError("\\n\\nIMPORTANT: PLEASE READ THIS\\n\\nmany lines") from error
"""


@pytest.mark.parametrize(
    ("library", "content", "message"),
    [
        ("numpy", NUMPY, "numpy cannot be loaded (DLL load failed while importing _multi"),
        ("onnxruntime", "raise ImportError('DLL load failed: x', name='onnxruntime.capi.y')",
         "onnxruntime cannot be loaded (DLL load failed: x): pip install --force-reinstall "
         "onnxruntime (or onnxruntime-gpu)"),
        ("onnxruntime", "import onnxruntime.capi", "onnxruntime cannot be loaded"),
        ("onnxruntime", "raise ModuleNotFoundError('no', name='onnxruntime')",
         "onnxruntime is not installed: pip install 'lstm-edge[cpu]'"),
    ],
)  # fmt: skip
def test_a_broken_library_is_one_line_with_the_cure(
    run: Any, tmp_path: Path, library: str, content: str, message: str
) -> None:
    (tmp_path / f"{library}.py").write_text(content)
    found = run("lstm-run", "good", env=os.environ | {"PYTHONPATH": str(tmp_path)})
    assert found.returncode == 1
    assert found.stderr.startswith(f"Error: {message}")
    assert found.stderr.count("\n") == 1
    assert found.stdout == ""


def test_a_broken_extra_is_not_called_missing() -> None:
    with pytest.raises(MissingExtraError, match="pyarrow cannot be loaded") as caught:  # noqa: SIM117 - two
        with requires_extra("bulk"):
            raise ImportError("libarrow.so: no such file", name="pyarrow.lib")
    assert isinstance(caught.value, ImportError)


def test_matplotlib_is_imported_whatever_backend_the_environment_names(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "matplotlib.py").write_text(
        "import os\nrcParams = {'backend': 'auto'}\nassert 'MPLBACKEND' not in os.environ\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "module://of_jupyter")
    for name in [name for name in sys.modules if name.split(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    with requires_extra("plot"):
        found = importlib.import_module("matplotlib")
    monkeypatch.delitem(sys.modules, "matplotlib")
    # The program's own windows are as it asked for.
    assert (os.environ["MPLBACKEND"], found.rcParams["backend"]) == ("module://of_jupyter",) * 2


def test_a_picture_needs_neither_a_backend_nor_settings_of_matplotlib(
    run: Any, model_files: dict[str, Path], tmp_path: Path
) -> None:
    pytest.importorskip("matplotlib")
    command = ("lstm-run", "--model", str(model_files["int8"]), "--trace", "--plot", "t.png", "a")
    found = run(*command, cwd=tmp_path, env=os.environ | {"MPLBACKEND": "nonsense"})
    assert (found.returncode, found.stderr) == (0, "")
    (tmp_path / "matplotlibrc").write_bytes(b"font.family: caf\xe9\n")
    found = run(*command, cwd=tmp_path)
    assert (found.returncode, found.stdout) == (1, "")
    assert found.stderr.splitlines()[-1].startswith("Error: matplotlib cannot be loaded: its set")
    assert "Traceback" not in found.stderr
