"""The one reader of tables: every format alike, for scoring and for training."""

import csv
import gzip
import io
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lstm_runtime import InputError, SentimentModel
from lstm_runtime.bulk.job import BulkJob, run_bulk
from lstm_runtime.tables.base import Columns, TextRow
from lstm_runtime.tables.dialect import Dialect
from lstm_runtime.tables.formats import open_table
from lstm_runtime.tables.records import join_fields, split_record
from pyarrow import parquet

LABELLED = Columns("review", "stars")
CSV = 'n,stars,review\n1,5,"good, ""very"" good"\n\n2,,"two\nlines"\n3,1,caf\u00e9 \u2028 \x85\n'
JSON = (
    '{"stars": 5, "review": "good, \\"very\\" good"}\n\n{"review": "two\\nlines", "stars": null}\n'
    '{"stars": "1", "review": "caf\u00e9 \u2028 \x85", "n": 3}'
)
TEXTS = ['good, "very" good', "two\nlines", "caf\u00e9 \u2028 \x85"]


def _rows(path: Path, columns: Columns = LABELLED, **dialect: Any) -> list[TextRow]:
    return list(open_table(path, columns, Dialect(**dialect)).rows())


@pytest.mark.parametrize(
    "name", ["a.csv", "A.CSV", "a.csv.gz", "A.TSV.GZ", "a.jsonl", "a.JSONL.gz"]
)
@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"])
def test_texts_and_labels_are_read_alike_from_every_format(
    tmp_path: Path, name: str, start: bytes
) -> None:
    content = JSON if "json" in name.lower() else CSV
    if "TSV" in name:
        content = "\n".join("\t".join(csv_row) for csv_row in _as_tsv(CSV)) + "\n"
    data = start + content.encode()
    (tmp_path / name).write_bytes(gzip.compress(data) if name.lower().endswith("gz") else data)
    rows = _rows(tmp_path / name, quoting="csv")
    assert [row.text for row in rows] == TEXTS
    assert [str(row.label or "") for row in rows] == ["5", "", "1"]
    assert not any(row.problem for row in rows)
    assert rows[1].where == f"{tmp_path / name}, line {3 if 'json' in name.lower() else 4}"


def _as_tsv(text: str) -> Iterator[list[str]]:
    for row in csv.reader(io.StringIO(text, newline="")):
        yield ['"' + field.replace('"', '""') + '"' for field in row] if row else [""]


def test_parquet_is_read_alike(tmp_path: Path) -> None:
    table = pa.table({"stars": [5, None, 1], "review": TEXTS, "more": [[1], [], None]})
    parquet.write_table(table, tmp_path / "a.Parquet")
    rows = _rows(tmp_path / "a.Parquet")
    assert [(row.text, row.label) for row in rows] == list(zip(TEXTS, [5, None, 1], strict=True))
    assert rows[2].where.endswith("a.Parquet, row 3")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"review\ngood\n", r"no column 'stars' \(found: review\).*--label-column"),
        ("a.csv", b"", "is empty"),
        ("a.csv", b"\xff\xfer\0e\0v\0", r"no column 'review' \(found: rev\)"),
        ("a.csv", b"\xff\xfer\0e\0v", "line 0: not UTF-16-LE"),
        ("a.tsv", b'"review\tstars\n', r"no column 'review' \(found: \"review, stars\)"),
        ("a.txt", b"good\n", "plain text has no column 'stars'"),
        ("a.txt.gz", b"good\n", "plain text has no column 'stars'"),
        ("a.csv.gz", b"not gzip", "is not a complete gzip file, after line 0"),
        ("a.csv.gz", gzip.compress(CSV.encode() * 99, mtime=0)[:-9], "is not a complete gzip file"),
        ("a.jsonl.gz", gzip.compress(JSON.encode(), mtime=0)[:9], "is not a complete gzip file"),
        ("a.parquet", b"PAR1 not", "not a readable Parquet file"),
        ("a.parquet.gz", b"", "unknown kind of file"),
        ("a.xlsx", b"", r"unknown kind of file; tables are \.txt, \.csv"),
    ],
)
def test_a_file_that_is_no_such_table_is_named(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message):
        _rows(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "content", "line", "problem"),
    [
        ("a.csv", b"review,stars\ngood,\xff\nbad,1\n", 2, "not UTF-8"),
        ("a.csv", b"review,stars\ngood\nbad,1\n", 2, "1 fields, but the header has 2"),
        ("a.csv", b'review,stars\n"good"x,2\nbad,1\n', 2, "not CSV: ',' expected"),
        ("a.jsonl", b'{"review": "a"}\n{"review": "bad", "stars": 1}\n', 1, "no field 'stars'"),
        ("a.jsonl", b'{"review": 3, "stars": 1}\n{"review": "bad", "stars": 1}\n', 1, "no string"),
    ],
)
def test_a_bad_row_says_why_and_the_next_is_read(
    tmp_path: Path, name: str, content: bytes, line: int, problem: str
) -> None:
    (tmp_path / name).write_bytes(content)
    bad, good = _rows(tmp_path / name)
    assert bad.where.endswith(f"{name}, line {line}")
    assert problem in bad.problem
    assert bad.text == ""
    assert (good.text, str(good.label)) == ("bad", "1")


def test_records_hold_all_fields_and_the_raw_text_of_what_is_none(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"n,text\n1,good\n2\n3,caf\xe9\n")
    (tmp_path / "a.jsonl").write_text('{"n": 1, "text": "good"}\nnonsense\n{"text": [5]}', "utf-8")
    (tmp_path / "a.txt").write_text("good\n", "utf-8")
    found = {
        name: [fields for _, fields in open_table(tmp_path / name, Columns()).records()]
        for name in ("a.csv", "a.jsonl", "a.txt")
    }
    assert found == {
        "a.csv": [{"n": "1", "text": "good"}, {"text": "2"}, {"n": "3", "text": "caf\udce9"}],
        "a.jsonl": [{"n": 1, "text": "good"}, {"text": "nonsense"}, {"text": "[5]"}],
        "a.txt": [{"text": "good"}],
    }


def test_rows_are_streamed(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"text": "good"}) + "\n" + "[" * 10_000_000)
    assert next(open_table(path, Columns()).rows()).text == "good"


@given(st.lists(st.lists(st.text(max_size=20), min_size=2, max_size=4), max_size=4))
@settings(deadline=None)
def test_what_is_written_is_what_any_csv_reader_reads(rows: list[list[str]]) -> None:
    text = "".join(join_fields(row, ",") for row in rows)
    assert list(csv.reader(io.StringIO(text, newline=""), strict=True)) == rows
    lines = io.StringIO(text, newline="\n")
    assert [split_record(lines, ",") for _ in rows] == rows


@given(st.lists(st.sampled_from(["a", "b", ",", '"', "\n", "\r\n", " "])).map("".join))
@settings(deadline=None)
def test_what_python_reads_as_strict_csv_is_read_alike(text: str) -> None:
    try:
        wanted = list(csv.reader(io.StringIO(text, newline="\n"), strict=True))
    except csv.Error:
        return
    lines = io.StringIO(text, newline="\n")
    assert [split_record(lines, ",") for _ in wanted] == wanted
    assert next(lines, None) is None


@pytest.mark.parametrize("field", ["a\rb", "x" * 500_000, 'a"b', ""])
def test_fields_that_pythons_csv_trips_over_survive(field: str) -> None:
    line = join_fields([field, "end"], ",")
    assert split_record(io.StringIO(line, newline="\n"), ",") == [field, "end"]
    assert split_record(iter([f"{field},end\n"]), ",") == [field, "end"]


def test_the_hosts_csv_module_stays_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(f"text\n{'x' * 500_000}\n")
    code = (
        "import csv, sys; from pathlib import Path\n"
        "from lstm_runtime.tables.base import Columns\n"
        "from lstm_runtime.tables.formats import open_table\n"
        "print(len(next(open_table(Path(sys.argv[1]), Columns()).rows()).text))\n"
        "print(csv.field_size_limit())"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "a.csv")]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["500000", "131072"]


@pytest.mark.parametrize("name", ["a.txt", "a.csv", "a.tsv", "a.jsonl", "a.csv.gz", "a.parquet"])
@given(
    st.binary(max_size=80)
    | st.text('text,"\\n\\t{}:\\r\\x00é', max_size=80).map(str.encode)
    | st.text(max_size=40).map(lambda text: b"text\n" + text.encode("utf-16"))
)
@settings(deadline=None)
def test_any_bytes_are_rows_or_an_error_of_the_family(
    tmp_path_factory: pytest.TempPathFactory, name: str, data: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / name
    for content in (data, gzip.compress(data)) if name.endswith(".gz") else (data,):
        path.write_bytes(content)
        try:
            rows = list(open_table(path, Columns()).rows())
        except InputError as error:
            assert name in str(error)
        else:
            assert all(bool(row.problem) <= (row.text == "") for row in rows)


@pytest.mark.parametrize("name", ["out.csv", "out.tsv"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_header_of_plain_text_ends_as_its_lines_do(tmp_path: Path, name: str, end: str) -> None:
    source, output = tmp_path / "in.txt", tmp_path / name
    source.write_bytes(f"good{end}bad{end}".encode())
    with SentimentModel.load() as model:
        run_bulk(model, BulkJob(source, output))
    lines = output.read_bytes().decode().split(end)
    assert len(lines) == 4 and not any("\n" in line or "\r" in line for line in lines)
