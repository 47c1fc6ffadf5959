"""``lstm-run TEXT`` as a process: what it imports, and how it ends."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest
from lstm_runtime.cli.app import main
from lstm_runtime.distributed.settings import ClusterJob, ScoringSettings
from lstm_runtime.settings import settings_of

OTHER_MODES = (
    "lstm_runtime.bulk lstm_runtime.distributed lstm_runtime.serving lstm_runtime.trace "
    "lstm_runtime.cli.bench lstm_runtime.cli.bulk lstm_runtime.cli.info lstm_runtime.cli.self_test "
    "lstm_runtime.cli.trace_view lstm_runtime.cli.version lstm_runtime.settings "
    "lstm_runtime.tables.dialect lstm_runtime.tables.formats lstm_runtime.inference.info "
    "lstm_runtime.inference.placement lstm_runtime.inference.probing "
    "lstm_runtime.inference.streaming lstm_runtime.inference.verification"
).split()
SLOW_LIBRARIES = "asyncio concurrent importlib.metadata logging tempfile urllib.request".split()

PUBLIC = (
    "Architecture Metadata Reference Sentiment TextEncoder Tokenizer TokenizerSpec Window"
).split()
"""Dataclasses that an answer needs. Making one takes half a millisecond, a named tuple a tenth."""


def run(model: Path, before: str, after: str = "") -> subprocess.CompletedProcess[str]:
    """Run ``lstm-run good`` as the script does, with code before it and behind it."""
    argv = ["lstm-run", "--model", str(model), "good"]
    code = f"import sys; sys.argv = {argv}\n{before}\n"
    code += f"from lstm_runtime.cli.process import main\nmain()\n{after}"
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )


def test_one_text_imports_nothing_of_other_modes(model_files: dict[str, Path]) -> None:
    found = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "lstm_runtime", "--model",
         str(model_files["int8"]), "good"],
        capture_output=True,
        text=True,
        check=True,
    )  # fmt: skip
    assert found.stdout.endswith("\tgood\n")
    names = set(re.findall(r"^import time:.*\| +(\S+)$", found.stderr, re.MULTILINE))
    assert "lstm_runtime.cli.answers" in names
    packages = tuple(f"{name}." for name in OTHER_MODES + SLOW_LIBRARIES)
    unwanted = {*OTHER_MODES, *SLOW_LIBRARIES}
    assert not {name for name in names if name in unwanted or name.startswith(packages)}


def test_one_text_makes_the_public_dataclasses_only(model_files: dict[str, Path]) -> None:
    report = (
        "import atexit, dataclasses\n"
        "def made():\n"
        "    for module in [m for n, m in sys.modules.items() if n.startswith('lstm_runtime')]:\n"
        "        for kind in vars(module).values():\n"
        "            if isinstance(kind, type) and dataclasses.is_dataclass(kind):\n"
        "                yield kind.__name__\n"
        "atexit.register(lambda: print(*sorted(set(made()))))"
    )
    found = run(model_files["int8"], report)
    assert found.stdout.splitlines()[-1].split() == sorted(PUBLIC)


def test_no_module_imports_the_big_libraries(model_files: dict[str, Path]) -> None:
    # Below a function they have room on the first piece of Python's stack: see `quiet_onnxruntime`.
    report = (
        "class Watch:\n"
        "    def find_spec(name, path=None, target=None):\n"
        "        frame, names = sys._getframe(1), []\n"
        "        while frame is not None:\n"
        "            names.append(frame.f_code.co_name)\n"
        "            frame = frame.f_back\n"
        "        if name in ('numpy', 'onnxruntime'): print(name, names.count('<module>'))\n"
        "sys.meta_path.insert(0, Watch)"
    )
    found = run(model_files["int8"], report)
    # The one module is the script itself.
    assert found.stdout.splitlines()[:2] == ["numpy 1", "onnxruntime 1"]


@pytest.mark.skipif(sys.platform != "linux", reason="threads are counted in /proc")
def test_one_text_takes_one_thread(model_files: dict[str, Path]) -> None:
    report = "import atexit, os; atexit.register(lambda: print(os.listdir('/proc/self/task')))"
    found = run(model_files["int8"], report)
    assert len(ast.literal_eval(found.stdout.splitlines()[-1])) == 1


def test_the_process_ends_without_taking_everything_apart(model_files: dict[str, Path]) -> None:
    before = (
        "import atexit; atexit.register(print, 'at exit')\n"
        "class Kept:\n"
        "    def __del__(self): print('taken apart', flush=True)\n"
        "kept = Kept()"
    )
    found = run(model_files["int8"], before, "print('went on')")
    assert found.stdout.splitlines()[1:] == ["at exit"]
    assert (found.returncode, found.stderr) == (0, "")


def test_the_process_waits_for_other_threads(model_files: dict[str, Path]) -> None:
    before = (
        "import threading\n"
        "def late():\n"
        "    main_thread.join()\n"
        "    print('late')\n"
        "main_thread = threading.main_thread()\n"
        "threading.Thread(target=late).start()"
    )
    found = run(model_files["int8"], before)
    assert found.stdout.splitlines()[1:] == ["late"]
    assert found.returncode == 0


def test_where_exit_functions_cannot_be_run_python_runs_them(model_files: dict[str, Path]) -> None:
    found = run(model_files["int8"], "import atexit; atexit.register(print, 'at exit')\n"
                "del atexit._run_exitfuncs")  # fmt: skip
    assert found.stdout.splitlines()[1:] == ["at exit"]
    assert (found.returncode, found.stderr) == (0, "")


def test_a_stream_that_is_closed_by_then_changes_nothing(model_files: dict[str, Path]) -> None:
    found = run(model_files["int8"], "import atexit; atexit.register(sys.stdout.close)")
    assert (found.returncode, found.stderr) == (0, "")
    assert found.stdout.endswith("\tgood\n")


@pytest.mark.parametrize("settings", [ScoringSettings, ClusterJob])
def test_options_of_a_cluster_have_the_bounds_of_its_settings(settings: type) -> None:
    context = main.make_context("lstm-run", ["good"])
    types = {option.name: option.type for option in main.params}
    assert settings_of(settings)
    for name, declared in settings_of(settings).items():
        assert context.params[name] == getattr(settings, name)
        assert getattr(types[name], "min", None) == declared.at_least
    formats = settings.__annotations__.get("output_format")
    format_type = types["output_format"]
    assert isinstance(format_type, click.Choice)
    assert formats is None or tuple(format_type.choices) == formats.__args__
