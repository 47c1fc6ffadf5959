"""Every mode of ``lstm-run`` with every option: it is taken, or it is a usage error."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import lstm_runtime
import pytest
from lstm_runtime.cli.app import given_names, main
from lstm_runtime.cli.modes import MODES, TEXT, Mode, choose_mode, mode_table

VALUES = {
    TEXT: ["a text"],
    "--input": ["--input", "in.csv"],
    "--output": ["--output", "out.csv"],
    "--plot": ["--plot", "out.png"],
    "--model": ["--model", "model.onnx"],
    "--text-column": ["--text-column", "review"],
    "--prefix": ["--prefix", "new_"],
    "--on-error": ["--on-error", "keep"],
    "--max-tokens": ["--max-tokens", "5"],
    "--provider": ["--provider", "cpu"],
    "--provider-option": ["--provider-option", "a=b"],
    "--threads": ["--threads", "2"],
    "--batch-size": ["--batch-size", "1"],
    "--engine": ["--engine", "ray"],
    "--ray-address": ["--ray-address", "auto"],
    "--workers": ["--workers", "2"],
    "--gpus-per-worker": ["--gpus-per-worker", "1"],
    "--id-column": ["--id-column", "id"],
    "--output-format": ["--output-format", "csv"],
    "--rows-per-part": ["--rows-per-part", "9"],
    "--encoding": ["--encoding", "cp1252"],
    "--delimiter": ["--delimiter", ";"],
    "--quoting": ["--quoting", "none"],
    "--min-known": ["--min-known", "0.5"],
}
"""A valid value for each option that takes one."""

OPTIONS = [
    TEXT,
    *(option.opts[0] for option in main.params if isinstance(option, click.Option)),
]

TOGETHER = {
    (TEXT, "--trace"): "trace",
    ("--input", "--output"): "bulk",
    ("--input", "--bench"): "bench",
}
"""Two that ask for an answer, or together for another mode."""

WANTED = """
                    TEXT --input --output --trace --bench --verify --self-test --info --version
TEXT                need .        .        need    .       .        .           .      .
--input             .    need     need     .       take    .        .           .      .
--text-column       .    take     take     .       take    .        .           .      .
--encoding          .    take     take     .       take    .        .           .      .
--delimiter         .    take     take     .       take    .        .           .      .
--quoting           .    take     take     .       take    .        .           .      .
--recursive         .    .        take     .       .       .        .           .      .
--max-tokens        take take     take     take    .       .        .           .      .
--output            .    .        need     .       .       .        .           .      .
--prefix            .    .        take     .       .       .        .           .      .
--known             .    .        take     .       .       .        .           .      .
--min-known         take take     take     .       .       .        .           .      .
--on-error          take take     take     .       .       .        .           .      .
--resume            .    .        take     .       .       .        .           .      .
--restart           .    .        take     .       .       .        .           .      .
--json              take take     take     take    take    take     take        take   take
--plot              .    .        .        take    .       .        .           .      .
--model             take take     take     take    take    take     take        take   take
--provider          take take     take     take    take    take     take        .      .
--provider-option   take take     take     take    take    take     take        .      .
--threads           .    .        take     .       take    .        take        .      .
--batch-size        .    .        take     .       .       .        .           .      .
--engine            .    .        take     .       .       .        .           .      .
--ray-address       .    .        take     .       .       .        .           .      .
--workers           .    .        take     .       .       .        .           .      .
--gpus-per-worker   .    .        take     .       .       .        .           .      .
--id-column         .    .        take     .       .       .        .           .      .
--output-format     .    .        take     .       .       .        .           .      .
--rows-per-part     .    .        take     .       .       .        .           .      .
--trace             .    .        .        need    .       .        .           .      .
--bench             .    .        .        .       need    .        .           .      .
--verify            .    .        .        .       .       need     .           .      .
--self-test         .    .        .        .       .       .        need        .      .
--info              .    .        .        .       .       .        .           need   .
--version           .    .        .        .       .       .        .           .      need
"""


@pytest.fixture(autouse=True)
def _table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "in.csv").write_text("text\ngood\n")
    monkeypatch.chdir(tmp_path)


def _arguments(names: set[str]) -> list[str]:
    return [word for name in sorted(names) for word in VALUES.get(name, [name])]


def _chosen(names: set[str]) -> Mode:
    with main.make_context("lstm-run", _arguments(names)) as context:
        return choose_mode(given_names(context))


def test_the_table_is_as_decided() -> None:
    header, *lines = WANTED.strip("\n").splitlines()
    modes = header.split()
    assert [mode.chosen_by for mode in MODES] == modes
    wanted = {
        (name, mode): {".": "", "take": "taken", "need": "needed"}[cell]
        for name, *cells in (line.split() for line in lines)
        for mode, cell in zip(modes, cells, strict=True)
    }
    (_, *columns), *rows = mode_table()
    found = {
        (name, mode): cell
        for name, *cells in rows
        for mode, cell in zip(columns, cells, strict=True)
    }
    assert found == wanted
    assert {name for name, _ in found} == set(OPTIONS)


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.name)
@pytest.mark.parametrize("option", OPTIONS)
def test_an_option_is_taken_or_a_usage_error(mode: Mode, option: str) -> None:
    names = {mode.chosen_by, *mode.needs, option}
    of_a_table = {"--text-column", "--encoding", "--delimiter", "--quoting"}
    if option in of_a_table and mode.chosen_by == "--bench":
        names |= {"--input"}
    if option in mode.takes:
        assert _chosen(names) == mode
    elif (mode.chosen_by, option) in TOGETHER:
        assert _chosen(names).name == TOGETHER[mode.chosen_by, option]
    else:
        with pytest.raises(click.UsageError, match=option.strip("-") if option != TEXT else TEXT):
            _chosen(names)


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.name)
def test_what_a_mode_needs_is_asked_for(mode: Mode) -> None:
    for missing in mode.needs:
        with pytest.raises(click.UsageError, match=r"needs (a TEXT|--input FILE)"):
            _chosen({mode.chosen_by, *mode.needs} - {missing})


@pytest.fixture
def lstm_run(run: Any, model_files: dict[str, Path]) -> Any:
    def lstm_run(*arguments: str, **options: Any) -> Any:
        return run("lstm-run", "--model", str(model_files["int8"]), *arguments, **options)

    return lstm_run


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--batch-size", "8", "a text"], "TEXT takes no --batch-size; it goes with --output"),
        (["--threads", "2", "a text"], "it goes with --output or --bench"),
        (["--info", "--provider", "Nonsense"], "--info takes no --provider"),
        (["--input", "in.csv", "--prefix", "x"], "--input takes no --prefix"),
        (["--bench", "--text-column", "review"], "--text-column needs --input FILE"),
        (["--input", "in.txt", "--text-column", "a"], "plain text has no columns"),
        (["--input", "in.txt", "--output", "out.txt", "--prefix", "a"], "plain text has no col"),
        (["--trace", "--plot", "x.png", "-"], "--plot needs one TEXT"),
        (["--trace", "--plot", "x.png", "a", "b"], "--plot needs one TEXT"),
        (["--prefix", "x"], "--prefix needs --output FILE"),
        (["--model", "x"], "give a TEXT, - for standard input, or --input FILE"),
    ],
)
def test_what_would_have_no_effect_is_a_usage_error(
    run: Any, tmp_path: Path, arguments: list[str], message: str
) -> None:
    (tmp_path / "in.txt").write_text("good\n")
    found = run("lstm-run", *arguments)
    assert found.returncode == 2
    assert message in found.stderr
    assert found.stdout == ""


@pytest.mark.parametrize(
    "arguments",
    [["a text"], ["--input", "in.csv"], ["--input", "in.csv", "--output", "out.csv"],
     ["--trace", "good"], ["--bench"], ["--verify"], ["--info"], ["--version"]],
    ids=lambda arguments: arguments[0],
)  # fmt: skip
def test_every_mode_speaks_json(lstm_run: Any, arguments: list[str]) -> None:
    found = lstm_run("--json", *arguments)
    assert found.returncode == 0, found.stderr
    assert all(isinstance(json.loads(line), dict) for line in found.stdout.splitlines())
    assert found.stdout.count("\n") == 1


def test_verify_says_in_json_what_it_found(lstm_run: Any) -> None:
    found = json.loads(lstm_run("--verify", "--json").stdout)
    assert found["passed"] is True
    assert 0 <= found["max_difference"] <= found["tolerance"]
    assert (found["count"], found["model"]) == (16, "tiny.int8.onnx")


def test_a_trace_reads_the_last_tokens_too(lstm_run: Any) -> None:
    traced = json.loads(lstm_run("--trace", "--max-tokens", "2", "--json", "a good film").stdout)
    answer = json.loads(lstm_run("--max-tokens", "2", "--json", "a good film").stdout)
    assert traced["tokens"] == ["good", "film"]
    assert traced["sentiment"] == answer
    assert answer["text"] == "a good film"


@pytest.mark.parametrize("name", ["in.csv", "in.TSV", "in.jsonl", "in.csv.gz"])
def test_a_table_without_an_output_is_answered_on_standard_output(
    lstm_run: Any, tmp_path: Path, name: str
) -> None:
    import gzip

    quoted = ("--quoting", "csv") if name == "in.TSV" else ()
    content = {"in.jsonl": '{"n": 1, "review": "good\\nfilm"}\n{"review": "awful, dull"}\n'}.get(
        name, 'n,review\n1,"good\nfilm"\n2,"awful, dull"\n'
    )
    if name == "in.TSV":
        content = 'n\treview\n1\t"good\nfilm"\n2\tawful, dull\n'
    data = content.encode()
    (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    found = lstm_run("--input", name, "--text-column", "review", "--json", *quoted)
    rows = [json.loads(line) for line in found.stdout.splitlines()]
    assert [row["text"] for row in rows] == ["good\nfilm", "awful, dull"]
    alone = lstm_run("--json", "good\nfilm", "awful, dull")
    assert alone.stdout == found.stdout


def test_a_table_without_the_column_is_one_line(lstm_run: Any) -> None:
    found = lstm_run("--input", "in.csv", "--text-column", "review")
    assert found.returncode == 1
    assert "no column 'review' (found: text); see --text-column" in found.stderr
    assert len(found.stderr.splitlines()) == 1


def test_the_version_needs_no_onnxruntime(run: Any, tmp_path: Path) -> None:
    (tmp_path / "onnxruntime.py").write_text("raise ImportError('not today')")
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    found = run("lstm-run", "--version", env=environment)
    assert found.returncode == 0, found.stderr
    assert found.stdout.startswith("lstm-run 0.")
    assert "default.int8.onnx (int8, checkpoint " in found.stdout


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_the_help_opens_with_two_examples_and_is_grouped(run: Any, flag: str) -> None:
    text = run("lstm-run", flag).stdout
    parts = [
        text.index(f"\n{name}:\n") for name in ("Examples", "Input", "Output", "Model", "Device")
    ]
    assert parts == sorted(parts)
    examples = text[parts[0] : parts[1]].strip().splitlines()[1:]
    assert len(examples) == 2
    assert all(line.startswith("  lstm-run ") for line in examples)


def test_the_package_runs_as_a_module(run: Any) -> None:
    found = run("python", "-m", "lstm_runtime", "--version")
    assert found.stdout == run("lstm-run", "--version").stdout
    assert found.returncode == 0


def test_a_copy_without_metadata_says_its_version(tmp_path: Path) -> None:
    shutil.copytree(Path(lstm_runtime.__file__).parent, tmp_path / "lstm_runtime")
    code = (
        "import importlib.metadata as metadata\n"
        "real = metadata.version\n"
        "def version(name):\n"
        "    if name == 'lstm-edge':\n"
        "        raise metadata.PackageNotFoundError(name)\n"
        "    return real(name)\n"
        "metadata.version = version\n"
        "import lstm_runtime\n"
        "print(lstm_runtime.__file__)\n"
        "print(lstm_runtime.SentimentModel.load().info.versions['lstm-edge'])\n"
        "from lstm_runtime.cli.app import main\n"
        "main(['--info', '--json'])"
    )
    found = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    home, told, report = found.stdout.splitlines()
    assert home.startswith(str(tmp_path))
    assert told == lstm_runtime.__version__ == json.loads(report)["lstm_edge"]
