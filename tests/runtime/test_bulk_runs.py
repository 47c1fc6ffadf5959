"""Bulk runs beside each other, on full disks, in folders, to pipes, and with texts that fail."""

import gzip
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from lstm_runtime import BulkJob, ClosedError, Dialect, InputError, SentimentModel, run_bulk
from lstm_runtime import run_lock as locks
from lstm_runtime.bulk import job
from lstm_runtime.bulk.journal import Journal
from lstm_runtime.files import atomic_path, create, parents_of
from lstm_runtime.run_lock import RunLock
from lstm_runtime.tables.base import RowResult
from lstm_runtime.tables.formats import open_table

from .conftest import zstd_compress

posix = pytest.mark.skipif(os.name == "nt", reason="POSIX permissions, links and limits")


@pytest.fixture
def lstm_run(run: Any, model_files: dict[str, Path], tmp_path: Path) -> Any:
    def lstm_run(*arguments: str, **options: Any) -> "subprocess.CompletedProcess[str]":
        command = ("lstm-run", "--model", str(model_files["int8"]), *arguments)
        return run(*command, **{"cwd": tmp_path, **options})

    return lstm_run


@pytest.fixture
def csv_file(tmp_path: Path) -> Path:
    path = tmp_path / "in.csv"
    path.write_text("text\n" + "good film\n" * 5)
    return path


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_second_run_is_told_who_is_writing(
    int8: SentimentModel, csv_file: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out.csv"
    with RunLock(tmp_path / ".out.csv.lock", output):
        for how in ({}, {"resume": True}, {"restart": True}):
            with pytest.raises(
                InputError, match=rf"process {os.getpid()} on {socket.gethostname()}"
            ):
                run_bulk(int8, BulkJob(csv_file, output, **how))
    assert run_bulk(int8, BulkJob(csv_file, output)).rows == 5
    assert left(tmp_path) == ["in.csv", "out.csv"]


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".csv.gz", ".tsv"])
def test_of_two_processes_one_writes(tmp_path: Path, suffix: str) -> None:
    source, output = tmp_path / f"in{suffix}", tmp_path / f"out{suffix}"
    rows = "text\n" + "".join(f"a good plot {n} but dull acting\n" * 20 for n in range(500))
    source.write_bytes(gzip.compress(rows.encode()) if suffix.endswith("gz") else rows.encode())
    command = [str(Path(sys.executable).with_name("lstm-run")), "--input", str(source)]
    command += ["--output", str(output), "--threads", "1"]
    with subprocess.Popen(command, stdout=-1, stderr=-1) as first:
        lock = tmp_path / f".out{suffix}.lock"
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and not (lock.exists() and lock.read_bytes()):
            time.sleep(0.01)
        second = subprocess.run(command, capture_output=True, text=True, check=False)
        assert second.returncode == 1
        assert f"is being written by process {first.pid} on " in second.stderr
        first.communicate()
        assert first.returncode == 0
    assert left(tmp_path) == [source.name, output.name]


@posix
@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".csv.gz", ".tsv", ".jsonl.zst"])
def test_killed_and_resumed_a_packed_file_is_as_in_one_run(tmp_path: Path, suffix: str) -> None:
    source = tmp_path / f"in{suffix}"
    rows = [f"word{n} a good plot but dull acting " * 20 for n in range(2500)]
    if "json" in suffix:
        data = "".join(json.dumps({"text": text}) + "\n" for text in rows).encode()
    else:
        data = ("text\n" + "".join(f"{text}\n" for text in rows)).encode()
    pack = {".gz": gzip.compress, ".zst": zstd_compress}.get(source.suffix, bytes)
    source.write_bytes(pack(data))
    script = str(Path(sys.executable).with_name("lstm-run"))
    command = [script, "--input", str(source), "--output"]
    output = tmp_path / f"out{suffix}"
    with subprocess.Popen([*command, str(output)], stdout=-1, stderr=-1) as process:
        journal = tmp_path / f".out{suffix}.journal"
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and process.poll() is None:
            if journal.exists() and journal.stat().st_size > 10_000:
                break
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    assert (tmp_path / f".out{suffix}.lock").exists()
    assert not output.exists()
    again = subprocess.run([*command, str(output)], capture_output=True, text=True, check=False)
    assert "add --resume to go on with it, or --restart" in again.stderr
    resumed = subprocess.run(
        [*command, str(output), "--resume", "--json"], capture_output=True, text=True, check=True
    )
    assert 0 < json.loads(resumed.stdout)["resumed"] < len(rows)
    whole = tmp_path / f"whole{suffix}"
    subprocess.run([*command, str(whole)], capture_output=True, check=True)
    assert output.read_bytes() == whole.read_bytes()
    assert left(tmp_path) == sorted([source.name, output.name, whole.name])


def test_the_lock_of_a_dead_run_does_not_count(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    lock.write_text(json.dumps({"pid": dead.pid, "host": socket.gethostname()}))
    with RunLock(lock, lock):
        assert json.loads(lock.read_text())["pid"] == os.getpid()
    assert not lock.exists()


@pytest.mark.parametrize("content", ["", "[]", "nonsense", "\0\0"])
def test_a_lock_without_a_holder_does_not_count(tmp_path: Path, content: str) -> None:
    (tmp_path / "lock").write_text(content)
    with RunLock(tmp_path / "lock", tmp_path):
        pass


def test_the_lock_of_another_machine_counts_while_it_is_renewed(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    lock.write_text(json.dumps({"pid": 1, "host": "elsewhere"}))
    with pytest.raises(InputError, match="process 1 on elsewhere"):
        RunLock(lock, lock)
    os.utime(lock, (0, time.time() - 2 * locks._DEAD_SECONDS))
    with RunLock(lock, lock):
        pass


@posix
def test_where_files_cannot_be_locked_a_living_process_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fcntl

    def refuse(*_arguments: Any) -> None:
        raise OSError("no locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    lock = tmp_path / "lock"
    lock.write_text(json.dumps({"pid": os.getppid(), "host": socket.gethostname()}))
    with pytest.raises(InputError, match=f"process {os.getppid()} on "):
        RunLock(lock, lock)


def test_a_lock_is_renewed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "_RENEW_SECONDS", -1.0)
    with RunLock(tmp_path / "lock", tmp_path) as lock:
        os.utime(tmp_path / "lock", (0, 0))
        lock.renew()
        assert (tmp_path / "lock").stat().st_mtime > 0


def test_restart_begins_anew(int8: SentimentModel, tmp_path: Path) -> None:
    source, output = tmp_path / "in.txt", tmp_path / "out.txt"
    source.write_bytes(b"good\n" * 100 + b"\xff\n")
    with pytest.raises(InputError):
        run_bulk(int8, BulkJob(source, output))
    report = run_bulk(int8, BulkJob(source, output, on_error="keep", max_tokens=3, restart=True))
    assert (report.resumed, report.rows, report.bad) == (0, 101, 1)


@pytest.mark.parametrize("how", [["--resume", "--restart"], ["--output", "-", "--resume"]])
def test_what_excludes_each_other_is_a_usage_error(lstm_run: Any, csv_file: Path, how: Any) -> None:
    found = lstm_run("--input", csv_file.name, "--output", "out.csv", *how)
    assert found.returncode == 2


@posix
@pytest.mark.parametrize("name", ["out.csv", ".partial.out.csv", ".out.csv.journal"])
def test_no_link_is_followed(
    int8: SentimentModel, csv_file: Path, tmp_path: Path, name: str
) -> None:
    target = tmp_path / "target"
    target.write_text("precious")
    (tmp_path / name).symlink_to(target)
    if "journal" in name:
        with pytest.raises(InputError, match="is a link and no journal"):
            run_bulk(int8, BulkJob(csv_file, tmp_path / "out.csv", resume=True))
    else:
        run_bulk(int8, BulkJob(csv_file, tmp_path / "out.csv"))
        assert (tmp_path / "out.csv").read_text().startswith("text,label,score")
    assert target.read_text() == "precious"


@posix
def test_files_have_the_permissions_of_the_input(
    int8: SentimentModel, csv_file: Path, tmp_path: Path
) -> None:
    csv_file.write_bytes(b"text\n" + b"good\n" * 9 + b"\xff\n")
    csv_file.chmod(0o600)
    before = os.umask(0o022)
    try:
        with pytest.raises(InputError):
            run_bulk(int8, BulkJob(csv_file, tmp_path / "out.csv"))
        assert (tmp_path / ".out.csv.journal").stat().st_mode & 0o777 == 0o600
        job = BulkJob(csv_file, tmp_path / "out.csv", resume=True, on_error="keep")
        run_bulk(int8, job)
        assert (tmp_path / "out.csv").stat().st_mode & 0o777 == 0o600
        with atomic_path(tmp_path / "other") as temporary:
            assert temporary.stat().st_mode & 0o777 == 0o644
    finally:
        assert os.umask(before) == 0o022


@pytest.mark.parametrize("below", ["x.csv", "folder/x.csv"])
def test_a_folder_that_is_a_file_is_named(tmp_path: Path, below: str) -> None:
    (tmp_path / "in.csv").write_text("text\n")
    with (
        pytest.raises(NotADirectoryError, match=r"is a file, not a folder: '.*in\.csv'"),
        atomic_path(tmp_path / "in.csv" / below),
    ):
        pass


@posix
def test_a_new_file_follows_nothing(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(FileExistsError):
        create(tmp_path / "link")
    with atomic_path(tmp_path / "link") as temporary:
        temporary.write_text("new")
    assert not (tmp_path / "nowhere").exists()


def test_new_folders_go_when_nothing_was_written(
    int8: SentimentModel, tmp_path: Path, csv_file: Path
) -> None:
    csv_file.write_text("text\n\xff", "latin-1")
    with pytest.raises(InputError):
        run_bulk(int8, BulkJob(csv_file, tmp_path / "a" / "b" / "out.csv"))
    with pytest.raises(ValueError, match="no"), atomic_path(tmp_path / "c" / "d" / "e"):
        raise ValueError("no")
    with pytest.raises(ValueError, match="no"), parents_of(tmp_path / "f" / "g"):
        (tmp_path / "f" / "kept").write_text("")
        raise ValueError("no")
    assert left(tmp_path) == ["f", "in.csv"]


def test_what_cannot_be_written_fails_before_the_first_row(
    int8: SentimentModel, csv_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(InputError, match="is a folder: name the file"):
        run_bulk(int8, BulkJob(csv_file, tmp_path / "folder.csv"))
    for nameless in (".", "/"):
        with pytest.raises(InputError, match="is a folder: name the file"):
            run_bulk(int8, BulkJob(csv_file, Path(nameless)))
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.csv").write_text("text\ngood\n")
    with pytest.raises(InputError, match="is a file: the answers of a folder go into a folder"):
        run_bulk(int8, BulkJob(tmp_path / "in", csv_file))
    (tmp_path / "in" / "z.csv").write_text("review\ngood\n")
    with pytest.raises(InputError, match=r"z\.csv: no column 'text'"):
        run_bulk(int8, BulkJob(tmp_path / "in", tmp_path / "out"))
    monkeypatch.setattr("shutil.disk_usage", lambda _path: type("Usage", (), {"free": 3})())
    with pytest.raises(InputError, match=r"has room for 0\.0 MB, and the answers take"):
        run_bulk(int8, BulkJob(csv_file, tmp_path / "out.csv"))
    assert left(tmp_path) == ["folder.csv", "in", "in.csv"]


@posix
@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".tsv", ".parquet"])
def test_a_full_disk_is_one_line_and_nothing_is_lost(
    lstm_run: Any, tmp_path: Path, suffix: str
) -> None:
    import random
    import resource

    numbers = random.Random(0)
    rows = [f"good film {numbers.random()}" for _ in range(6000)]
    source, output = tmp_path / f"in{suffix}", tmp_path / f"out{suffix}"
    data = ("text\n" + "".join(f"{row}\n" for row in rows)).encode()
    if suffix == ".parquet":
        import pyarrow as pa
        from pyarrow import parquet

        parquet.write_table(pa.table({"text": rows}), source)
    else:
        source.write_bytes(gzip.compress(data) if suffix.endswith("gz") else data)

    def limited(size: int) -> Callable[[], None]:
        return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    command = ("--input", source.name, "--output", output.name, "--resume")
    for size in (10_000, 120_000):
        found = lstm_run(*command, preexec_fn=limited(size))
        if found.returncode == 0:
            break
        assert found.returncode == 1
        assert found.stderr.count("\n") == 1
        assert f"out{suffix}" in found.stderr
        assert "too large" in found.stderr.lower()
        assert not output.exists()
        assert not [name for name in left(tmp_path) if "partial" in name or "lock" in name]
    report = json.loads(lstm_run(*command, "--json").stdout)
    assert (report["rows"], report["bad"]) == (len(rows), 0)
    assert left(tmp_path) == [source.name, output.name]


@pytest.mark.parametrize("threads", [1, 4])
def test_a_text_that_gets_no_answer_is_a_bad_row(
    tmp_path: Path, model_files: dict[str, Path], threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = SentimentModel.load(model_files["int8"], "cpu", threads)
    feed = model._engine.text_feed

    def failing(texts: Any, max_tokens: Any = None) -> Any:
        if any("fails" in text for text in texts):
            raise InputError("no answer for this one")
        return feed(texts, max_tokens)

    monkeypatch.setattr(model._engine, "text_feed", failing)
    source = tmp_path / "in.txt"
    lines = [f"{'fails' if n in {7, 8, 700, 2999} else 'good'} {n}" for n in range(3000)]
    source.write_text("\n".join(lines))
    report = run_bulk(model, BulkJob(source, tmp_path / "out.csv", on_error="keep"))
    assert (report.rows, report.bad) == (3000, 4)
    wanted = [f"{source}, line {n + 1}: no answer for this one" for n in (7, 8, 700, 2999)]
    assert list(report.problems) == wanted
    answered = (tmp_path / "out.csv").read_text().splitlines()[1:]
    assert [line.startswith(f"{text},,") for line, text in zip(answered, lines, strict=True)] == [
        "fails" in text for text in lines
    ]
    with pytest.raises(InputError, match=r"line 8: no answer for this one \(--on-error keep"):
        run_bulk(model, BulkJob(source, tmp_path / "stop.csv"))
    model.close()
    with pytest.raises(ClosedError):
        run_bulk(model, BulkJob(source, tmp_path / "closed.csv", on_error="keep"))


def test_too_few_known_words_make_a_bad_row(int8: SentimentModel, tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    source.write_text('text\ngood film\ngood zebra\nzebra yak\n""\n')
    job = BulkJob(source, tmp_path / "out.csv", on_error="keep", known=True, min_known=0.5)
    report = run_bulk(int8, job)
    assert (report.rows, report.bad, report.unknown) == (4, 2, 2)
    assert (
        "line 4: the model knows 0% of its words, less than --min-known 0.5" in report.problems[0]
    )
    rows = (tmp_path / "out.csv").read_text().splitlines()
    assert rows[0] == "text,label,score,known"
    assert [row.rsplit(",", 1)[1] for row in rows[1:]] == ["1.0", "0.5", "0.0", "0.0"]
    assert rows[3] == "zebra yak,,,0.0"
    report = run_bulk(int8, BulkJob(source, tmp_path / "all.csv"))
    assert (report.bad, report.unknown) == (0, 2)


def test_a_folder_is_scored_with_what_it_holds_below(lstm_run: Any, tmp_path: Path) -> None:
    for name in ("in/a.csv", "in/deep/b.tsv", "in/notes.pdf"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("text\ngood\n")
    found = lstm_run("--input", "in", "--output", "in/out")
    assert (found.returncode, found.stderr) == (0, "skipped: in/deep, in/notes.pdf\n")
    found = lstm_run("--input", "in", "--output", "in/out", "--recursive")
    assert (found.returncode, found.stderr) == (0, "skipped: in/notes.pdf\n")
    assert (tmp_path / "in/out/deep/b.tsv").read_text().startswith("text\tlabel\tscore\ngood\t")
    assert left(tmp_path / "in" / "out") == ["a.csv", "deep"]


@pytest.mark.parametrize("suffix", [".csv", ".tsv.gz", ".json", ".txt"])
def test_a_table_can_be_written_to_standard_output(
    lstm_run: Any, tmp_path: Path, suffix: str
) -> None:
    content = '[{"text": "good"}]' if suffix == ".json" else "text\ngood\n"
    data = content.encode()
    (tmp_path / f"in{suffix}").write_bytes(gzip.compress(data) if suffix.endswith("gz") else data)
    found = lstm_run("--input", f"in{suffix}", "--output", "-")
    assert found.returncode == 0
    assert " rows/s)" in found.stderr
    assert lstm_run("--input", f"in{suffix}", "--output", f"out{suffix}").returncode == 0
    written = (tmp_path / f"out{suffix}").read_bytes()
    written = gzip.decompress(written) if suffix.endswith("gz") else written
    assert found.stdout == written.decode()
    assert left(tmp_path) == [f"in{suffix}", f"out{suffix}"]


def test_standard_output_takes_no_folder_and_no_parquet(lstm_run: Any, tmp_path: Path) -> None:
    (tmp_path / "in.parquet").write_bytes(b"")
    for source, message in (("in.parquet", "Parquet goes into a file"), (".", "is a folder")):
        found = lstm_run("--input", source, "--output", "-")
        assert found.returncode == 1
        assert message in found.stderr
        assert found.stdout == ""


def test_on_error_keep_goes_on_past_a_bad_line(lstm_run: Any) -> None:
    found = lstm_run("--on-error", "keep", "-", input=b"good\n\xff\nfilm\n", text=False)
    assert found.returncode == 0
    first, bad, last = found.stdout.splitlines()
    assert first.endswith(b"\tgood")
    assert bad == b"\t\t"
    assert last.endswith(b"\tfilm")
    assert found.stderr == b"warning: standard input, line 2: not UTF-8 (byte 1)\n"
    found = lstm_run(
        "--json", "--on-error", "keep", "--min-known", "0.6", "-", input="good zebra\n"
    )
    told = json.loads(found.stdout)
    assert told == {"text": "good zebra", "label": None, "score": None, "known": 0.5}
    found = lstm_run("--min-known", "0.6", "good zebra")
    assert found.returncode == 1
    assert "knows 50% of its words" in found.stderr


def test_texts_without_a_known_word_are_pointed_out(lstm_run: Any) -> None:
    found = lstm_run("12345", "good", "電影很好", "", "zebra", "yak")
    assert found.returncode == 0
    assert len(found.stdout.splitlines()) == 6
    assert found.stderr.splitlines() == [
        "warning: '12345': the model knows no word of it",
        "warning: '電影很好': the model knows no word of it",
        "warning: '': the model knows no word of it",
        "warning: the model knows no word of 5 texts",
    ]


def test_options_without_a_meaning_are_usage_errors(lstm_run: Any, tmp_path: Path) -> None:
    for name in ("in.jsonl", "in.csv", "in.txt", "in.parquet"):
        (tmp_path / name).write_text("")
    for arguments, message in (
        (["in.jsonl", "--delimiter", ";"], "--delimiter has no meaning: only CSV and TSV"),
        (["in.parquet", "--encoding", "cp1252"], "--encoding has no meaning"),
        (["in.csv", "--recursive", "--output", "out.csv"], "--recursive has no meaning"),
        (["in.txt", "--known", "--output", "out.txt"], "--known has no meaning"),
        (["in.csv", "--encoding", "utf-9"], "there is no encoding 'utf-9'"),
        (["in.csv", "--encoding", "idna"], "there is no encoding 'idna'"),
        (["in.csv", "--encoding", "punycode"], "there is no encoding 'punycode'"),
        (["in.csv", "--min-known", "nan"], "'nan' is no number"),
        (["in.csv", "--delimiter", "ab"], "the delimiter is one character"),
    ):
        found = lstm_run("--input", *arguments)
        assert found.returncode == 2, arguments
        assert message in found.stderr


def test_a_run_is_resumed_with_the_dialect_it_began_with(
    int8: SentimentModel, tmp_path: Path
) -> None:
    source = tmp_path / "in.csv"
    source.write_bytes(b"text|n\n" + b"good|1\n" * 9 + b"\xff|1\n")
    job = {"source": source, "output": tmp_path / "out.csv"}
    with pytest.raises(InputError, match="not UTF-8"):
        run_bulk(int8, BulkJob(**job, dialect=Dialect(delimiter="|")))
    with pytest.raises(InputError, match="another --encoding"):
        run_bulk(int8, BulkJob(**job, dialect=Dialect("cp1252", "|"), resume=True))


def test_what_the_encoding_cannot_hold_is_told_before_the_first_row(
    int8: SentimentModel, tmp_path: Path
) -> None:
    source = tmp_path / "in.csv"
    source.write_text("text\ngood\n", "cp1252")
    job = BulkJob(source, tmp_path / "out.csv", prefix="как_", dialect=Dialect("cp1252"))
    with pytest.raises(InputError, match=r"in\.csv: cp1252 has no 'как'"):
        run_bulk(int8, job)
    labels = replace(job, prefix="").columns_for(int8)._replace(answers=("плохо",))
    with pytest.raises(InputError, match=r"in\.csv: cp1252 has no 'плохо'"):
        open_table(source, labels, job.dialect).check()
    assert left(tmp_path) == ["in.csv"]


@pytest.mark.parametrize(
    "damaged",
    [
        "[]", '["positive"]', '["positive", 0.5, 1, 2, 3]', "[" * 100_000, "null", "{}", "\0",
        '["negative", 0.74, 1.0, 1548154793]', '["positive", 0.75, 1.0, 1548154793]',
        '["negative", 0.75, 1.0, "1548154793"]', '[NaN, {"a": 1}, Infinity, 1548154793]',
    ],
)  # fmt: skip
def test_a_damaged_row_of_the_journal_is_scored_again(tmp_path: Path, damaged: str) -> None:
    subject = {"input": "a"}
    path = tmp_path / ".out.csv.journal"
    with Journal(path, subject, resume=False) as journal:
        for label in ("positive", "negative", "positive"):
            journal.append(RowResult(label, 0.75, 1.0))
    lines = path.read_text().splitlines()
    assert lines[2] == '["negative", 0.75, 1.0, 1548154793]'
    lines[2] = damaged
    path.write_text("\n".join(lines) + "\n")
    with Journal(path, subject, resume=True) as journal:
        assert list(journal.answers()) == [RowResult("positive", 0.75, 1.0)]
        journal.append(RowResult(None, None, None))
        assert journal.rows == 2
        assert list(journal.answers())[1] == RowResult(None, None, None)


def test_a_journal_with_more_answers_than_rows_is_refused(tmp_path: Path) -> None:
    path = tmp_path / ".out.csv.journal"
    task: Any = SimpleNamespace(table=SimpleNamespace(rows=lambda: iter("ab")), journal=path)
    nothing: Any = None
    with Journal(path, {}, resume=False) as journal:
        for _ in range(3):
            journal.append(RowResult("positive", 0.75, 1.0))
        with pytest.raises(InputError, match="more answers than there are rows: add --restart"):
            job._score(nothing, task, journal, nothing, nothing)


@posix
def test_a_pipe_with_the_name_of_a_table_is_refused(lstm_run: Any, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "in.csv")
    for more in ((), ("--output", "out.csv")):
        found = lstm_run("--input", "in.csv", *more)
        assert (found.returncode, found.stderr.count("\n")) == (1, 1)
        assert "in.csv: a pipe can be read once" in found.stderr
