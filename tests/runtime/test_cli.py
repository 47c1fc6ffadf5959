import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .conftest import MIXED


@pytest.fixture
def lstm_run(run: Any, model_files: dict[str, Path]) -> Any:
    def lstm_run(*arguments: str, **options: Any) -> "subprocess.CompletedProcess[str]":
        return run("lstm-run", "--model", str(model_files["int8"]), *arguments, **options)

    return lstm_run


def test_texts_are_answered_one_a_line(lstm_run: Any) -> None:
    found = lstm_run("good film", "a\tb\nc\x1b[31m")
    assert found.returncode == 0
    assert found.stderr == ""
    first, second = found.stdout.splitlines()
    assert first.split("\t")[2] == "good film"
    assert second.endswith("\ta b c [31m")


def test_json_has_the_fields_of_sentiment(lstm_run: Any) -> None:
    found = lstm_run("--json", MIXED, "")
    rows = [json.loads(line) for line in found.stdout.splitlines()]
    assert [row["text"] for row in rows] == [MIXED, ""]
    assert set(rows[0]) == {"text", "label", "score", "scores", "known"}


def test_a_file_that_is_given_as_a_text_is_a_warning(lstm_run: Any, tmp_path: Path) -> None:
    table = tmp_path / "reviews\x1b[31m.csv"
    table.write_text("text\ngood\n", "utf-8")
    found = lstm_run(str(table), "nothing.csv", "good", ".", "x" * 5_000 + ".csv")
    assert found.returncode == 0
    assert len(found.stdout.splitlines()) == 5
    [warning] = [line for line in found.stderr.splitlines() if "as a file" in line]
    assert warning.startswith(
        f"warning: {str(table)!r} is read as a text, not as a file: --model FILE"
    )
    assert "\x1b" not in found.stderr


def test_standard_input_and_a_file_give_the_same(lstm_run: Any, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("good\n\nbad é\n", "utf-8")
    from_file = lstm_run("--input", str(tmp_path / "in.txt"))
    from_pipe = lstm_run("-", input="good\n\nbad é\n")
    assert from_file.stdout == from_pipe.stdout
    assert len(from_file.stdout.splitlines()) == 3


def test_answers_stream_out_as_texts_come_in(run: Any, model_files: dict[str, Path]) -> None:
    command = [str(Path(sys.executable).with_name("lstm-run")), "--model", str(model_files["int8"])]
    with subprocess.Popen([*command, "-"], stdin=-1, stdout=-1, text=True) as process:
        assert process.stdin
        assert process.stdout
        for text in ("good", "bad"):
            process.stdin.write(text + "\n")
            process.stdin.flush()
            assert process.stdout.readline().endswith(f"\t{text}\n")
        process.stdin.close()
    assert process.returncode == 0


def test_verify_and_version(lstm_run: Any, model_files: dict[str, Path]) -> None:
    assert "verified on CPUExecutionProvider" in lstm_run("--verify").stdout
    version = lstm_run("--version").stdout
    assert version.startswith("lstm-run 0.")
    assert "tiny.int8.onnx (int8, checkpoint " in version


def test_info_is_complete_in_text_and_json(lstm_run: Any) -> None:
    lines = lstm_run("--info").stdout
    for name in ("lstm-edge:", "cores:", "onnxruntime:", "cpu: runs", "cuda: ", "precision: int8"):
        assert name in lines
    found = json.loads(lstm_run("--info", "--json").stdout)
    assert found["providers"]["cpu"] == "runs"
    assert found["card"]["architecture"]["hidden_dim"] == 16


def test_info_of_a_missing_model_still_reports(run: Any, tmp_path: Path) -> None:
    found = run("lstm-run", "--info", "--model", str(tmp_path / "none.onnx"))
    assert found.returncode == 0
    assert "none.onnx: no such file" in found.stdout


def test_trace_prints_plain_text_in_a_pipe(lstm_run: Any) -> None:
    found = lstm_run("--trace", "good zebra")
    assert "\x1b" not in found.stdout
    assert "learn" in found.stdout
    assert "(unknown word)" in found.stdout
    assert json.loads(lstm_run("--trace", "--json", "good").stdout)["tokens"] == ["good"]


@pytest.mark.parametrize("kind", [".png", ".svg"])
def test_plot_draws_the_trace(lstm_run: Any, tmp_path: Path, kind: str) -> None:
    picture = tmp_path / f"trace{kind}"
    assert lstm_run("--trace", "--plot", str(picture), MIXED).returncode == 0
    assert picture.stat().st_size > 5000


def test_plot_draws_any_token_without_a_word(lstm_run: Any, tmp_path: Path) -> None:
    found = lstm_run("--trace", "--plot", str(tmp_path / "t.png"), "电影 很好 good")
    assert (found.returncode, found.stderr) == (0, "")


def test_plot_refuses_other_formats(lstm_run: Any, tmp_path: Path) -> None:
    found = lstm_run("--trace", "--plot", str(tmp_path / "trace.txt"), MIXED)
    assert found.returncode == 1
    assert found.stderr.count("\n") == 1
    assert ".png, .svg" in found.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--unknown"],
        ["--threads", "0", "a"],
        ["--verify", "a text"],
        ["--verify", "--info"],
        ["--trace"],
        ["--plot", "x.png", "a text"],
        ["--output", "x.csv"],
        ["--resume", "a text"],
        ["--provider-option", "x", "a text"],
        ["--input", "/nonexistent"],
    ],
)
def test_usage_errors_exit_2(lstm_run: Any, arguments: list[str]) -> None:
    found = lstm_run(*arguments)
    assert found.returncode == 2
    assert "Traceback" not in found.stderr
    assert found.stdout == ""


def test_expected_failures_are_one_line_and_exit_1(lstm_run: Any, run: Any, tmp_path: Path) -> None:
    (tmp_path / "latin1.txt").write_bytes(b"good\nd\xe9j\xe0 vu\n")
    (tmp_path / "foreign.onnx").write_bytes(b"\x08\x07nonsense")
    for found, message in (
        (lstm_run("--input", str(tmp_path / "latin1.txt")), "line 2: not UTF-8"),
        (lstm_run("-", input=b"\xff", text=False), b"standard input, line 1: not UTF-8"),
        (lstm_run("--provider", "Nonsense", "a"), "no execution provider 'Nonsense'"),
        (run("lstm-run", "--model", str(tmp_path / "foreign.onnx"), "a"), "foreign.onnx"),
        (run("lstm-run", "--model", str(tmp_path), "a"), "is a folder"),
        (lstm_run("--input", str(tmp_path)), "irectory"),
    ):
        assert found.returncode == 1
        assert message in found.stderr
        assert len(found.stderr.splitlines()) == 1


@pytest.mark.skipif(os.name == "nt", reason="a POSIX shell's pipe")
def test_a_closed_pipe_ends_quietly(model_files: dict[str, Path]) -> None:
    script = Path(sys.executable).with_name("lstm-run")
    command = f"yes good | {script} --model {model_files['int8']} - | head -1"
    found = subprocess.run(
        ["bash", "-c", command],  # noqa: S607 - bash wherever it is
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert found.stdout.endswith("\tgood\n")
    assert found.stderr == ""


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_ctrl_c_ends_quietly(model_files: dict[str, Path]) -> None:
    script = Path(sys.executable).with_name("lstm-run")
    with subprocess.Popen(
        [str(script), "--model", str(model_files["int8"]), "-"], stdin=-1, stdout=-1, stderr=-1
    ) as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        process.stdin.write(b"good\n")
        process.stdin.flush()
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 1
        assert b"Traceback" not in process.stderr.read()


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
@pytest.mark.parametrize("error", ["RecursionError('deep')", "ImportError('numpy failed')"])
def test_ctrl_c_that_a_library_swallows_ends_quietly(error: str) -> None:
    code = (
        "import click, signal; from lstm_runtime.command import OneLineErrorCommand\n"
        "@click.command(cls=OneLineErrorCommand)\n"
        "def main():\n"
        "    try: signal.raise_signal(signal.SIGINT)\n"
        "    except KeyboardInterrupt: pass\n"
        f"    raise {error}\n"
        "main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (1, "")


def test_max_tokens_reads_the_end(lstm_run: Any) -> None:
    def score(*arguments: str) -> float:
        return float(json.loads(lstm_run("--json", *arguments).stdout)["score"])

    assert score("--max-tokens", "2", "awful awful good film") == score("good film")


@pytest.mark.parametrize(
    ("code", "absent"),
    [
        (
            "import lstm_runtime; lstm_runtime.SentimentModel.load(sys.argv[1])('good')",
            "torch onnx rich matplotlib pyarrow tempfile lstm_training lstm_export".split(),
        ),
        (
            "from lstm_runtime.cli.app import main; main(['--help'], standalone_mode=False)",
            ["numpy", "onnxruntime", "torch", "onnx", "asyncio", "concurrent.futures"],
        ),
    ],
)
def test_only_what_is_needed_is_imported(
    model_files: dict[str, Path], code: str, absent: list[str]
) -> None:
    report = f"print('LOADED', [name for name in {absent} if name in sys.modules])"
    found = subprocess.run(
        [sys.executable, "-c", f"import sys; {code}; {report}", str(model_files["int8"])],
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.endswith("LOADED []\n")


def test_bench_measures_with_given_texts(lstm_run: Any, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("a good film\na dull one\n")
    found = json.loads(lstm_run("--bench", "--json", "--input", str(tmp_path / "in.txt")).stdout)
    assert found["texts"] == 2
    assert found["words"] == 3
    assert 0 < found["p50_ms"] <= found["p95_ms"]


def test_shell_completion_is_there(lstm_run: Any) -> None:
    found = lstm_run(env=os.environ | {"_LSTM_RUN_COMPLETE": "bash_source"})
    assert "complete" in found.stdout
