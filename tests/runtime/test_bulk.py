import csv
import gzip
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from lstm_runtime import InputError, SentimentModel
from lstm_runtime.bulk.job import BulkJob, BulkReport, run_bulk
from lstm_runtime.tables.formats import SUFFIXES
from pyarrow import parquet

from .conftest import MIXED, zstd_compress, zstd_decompress

TEXTS = [
    "good film",
    MIXED,
    "",
    'a "quoted", text',
    "two\nlines",
    "ünï\u2028c\x85de 👍",
    "awful\tdull",
]


def _write_table(path: Path, texts: list[str]) -> None:
    """Write a table with the texts and two more columns, in the format of its name."""
    if path.suffix.lower() in PACKED:
        _write_table(path.with_suffix(""), texts)
        path.write_bytes(PACKED[path.suffix.lower()](path.with_suffix("").read_bytes()))
        path.with_suffix("").unlink()
        return
    rows = [{"id": n, "text": text, "more": f"m{n}"} for n, text in enumerate(texts)]
    match path.suffix.lower():
        case ".txt":
            path.write_text("".join(f"{text}\n" for text in texts), "utf-8", newline="")
        case ".json":
            path.write_text(json.dumps(rows, ensure_ascii=False, indent=1), "utf-8")
        case ".tsv":
            fields = [["id", "text", "more"], *([str(v) for v in row.values()] for row in rows)]
            path.write_text("".join("\t".join(row) + "\n" for row in fields), "utf-8")
        case ".jsonl" | ".ndjson":
            lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
            path.write_text("".join(lines), "utf-8")
        case ".parquet":
            parquet.write_table(pa.Table.from_pylist(rows), path)
        case _:
            with path.open("w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, ["id", "text", "more"])
                writer.writeheader()
                writer.writerows(rows)


def _read_table(path: Path) -> list[dict[str, Any]]:
    """Return the rows of an output, with all that was in the file."""
    if path.suffix.lower() in PACKED:
        path.with_suffix("").write_bytes(UNPACKED[path.suffix.lower()](path.read_bytes()))
        rows = _read_table(path.with_suffix(""))
        path.with_suffix("").unlink()
        return rows
    match path.suffix.lower():
        case ".txt":
            lines = path.read_bytes().decode().removesuffix("\n").split("\n")
            cells = [line.split("\t", 2) for line in lines]
            return [{"label": c[0], "score": c[1], "text": c[2]} for c in cells]
        case ".tsv":
            lines = path.read_bytes().decode().removesuffix("\n").split("\n")
            header, *rest = [line.split("\t") for line in lines]
            return [dict(zip(header, cells, strict=True)) for cells in rest]
        case ".json" | ".jsonl" | ".ndjson":
            data = path.read_bytes()
            return list(
                map(json.loads, data.splitlines()) if data[:1] == b"{" else json.loads(data)
            )
        case ".parquet":
            return list(parquet.read_table(path).to_pylist())
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


PACKED = {".gz": gzip.compress, ".zst": zstd_compress}
UNPACKED = {".gz": gzip.decompress, ".zst": zstd_decompress}


@pytest.fixture
def bulk(int8: SentimentModel) -> Callable[..., BulkReport]:
    def bulk(source: Path, output: Path, **options: Any) -> BulkReport:
        return run_bulk(int8, BulkJob(source, output, **options))

    return bulk


@pytest.mark.parametrize(
    "suffix",
    [
        *SUFFIXES, ".CSV", ".Parquet", ".txt.gz", ".csv.gz", ".TSV.GZ", ".jsonl.gz", ".json.gz",
        ".csv.zst", ".Tsv.Zst", ".ndjson.zst",
    ],
)  # fmt: skip
def test_every_format_keeps_its_columns_and_adds_the_answers(
    int8: SentimentModel, bulk: Any, tmp_path: Path, suffix: str
) -> None:
    plain = suffix.startswith(".txt")
    # Neither has quotes for them.
    not_within = {".txt": "\n", ".tsv": "\n\t"}.get(suffix.lower()[:4], "")
    texts = [text for text in TEXTS if not set(text) & set(not_within)]
    texts = texts * 40
    source, output = tmp_path / f"in{suffix}", tmp_path / f"out{suffix}"
    _write_table(source, texts)
    report = bulk(source, output)
    rows = _read_table(output)
    assert (report.rows, report.bad, report.resumed) == (len(texts), 0, 0)
    assert [row["text"] for row in rows] == texts
    for n, (row, wanted) in enumerate(zip(rows, int8(texts), strict=True)):
        assert row["label"] == wanted.label
        assert float(row["score"]) == pytest.approx(wanted.score, abs=1e-3)
        if not plain:
            assert list(row) == ["id", "text", "more", "label", "score"]
            assert (int(row["id"]), row["more"]) == (n, f"m{n}")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([source.name, output.name])


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".ndjson", ".json"])
def test_text_may_become_a_table(bulk: Any, tmp_path: Path, suffix: str) -> None:
    _write_table(tmp_path / "in.txt", ["good", "", "bad, too"])
    bulk(tmp_path / "in.txt", tmp_path / f"out{suffix}")
    rows = _read_table(tmp_path / f"out{suffix}")
    assert [row["text"] for row in rows] == ["good", "", "bad, too"]
    assert list(rows[0]) == ["text", "label", "score"]


def test_a_folder_is_scored_file_by_file(bulk: Any, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for suffix in SUFFIXES:
        _write_table(folder / f"part{suffix}", ["good", "bad"])
    (folder / "README").write_text("not a table")
    report = bulk(folder, tmp_path / "out")
    assert (report.files, report.rows) == (len(SUFFIXES), 2 * len(SUFFIXES))
    assert {path.suffix for path in (tmp_path / "out").iterdir()} == set(SUFFIXES)


def test_json_lines_stay_as_they_were(bulk: Any, tmp_path: Path) -> None:
    source, output = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text('{"n": 1.50, "text": "caf\\u00e9", "n": 2 }\r\n\n{"text":""}\n')
    bulk(source, output)
    first, second = output.read_text().splitlines()
    assert first.startswith('{"n": 1.50, "text": "caf\\u00e9", "n": 2, "label": "')
    assert second.startswith('{"text":"", "label": "')


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"text\ngood\n\xff\n", r"a\.csv, line 3: not UTF-8"),
        ("a.csv", b"text,n\ngood,1\nbad\n", "line 3: 1 fields, but the header has 2"),
        ("a.csv", b'text,n\n"good"x,1\n', "line 2: not CSV"),
        ("a.csv", b'text,n\n"good,1\n', "line 2: not CSV"),
        ("a.tsv", b"text\tn\ngood\t1\t2\n", "line 2: 3 fields"),
        ("a.txt", b"good\n\xff\n", "line 2: not UTF-8"),
        ("a.jsonl", b'{"text": "good"}\nnonsense\n', "line 2: not a JSON object"),
        ("a.jsonl", b'{"text": 3}\n', "line 1: the field 'text' is no string"),
        ("a.jsonl", b'{"txt": "a"}\n', "line 1: no field 'text'; see --text-column"),
        ("a.jsonl", b"[" * 100_000 + b"\n", "line 1: not a JSON object"),
    ],
)
def test_a_bad_row_stops_the_run_or_is_kept(
    bulk: Any, tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    source, output = tmp_path / name, tmp_path / f"out{Path(name).suffix}"
    source.write_bytes(content)
    with pytest.raises(InputError, match=message):
        bulk(source, output)
    assert not output.exists()
    report = bulk(source, output, on_error="keep", resume=True)
    assert report.bad == 1
    assert len([p for p in tmp_path.iterdir() if p.name.startswith(".")]) == 0


def test_a_kept_row_loses_nothing(bulk: Any, tmp_path: Path) -> None:
    for name, content, wanted in (
        ("a.csv", b"n,text\n1,caf\xe9\n", b"n,text,label,score\n1,caf\xe9,,\n"),
        ("b.csv", b"n,text\n1\n", b"n,text,label,score\n,1,,\n"),
        ("c.csv", b'n,text\n"a"b,c\n', b'n,text,label,score\n,"""a""b,c",,\n'),
        ("d.txt", b"caf\xe9\n", b"\t\tcaf\xe9\n"),
        ("e.jsonl", b"oops\xe9\n", b'{"text": "oops\xe9", "label": null, "score": null}\n'),
        ("f.jsonl", b'{"a":1}\n', b'{"a":1, "label": null, "score": null}\n'),
    ):
        output = tmp_path / f"out-{name}"
        (tmp_path / name).write_bytes(content)
        assert bulk(tmp_path / name, output, on_error="keep").bad == 1
        assert output.read_bytes() == wanted


def test_nulls_in_parquet_are_bad_rows(bulk: Any, tmp_path: Path) -> None:
    table = pa.table({"text": ["good", None, "bad"], "n": [[1], None, []]})
    parquet.write_table(table, tmp_path / "in.parquet")
    with pytest.raises(InputError, match="row 2: the text is null"):
        bulk(tmp_path / "in.parquet", tmp_path / "out.parquet")
    report = bulk(tmp_path / "in.parquet", tmp_path / "out.parquet", on_error="keep", resume=True)
    rows = _read_table(tmp_path / "out.parquet")
    assert report.bad == 1
    assert [row["n"] for row in rows] == [[1], None, []]
    assert rows[1]["label"] is None
    assert rows[1]["score"] is None


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"", "is empty"),
        ("a.csv", b"review,stars\n", "no column 'text'.*--text-column"),
        ("a.csv", b"text,stars\rgood,1\rbad,0\r", "lines end with a carriage return alone"),
        ("a.csv", b"text,label\n", "column 'label' is there already: add --prefix"),
        ("a.jsonl", b'{"text": "a", "score": 1}\n', "field 'score' is there already"),
        ("a.parquet", b"PAR1 not", "not a readable Parquet file"),
        ("a.pdf", b"", r"tables are \.txt, \.csv"),
    ],
)
def test_files_that_cannot_be_scored_are_named(
    bulk: Any, tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    source = tmp_path / name
    source.write_bytes(content)
    for on_error in ("stop", "keep"):
        with pytest.raises(InputError, match=message):
            bulk(source, tmp_path / f"out{source.suffix}", on_error=on_error)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_names_of_columns_can_be_chosen(bulk: Any, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("review,label\ngood,1\n")
    bulk(tmp_path / "in.csv", tmp_path / "out.csv", text_column="review", prefix="predicted_")
    assert list(_read_table(tmp_path / "out.csv")[0]) == [
        "review", "label", "predicted_label", "predicted_score",
    ]  # fmt: skip


def test_outputs_that_make_no_sense_are_refused(bulk: Any, tmp_path: Path) -> None:
    _write_table(tmp_path / "in.csv", ["good"])
    with pytest.raises(InputError, match="overwrite the input"):
        bulk(tmp_path / "in.csv", tmp_path / "." / "in.csv")
    with pytest.raises(InputError, match=r"ends in \.csv"):
        bulk(tmp_path / "in.csv", tmp_path / "out.parquet")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="holds no"):
        bulk(tmp_path / "empty", tmp_path / "out")


def test_an_existing_output_is_replaced_only_by_a_complete_one(bulk: Any, tmp_path: Path) -> None:
    (tmp_path / "out.csv").write_text("old")
    (tmp_path / "in.csv").write_bytes(b"text\n\xff\n")
    with pytest.raises(InputError):
        bulk(tmp_path / "in.csv", tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_text() == "old"


def test_an_interrupted_run_is_not_lost_by_mistake(bulk: Any, tmp_path: Path) -> None:
    source, output = tmp_path / "in.txt", tmp_path / "out.txt"
    source.write_bytes(b"good\n" * 100 + b"\xff\n")
    with pytest.raises(InputError, match="not UTF-8"):
        bulk(source, output)
    with pytest.raises(InputError, match="add --resume"):
        bulk(source, output, on_error="keep")
    with pytest.raises(InputError, match="another --max-tokens"):
        bulk(source, output, resume=True, max_tokens=3)
    source.write_bytes(b"good\n" * 101)
    with pytest.raises(InputError, match="another input"):
        bulk(source, output, resume=True)


def test_resume_without_a_journal_starts_at_the_first_row(bulk: Any, tmp_path: Path) -> None:
    _write_table(tmp_path / "in.txt", ["good"])
    assert bulk(tmp_path / "in.txt", tmp_path / "out.txt", resume=True).resumed == 0


@pytest.mark.parametrize("cut", [1, 20, 200])
@pytest.mark.parametrize("junk", [b"", b"\0" * 20_000, b'["posi', b"\0\0\0\0\n", b"\xff\n[null"])
def test_a_journal_with_any_end_resumes_to_the_same_output(
    bulk: Any, tmp_path: Path, cut: int, junk: bytes
) -> None:
    source, output = tmp_path / "in.txt", tmp_path / "out.txt"
    source.write_bytes(b"".join(b"word%d good\n" % n for n in range(60)) + b"\xff\n")
    with pytest.raises(InputError):
        bulk(source, output)
    journal = tmp_path / ".out.txt.journal"
    kept = journal.read_bytes()[:-cut] + junk
    bulk(source, output, on_error="keep", resume=True)
    wanted = output.read_bytes()
    journal.write_bytes(kept)
    report = bulk(source, output, on_error="keep", resume=True)
    assert report.resumed > 0
    assert output.read_bytes() == wanted


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_killed_twice_and_resumed_each_row_is_there_once(tmp_path: Path, suffix: str) -> None:
    source, output = tmp_path / f"in{suffix}", tmp_path / f"out{suffix}"
    texts = [f"word{n} a good plot but dull acting " * 20 for n in range(3000)]
    _write_table(source, texts)
    script = str(Path(sys.executable).with_name("lstm-run"))
    # The package's own model takes long enough to be caught at work.
    command = [script, "--input", str(source), "--output", str(output), "--resume"]
    journal = output.with_name(f".{output.name}.journal")
    for size in (10_000, 40_000):
        process = subprocess.Popen(command, stdout=-1, stderr=-1)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and process.poll() is None:
            if journal.exists() and journal.stat().st_size > size:
                break
            time.sleep(0.02)
        else:
            pytest.fail("the run ended before it could be killed")
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert not output.exists()
    found = subprocess.run([*command, "--json"], capture_output=True, text=True, check=True)
    report = json.loads(found.stdout)
    assert 0 < report["resumed"] < report["rows"] == len(texts)
    rows = _read_table(output)
    assert [int(row["id"]) for row in rows] == list(range(len(texts)))
    assert all(row["label"] for row in rows)


def test_progress_is_for_terminals_only(
    run: Any, model_files: dict[str, Path], tmp_path: Path
) -> None:
    _write_table(tmp_path / "in.txt", ["good"] * 50)
    found = run(
        "lstm-run", "--model", str(model_files["int8"]),
        "--input", str(tmp_path / "in.txt"), "--output", str(tmp_path / "out.txt"),
    )  # fmt: skip
    assert found.stderr == ""
    assert found.stdout.startswith("50 rows in ")


def test_a_missing_pyarrow_names_the_extra(
    bulk: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lstm_runtime import MissingExtraError

    (tmp_path / "in.parquet").write_bytes(b"")
    monkeypatch.setitem(sys.modules, "pyarrow", None)  # type: ignore[arg-type]
    with pytest.raises(MissingExtraError, match=r"lstm-edge\[bulk\]"):
        bulk(tmp_path / "in.parquet", tmp_path / "out.parquet")
