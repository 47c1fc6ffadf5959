import csv
import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lstm_runtime.tables.dialect import Dialect
from lstm_training.data.scheme import LabelledRow, LabelScheme
from lstm_training.data.sources import load_examples
from lstm_training.data.tables import Columns
from lstm_training.errors import DataError
from pyarrow import parquet

ROWS = [('fine, "quoted"\nand two lines', 1), ("dull\x85odd \x93cp1252\x94", 0), ("", 1)]


def save_csv(path: Path, rows: list[tuple[str, int]], delimiter: str = ",") -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter=delimiter).writerows([("label", "id", "text")])
        csv.writer(file, delimiter=delimiter).writerows([(n, "x", text) for text, n in rows])


def save_tsv(path: Path, rows: list[tuple[str, int]]) -> None:
    save_csv(path, rows, delimiter="\t")


QUOTED = Columns(dialect=Dialect(quoting="csv"))
"What Python's csv module writes, as TSV too."


def save_jsonl(path: Path, rows: list[tuple[str, int]]) -> None:
    lines = [json.dumps({"text": t, "label": n}, ensure_ascii=False) + "\n" for t, n in rows]
    path.write_bytes("".join(lines).encode())


def save_parquet(path: Path, rows: list[tuple[str, int]]) -> None:
    texts, labels = zip(*rows, strict=True)
    parquet.write_table(pyarrow.table({"label": labels, "text": texts}), path)


SAVERS = {"a.csv": save_csv, "a.tsv": save_tsv, "a.jsonl": save_jsonl, "a.parquet": save_parquet}


@pytest.mark.parametrize("name", SAVERS)
def test_every_table_gives_its_rows_back(tmp_path: Path, name: str) -> None:
    SAVERS[name](tmp_path / name, ROWS)
    examples = load_examples(str(tmp_path / name), QUOTED)
    assert list(zip(examples.texts, examples.labels, strict=True)) == ROWS
    assert examples.name == name


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.jsonl"])
def test_a_gzipped_table_is_read_as_it_is(tmp_path: Path, name: str) -> None:
    SAVERS[name](tmp_path / name, ROWS)
    packed = tmp_path / f"{name}.gz"
    packed.write_bytes(gzip.compress((tmp_path / name).read_bytes()))
    assert load_examples(str(packed), QUOTED).texts == tuple(text for text, _ in ROWS)


@pytest.mark.parametrize("name", ["A.CSV", "a.Tsv", "A.JSONL.GZ", "A.PARQUET"])
def test_a_name_in_upper_case_is_the_same_format(tmp_path: Path, name: str) -> None:
    plain = tmp_path / name.lower().removesuffix(".gz")
    SAVERS[plain.name](plain, ROWS)
    content = plain.read_bytes()
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith(".GZ") else content)
    assert load_examples(str(tmp_path / name), QUOTED).texts == tuple(text for text, _ in ROWS)
    assert csv.field_size_limit() == 131_072  # a setting of the whole process


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", b"id;text;label\n1;fine, really;1\n2;dull;0\n"),
        ("a.csv", 'text,label\r\n"fine, really",1\r\ndull,0\r\n'.encode("utf-16")),
        ("a.tsv", b"text\tlabel\nfine, really\t1\ndull\t0\n"),
        ("a.json", b'[{"text": "fine, really", "label": 1}, {"text": "dull", "label": 0}]'),
        ("a.ndjson", b'{"text": "fine, really", "label": 1}\n{"text": "dull", "label": 0}\n'),
        ("a.csv.zst", b'text,label\n"fine, really",1\ndull,0\n'),
    ],
)
def test_tables_as_people_have_them_are_read(tmp_path: Path, name: str, content: bytes) -> None:
    if name.endswith(".zst"):
        content = pytest.importorskip("zstandard").compress(content)
    (tmp_path / name).write_bytes(content)
    examples = load_examples(str(tmp_path / name))
    assert (examples.texts, examples.labels) == (("fine, really", "dull"), (1, 0))


def test_the_commands_take_how_a_table_is_written(run: Any, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("text|label\nsch\u00f6n|2\n".encode("cp1252"))
    how = ("--data", "a.csv", "--encoding", "cp1252", "--delimiter", "|")
    for command in (("lstm-train", *how, "-o", "model"), ("lstm-evaluate", *how)):
        found = run(*command, cwd=tmp_path)
        assert found.returncode == 1
        assert "a.csv, line 2: unknown label '2'" in found.stderr
    found = run("lstm-train", "--data", "a.csv", "--encoding", "nonsense", cwd=tmp_path)
    assert (found.returncode, "there is no encoding 'nonsense'" in found.stderr) == (2, True)
    found = run("lstm-export", "model.pt", "--delimiter", "|", cwd=tmp_path)
    assert found.returncode == 2
    assert "--delimiter belong to labelled texts" in found.stderr


def test_plain_text_has_no_labels(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one\n")
    with pytest.raises(DataError, match=r"a\.txt: unknown kind of file; accepted: \.csv"):
        load_examples(str(tmp_path / "a.txt"))


def test_a_models_own_names_are_labels_too(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,label\na,Ham\nb,spam\nc,pos\nd,0\n")
    scheme = LabelScheme(others=("spam", "ham"))
    assert load_examples(str(tmp_path / "a.csv"), scheme=scheme).labels == (1, 0, 1, 0)
    assert not scheme.reverses(("spam", "ham"))
    assert scheme.reverses(("ham", "spam"))


def test_known_labels_keep_their_sense() -> None:
    scheme = LabelScheme(others=("positive", "negative"))
    assert scheme.parse(LabelledRow("here", "a", "positive")) == 1
    assert scheme.reverses(("positive", "negative"))
    assert not LabelScheme().reverses(("bad", "good"))
    assert LabelScheme(("good", "bad")).reverses(("Bad", "good"))


@given(st.lists(st.text(), min_size=1, max_size=5), st.sampled_from(["a.csv", "a.tsv", "a.jsonl"]))
def test_any_text_survives(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], name: str
) -> None:
    path = tmp_path_factory.mktemp("any") / name
    SAVERS[name](path, [(text, n) for text in texts for n in (0, 1)])
    assert load_examples(str(path), QUOTED).texts == tuple(text for text in texts for _ in (0, 1))


def test_a_text_may_be_longer_than_csvs_own_limit(tmp_path: Path) -> None:
    save_csv(tmp_path / "a.csv", [("x" * 500_000, 1), ("short", 0)])
    assert len(load_examples(str(tmp_path / "a.csv")).texts[0]) == 500_000


def test_the_columns_can_be_named(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("body,stars,text\nfine,1,no\ndull,0,no\n")
    examples = load_examples(str(tmp_path / "a.csv"), Columns("body", "stars"))
    assert examples.texts == ("fine", "dull")


@pytest.mark.parametrize(
    "pair",
    [("0", "1"), ("neg", "pos"), ("Negative", "POSITIVE"), ("false", "True"), (" 0 ", "1.0")],
)
def test_usual_labels_are_known(tmp_path: Path, pair: tuple[str, str]) -> None:
    values: list[object] = [float(v) if "." in v else v for v in pair]
    lines = [json.dumps({"text": str(n), "label": v}) for n, v in enumerate(values)]
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    examples = load_examples(str(tmp_path / "a.jsonl"))
    assert examples.labels == (0, 1)
    assert examples.label_names == ("negative", "positive")


def test_json_booleans_and_numbers_are_labels(tmp_path: Path) -> None:
    values = ["true", "false", "1", "0", "1.0", "0.0"]
    lines = [f'{{"text": "t{n}", "label": {v}}}' for n, v in enumerate(values)]
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    assert load_examples(str(tmp_path / "a.jsonl")).labels == (1, 0, 1, 0, 1, 0)


def test_own_labels_become_the_models(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,label\nfine,Ham\ndull,spam\n")
    examples = load_examples(str(tmp_path / "a.csv"), scheme=LabelScheme(("spam", "ham")))
    assert examples.labels == (1, 0)
    assert examples.label_names == ("spam", "ham")


GOOD_LINE = b'{"text": "fine", "label": 1}\n'

BAD_FILES = {
    "empty.csv": (b"", "is empty"),
    "header.csv": (b"text,label\n", "holds no text"),
    "empty.jsonl": (b"\n", "is empty"),
    "column.csv": (b"text,stars\na,1\n", "no column 'label' (found: text, stars)"),
    "column.jsonl": (GOOD_LINE + b'{"text": "a"}\n', "line 2: no field 'label'"),
    "label.csv": (b"text,label\na,1\n\nb,maybe\n", "line 4: unknown label 'maybe'"),
    "long.csv": (
        b"text,label\na,1\nb,A warm and funny film of the old school and made well",
        "line 3: unknown label 'A warm and funny ...hool and made well'; accepted",
    ),
    "multiline.csv": (b'text,label\n"a\nb",1\nc,2\n', "line 4: unknown label '2'"),
    "null.csv": (b"text,label\na,1\nb,\n", "line 3: the label is missing"),
    "label.jsonl": (GOOD_LINE + b'{"text": "a", "label": 3}\n', "line 2: unknown label 3"),
    "null.jsonl": (
        GOOD_LINE + b'{"text": null, "label": 0}\n',
        "line 2: the field 'text' is no string",
    ),
    "kind.jsonl": (b'{"text": ["a"], "label": 0}\n', "line 1: the field 'text' is no string"),
    "json.jsonl": (GOOD_LINE + b"{oops\n", "line 2: not a JSON object"),
    "deep.jsonl": (b"[" * 100_000, "line 1: not a JSON object"),
    "list.jsonl": (GOOD_LINE + b"[1]\n", "line 2: not a JSON object"),
    "wide.csv": (b"text,label\na,1\nb,0,extra\n", "line 3: 3 fields, but the header has 2"),
    "narrow.tsv": (b"text\tlabel\na\t1\nb\n", "line 3: 1 fields, but the header has 2"),
    "quote.csv": (b'text,label\na,1\n"b,0\n', "line 3: not CSV: unexpected end of data"),
    "latin1.csv": ("text,label\na,1\ncafé,0\n".encode("latin-1"), "line 3: not UTF-8"),
    "latin1.jsonl": (GOOD_LINE + '{"text": "é"}\n'.encode("latin-1"), "line 2: not UTF-8"),
    "utf16.csv": ("text,label\na,1\n".encode("utf-16")[2:], "no column 'text'"),
    "cut.csv": ("text,label\na,1\n".encode("utf-16")[:-1], "line 1: not UTF-16"),
    "plain.jsonl.gz": (b"not gzip", "is not a complete gzip file"),
    "cut.jsonl.gz": (gzip.compress(GOOD_LINE * 9)[:-12], "is not a complete gzip file"),
    "not.parquet": (b"PAR1 not", "is not a readable Parquet file"),
    "table.xlsx": (b"", "unknown kind of file"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_is_named_with_its_row(tmp_path: Path, name: str) -> None:
    content, message = BAD_FILES[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError) as caught:
        load_examples(str(tmp_path / name))
    assert name in str(caught.value)
    assert message in str(caught.value)


def test_a_bom_is_no_part_of_the_first_column(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"\xef\xbb\xbftext,label\na,1\nb,0\n")
    assert load_examples(str(tmp_path / "a.csv")).texts == ("a", "b")


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"text": ["a", None], "label": [0, 1]}, "row 2: the text is null"),
        ({"text": ["a", "b"], "label": [0, None]}, "row 2: the label is missing"),
        ({"text": ["a", "b"], "stars": [0, 1]}, "no column 'label'"),
        ({"text": [b"a", b"b"], "label": [0, 1]}, "the column 'text' holds binary, not strings"),
    ],
)
def test_a_bad_parquet_row_is_named(
    tmp_path: Path, table: dict[str, list[object]], message: str
) -> None:
    parquet.write_table(pyarrow.table(table), tmp_path / "a.parquet")
    with pytest.raises(DataError, match=message):
        load_examples(str(tmp_path / "a.parquet"))


def test_parquet_text_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    texts = pyarrow.array([b"fine", b"caf\xe9"]).view(pyarrow.string())
    parquet.write_table(pyarrow.table({"text": texts, "label": [0, 1]}), tmp_path / "a.parquet")
    with pytest.raises(DataError, match="row 2: not UTF-8"):
        load_examples(str(tmp_path / "a.parquet"))


def test_a_missing_path_is_named() -> None:
    with pytest.raises(DataError, match=r"nowhere\.csv: no such file"):
        load_examples("nowhere.csv")
