"""Commands whose standard streams are closed, or cannot say every character."""

import io
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from lstm_runtime import SentimentModel
from lstm_runtime.cli.trace_view import trace_lines
from lstm_runtime.console import can_print, usable_streams

posix = pytest.mark.skipif(os.name == "nt", reason="a POSIX shell closes the streams")


@pytest.fixture
def shell(model_files: dict[str, Path], tmp_path: Path) -> Any:
    """Run lstm-run in bash, with redirections: shell("a text 2>&-")."""

    def shell(words: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        script = Path(sys.executable).with_name("lstm-run")
        return subprocess.run(
            ["bash", "-c", f"{script} --model {model_files['int8']} {words}"],  # noqa: S607 - bash wherever it is
            cwd=tmp_path,
            env=os.environ | environment,
            capture_output=True,
            timeout=60,
            encoding="utf-8",
            check=False,
        )

    return shell


@posix
def test_with_standard_error_closed_everything_else_goes_on(shell: Any, tmp_path: Path) -> None:
    found = shell("'good film' 12345 2>&-")
    assert found.returncode == 0
    assert len(found.stdout.splitlines()) == 2
    (tmp_path / "in.csv").write_text("text\ngood\n\xff\n", "latin-1")
    found = shell("--input in.csv --output out.csv --on-error keep 2>&-")
    assert (found.returncode, found.stdout.startswith("2 rows, 1 without")) == (0, True)
    # Nothing of what libraries say went into a file that got the number of the closed stream.
    assert (tmp_path / "out.csv").read_bytes().startswith(b"text,label,score\ngood,")
    assert shell("--input in.csv --output stop.csv 2>&-").returncode == 1


@posix
def test_with_standard_input_closed_arguments_are_answered(shell: Any) -> None:
    assert shell("good <&-").stdout.endswith("\tgood\n")
    found = shell("- <&-")
    assert (found.returncode, found.stderr) == (1, "Error: standard input is closed\n")


@posix
def test_with_standard_output_closed_there_is_no_traceback(shell: Any, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("text\ngood\n")
    found = shell("--input in.csv --output out.csv >&-")
    assert (found.returncode, found.stderr) == (0, "")
    assert (tmp_path / "out.csv").exists()
    for no_file in ("--input in.csv --output -", "good", "--json good", "--input in.csv", "--info"):
        found = shell(f"{no_file} >&-")
        assert (found.returncode, found.stderr) == (1, "Error: standard output is closed\n")


@posix
@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "utf-8", "latin-1:strict"])
def test_any_output_can_be_written_in_any_encoding(shell: Any, encoding: str) -> None:
    found = shell("'good 👍 film 電影'", PYTHONIOENCODING=encoding)
    assert (found.returncode, found.stderr) == (0, "")
    shown = found.stdout.encode().decode("unicode_escape") if "\\" in found.stdout else found.stdout
    assert "good 👍 film 電影" in shown
    found = shell("電影", PYTHONIOENCODING=encoding)
    assert found.stderr.startswith("warning: ")
    found = shell("--trace 'good film'", PYTHONIOENCODING=encoding)
    assert found.returncode == 0
    assert ("█" in found.stdout) == (encoding == "utf-8")
    assert "#" in found.stdout or encoding == "utf-8"


@pytest.mark.parametrize("flags", [[], ["-O"], ["-OO"]])
def test_the_module_runs_without_docstrings_too(
    run: Any, model_files: dict[str, Path], flags: list[str], tmp_path: Path
) -> None:
    (tmp_path / "in.csv").write_text("text\ngood\n")
    command = ("python", *flags, "-m", "lstm_runtime", "--model", str(model_files["int8"]))
    assert run(*command, "good film").stdout.endswith("\tgood film\n")
    found = run(*command, "--input", str(tmp_path / "in.csv"), "--output", "-")
    assert found.stdout.startswith("text,label,score\ngood,")
    help_text = run(*command[:-2], "--help").stdout
    assert "--input" in help_text
    assert "Tell the sentiment of each TEXT" in help_text


def test_an_apps_own_streams_are_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = io.TextIOWrapper(io.BytesIO(), "ascii", "strict")
    monkeypatch.setattr(sys, "stdout", ours)
    monkeypatch.setattr(sys, "stderr", None)
    with usable_streams():
        assert sys.stdout is ours
        assert not can_print("█")
        print("█")  # noqa: T201 - into our own stream
        print("lost", file=sys.stderr)  # noqa: T201
    assert sys.stderr is None
    assert ours.errors == "strict"
    assert ours.buffer.getvalue() == b"\\u2588\n"  # type: ignore[attr-defined]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
@pytest.mark.parametrize("command", ["lstm-run", "lstm-export", "lstm-train", "lstm-evaluate"])
@pytest.mark.parametrize("option", ["--help", "--version"])
def test_where_nothing_more_can_be_written_there_is_one_line(command: str, option: str) -> None:
    script = Path(sys.executable).with_name(command)
    with Path("/dev/full").open("w") as full:
        found = subprocess.run(
            [script, option], stdout=full, stderr=subprocess.PIPE, timeout=120, check=False
        )
    assert (found.returncode, found.stderr) == (1, b"Error: No space left on device\n")


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no /dev/zero on this system")
def test_input_without_an_end_is_refused_in_bounded_memory(shell: Any) -> None:
    for words in ("--input /dev/zero", "- < /dev/zero"):
        found = shell(words)
        assert found.returncode == 1
        assert found.stderr.count("\n") == 1
        assert "line 1: more than 268,435,456 without a line end" in found.stderr


def test_standard_input_is_no_table(shell: Any) -> None:
    found = shell("--input - <<< 'good'")
    assert found.returncode == 2
    assert "lstm-run -" in found.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
@pytest.mark.parametrize("buffered", ["", "1"])
def test_a_warning_that_cannot_be_written_ends_no_run(shell: Any, buffered: str) -> None:
    found = shell("12345 'good film' 2>/dev/full", PYTHONUNBUFFERED=buffered)
    assert (found.returncode, len(found.stdout.splitlines())) == (0, 2)
    found = shell("--model nothing.onnx good 2>/dev/full", PYTHONUNBUFFERED=buffered)
    assert (found.returncode, found.stdout) == (1, "")


@posix
def test_no_name_of_a_file_or_column_commands_the_terminal(shell: Any, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("te\x1b[2Jxt\ngood\n")
    found = shell("--input in.csv")
    assert (found.returncode, "te\\x1b[2Jxt" in found.stderr) == (1, True)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.csv").write_text("text\ngood\n")
    (tmp_path / "in" / "b\x1b[2J.bin").write_text("")
    found = shell("--input in --output out")
    assert found.stderr == "skipped: in/b\\x1b[2J.bin\n"


def test_no_token_commands_the_terminal(int8: SentimentModel) -> None:
    trace = int8.trace("good film")
    hostile = replace(trace, tokens=("a\x1b[2J", "film"))
    lines = list(trace_lines(hostile, int8.metadata))
    assert lines[-2].startswith("a [2J  ")
    assert "\x1b[2J" not in "".join(lines)
