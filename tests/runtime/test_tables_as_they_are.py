"""Tables as people have them: of Excel, of R, of pandas, packed, and in any encoding."""

import codecs
import csv
import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lstm_runtime import InputError
from lstm_runtime.tables import json_array, text_file
from lstm_runtime.tables.base import Columns, RowResult, TextRow
from lstm_runtime.tables.dialect import Dialect
from lstm_runtime.tables.folder import read_folder
from lstm_runtime.tables.formats import open_table
from pyarrow import parquet

from .conftest import zstd_compress, zstd_decompress

ANSWER = RowResult("good", 0.5)
KNOWN = Columns.to_score(known=True)


def read(path: Path, columns: Columns | None = None, **dialect: Any) -> list[TextRow]:
    return list(open_table(path, columns or Columns(), Dialect(**dialect)).rows())


def texts(path: Path, **dialect: Any) -> list[str]:
    rows = read(path, **dialect)
    assert not [row.problem for row in rows if row.problem]
    return [row.text for row in rows]


def written(path: Path, columns: Columns | None = None, name: str = "", **dialect: Any) -> bytes:
    """Return the table with the same answer in every row."""
    table = open_table(path, columns or Columns.to_score(), Dialect(**dialect))
    output = io.BytesIO()
    table.write(iter([ANSWER for _ in table.rows()]), output, Path(name or path.name))
    return output.getvalue()


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str, bytes | str], Path]:
    def file(name: str, content: bytes | str) -> Path:
        data = content.encode() if isinstance(content, str) else content
        (tmp_path / name).write_bytes(data)
        return tmp_path / name

    return file


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_the_one_that_gives_the_columns(file: Any, delimiter: str) -> None:
    path = file("a.csv", 'n;x,text\n1,"a, b; c\td"\n'.replace(";x", "").replace(",", delimiter, 2))
    assert texts(path) == ["a, b; c\td"]
    added = delimiter.join(["", "label", "score"])
    assert written(path).decode().splitlines()[0].endswith(f"text{added}")


def test_a_delimiter_can_be_told(file: Any) -> None:
    path = file("a.csv", "n|text\n1|good\n")
    assert texts(path, delimiter="|") == ["good"]
    assert written(path, delimiter="|") == b"n|text|label|score\n1|good|good|0.5\n"
    assert texts(file("b.csv", "n\ttext\n1\tgood\n"), delimiter="tab") == ["good"]
    with pytest.raises(InputError, match=r"no column 'text' \(found: n\|text\)"):
        read(path)
    with pytest.raises(InputError, match=r"no column 'text' \(found: a, b\)"):
        read(file("c.csv", "a;b\n1;2\n"))


def test_the_line_that_tells_excel_the_delimiter_is_believed_and_kept(file: Any) -> None:
    path = file("a.csv", "sep=|\r\nn|text\r\n1|good, very; good\r\n")
    (row,) = read(path)
    assert (row.text, row.where) == ("good, very; good", f"{path}, line 3")
    wanted = "sep=|\r\nn|text|label|score\r\n1|good, very; good|good|0.5\r\n"
    assert written(path).decode() == wanted


@pytest.mark.parametrize("bad", [{"delimiter": "ab"}, {"delimiter": '"'}, {"encoding": "utf-9"},
                                 {"encoding": "base64"}])  # fmt: skip
def test_what_cannot_be_is_refused(bad: dict[str, str]) -> None:
    with pytest.raises(InputError, match=r"delimiter|encoding"):
        Dialect(**bad)


@pytest.mark.parametrize(
    ("mark", "codec"),
    [
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
    ],
)
@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.jsonl", "a.json", "a.txt", "a.csv.gz"])
def test_a_byte_order_mark_is_believed_and_kept(
    file: Any, mark: bytes, codec: str, name: str
) -> None:
    rows = {
        "a.csv": 'text,n\r\n"é\r\n電影 👍",1\r\nb,2\r\n',
        "a.tsv": 'text\tn\r\n"é 電影 👍\t1\r\nb\t2\r\n',
        "a.jsonl": '{"text": "é 電影 👍"}\r\n{"text":"b"}\r\n',
        "a.json": '[\r\n  {"text": "é 電影 👍"},\r\n  {"text":"b"}\r\n]\r\n',
        "a.txt": "é 電影 👍\r\nb\r\n",
    }
    content = rows[name.removesuffix(".gz")]
    data = mark + content.encode(codec)
    path = file(name, gzip.compress(data) if name.endswith(".gz") else data)
    first, second = texts(path, encoding="cp1252")  # the mark knows better
    assert "電影 👍" in first
    assert second == "b"
    output = written(path, name=name.removesuffix(".gz"))
    assert output.startswith(mark)
    told = output[len(mark) :].decode(codec)
    assert told.replace("\r\n", "").count("\n") == 0
    assert told.count("\r\n") == content.count("\r\n")
    assert told.count("good") == 2


def test_an_encoding_can_be_told(file: Any) -> None:
    path = file("a.csv", "text\n„schön“ \x81\n".encode("cp1252", "replace").replace(b"?", b"\x81"))
    (row,) = read(path, encoding="cp1252")
    assert row.problem == "not CP1252 (character 9); see --encoding"
    (row,) = read(path)
    assert row.problem == "not UTF-8 (character 1); see --encoding"
    good = file("b.csv", "text\n„schön“\n".encode("cp1252"))
    assert texts(good, encoding="cp1252") == ["„schön“"]
    assert written(good, encoding="cp1252") == "text,label,score\n„schön“,good,0.5\n".encode(
        "cp1252"
    )
    wide = file("c.csv", "text\ngood\n".encode("utf-16-le"))
    assert texts(wide, encoding="utf-16") == ["good"]


def test_an_answer_that_the_encoding_lacks_is_an_error(file: Any) -> None:
    table = open_table(file("a.csv", "text\nb\n"), Columns.to_score(), Dialect("cp1252"))
    with pytest.raises(InputError, match="cp1252 has no"):
        table.write(iter([RowResult("хорошо", 0.5)]), io.BytesIO(), Path("a.csv"))


@given(
    st.binary(max_size=60)
    | st.text('text,;"\n\t{}[]\r', max_size=60).map(lambda t: ("text\n" + t).encode("utf-16"))
)
@settings(deadline=None)
def test_any_bytes_in_any_encoding_are_rows_or_an_error_of_the_family(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    for name, codec in (("a.csv", "cp1252"), ("a.tsv", "utf-16"), ("a.json", None),
                        ("a.jsonl", "shift_jis"), ("a.txt.zst", None)):  # fmt: skip
        path = tmp_path_factory.getbasetemp() / name
        path.write_bytes(zstd_compress(data) if name.endswith("zst") else data)
        try:
            written(path, encoding=codec)
        except InputError as error:
            assert name in str(error)


def test_rows_stay_as_they_were(file: Any) -> None:
    content = 'text,"n"\r\n"a",""\nb,\r\n\r\n"c ""d""",1'
    wanted = 'text,"n",label,score\r\n"a","",good,0.5\nb,,good,0.5\r\n"c ""d""",1,good,0.5\r\n'
    assert written(file("a.csv", content)).decode() == wanted


@given(st.lists(st.text("ab\r; ", min_size=1, max_size=6), min_size=1, max_size=4), st.booleans())
@settings(deadline=None)
def test_a_lone_carriage_return_is_quoted_for_every_reader(
    tmp_path_factory: pytest.TempPathFactory, fields: list[str], quoted: bool
) -> None:
    lines = [f'{n},"{field}"\n' if quoted else f"{n},{field}z\n" for n, field in enumerate(fields)]
    path = tmp_path_factory.getbasetemp() / "cr.csv"
    path.write_bytes(b"n,text\n" + "".join(lines).encode())
    rows = list(csv.DictReader(io.StringIO(written(path).decode(), newline=""), strict=True))
    assert [row["text"] for row in rows] == texts(path)
    assert [row["text"] for row in rows] == [f if quoted else f"{f}z" for f in fields]


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.csv", "text,n,text,n\n1,2,3,4\n"), ("a.tsv", "text\tn\ttext\tn\n1\t2\t3\t4\n")],
)
def test_columns_of_the_same_name_are_an_error(file: Any, name: str, content: str) -> None:
    with pytest.raises(InputError, match="more than one column is called 'n', 'text'"):
        read(file(name, content))


def test_columns_without_a_name_may_be_many(file: Any) -> None:
    assert texts(file("a.csv", "text,,\na,,\n")) == ["a"]


def test_tsv_has_no_quotes(file: Any) -> None:
    content = 'text\tn\n"good\t1\n"bad\t2\nsay "no"\t3\n'
    path = file("a.tsv", content)
    assert texts(path) == ['"good', '"bad', 'say "no"']
    assert written(path).decode() == content.replace("\n", "\tgood\t0.5\n").replace(
        "n\tgood\t0.5", "n\tlabel\tscore", 1
    )
    assert [bool(row.problem) for row in read(path, quoting="csv")] == [True, False]
    assert texts(file("b.csv", 'text\n"good\n"bad\n'), quoting="none") == ['"good', '"bad']


def test_a_bad_row_of_tsv_is_kept_in_one_field(file: Any) -> None:
    path = file("a.tsv", "n\ttext\n1\ta\tb\n")
    table = open_table(path, Columns.to_score())
    output = io.BytesIO()
    table.write(iter([RowResult(None, None)]), output, path)
    assert output.getvalue() == b"n\ttext\tlabel\tscore\n\t1\\ta\\tb\t\t\n"


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.json", "a.txt", "a.tsv"])
def test_known_is_a_third_column(file: Any, name: str) -> None:
    content = '{"text": "a"}\n' if "json" in name else "text\na\n"
    path = file(name, content)
    table = open_table(path, KNOWN)
    output = io.BytesIO()
    table.write(iter([RowResult("good", 0.5, 0.25) for _ in table.rows()]), output, path)
    assert "0.25" in output.getvalue().decode().splitlines()[-1]


def test_zstandard_may_have_many_frames(file: Any) -> None:
    frames = [zstd_compress(part) for part in (b"text\nfi", b"", b"ne\n", b"x" * 300_000 + b"\n")]
    assert texts(file("a.csv.zst", b"".join(frames))) == ["fine", "x" * 300_000]
    packed = written(file("b.csv", "text\nfine\n"), name="b.csv.zst")
    assert zstd_decompress(packed) == b"text,label,score\nfine,good,0.5\n"


@pytest.mark.parametrize("cut", [1, 4, 9])
def test_zstandard_that_is_cut_off_is_named(file: Any, cut: int) -> None:
    whole = zstd_compress(b"text\n" + b"fine\n" * 9)
    with pytest.raises(InputError, match=r"a\.csv\.zst is not a complete Zstandard file"):
        read(file("a.csv.zst", whole[:-cut]))
    with pytest.raises(InputError, match="is not a complete Zstandard file, after line 0"):
        read(file("a.csv.zst", b"text\nfine\n"))


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.txt"])
def test_a_packed_file_whose_name_does_not_say_so_is_told_its_name(file: Any, name: str) -> None:
    with pytest.raises(InputError, match=f"packed by gzip, .* ends in .gz: {name}.gz"):
        read(file(name, gzip.compress(b"text\nfine\n")))
    with pytest.raises(InputError, match="packed by Zstandard"):
        read(file(name, zstd_compress(b"text\nfine\n")))


ROWS = [{"n": 1.5, "text": "a"}, {"text": 'b \\" ]}', "deep": [{"text": [1, {}]}]}, {"text": ""}]


@pytest.mark.parametrize("indent", [None, 1])
def test_json_may_be_an_array_or_lines(file: Any, indent: int | None) -> None:
    array = file("a.json", json.dumps(ROWS, indent=indent))
    assert texts(array) == [row["text"] for row in ROWS]
    found = json.loads(written(array))
    assert found == [{**row, "label": "good", "score": 0.5} for row in ROWS]
    lines = file("b.json", "\n".join(map(json.dumps, ROWS)))
    assert texts(lines) == texts(array)
    assert len(written(lines).splitlines()) == len(ROWS)


def test_an_array_stays_as_it_was(file: Any) -> None:
    content = ' [ {"text" : "a" , "n": 1.0e1}\n,{"text":"b"\n} ] \n'
    added = ', "label": "good", "score": 0.5'
    wanted = content.replace("1.0e1}", f"1.0e1{added}}}").replace('"b"\n}', f'"b"{added}\n}}')
    assert written(file("a.json", content)).decode() == wanted
    assert written(file("b.json", " []\n")) == b" []\n"


def test_what_is_no_object_in_an_array_is_a_bad_row(file: Any) -> None:
    path = file("a.json", '[{"text": "a"}, "b", 12, null, {"text": null}, {"n": 1}]')
    rows = read(path)
    assert [row.problem for row in rows] == [
        "", *["not a JSON object"] * 3, "the field 'text' is no string, it is null",
        "no field 'text'; see --text-column",
    ]  # fmt: skip
    assert rows[1].where == f"{path}, item 2"
    assert json.loads(written(path))[2] == {"text": "12", "label": "good", "score": 0.5}


@pytest.mark.parametrize(
    "content",
    ["[", "[1", "[1,", "[1,]", "[1 2]", '[{"text": "a"]', '[{"text": "a}', "[] x", "[[[", "[1]]",
     "[" * 100_000, "[" + "1" * 5000 + "]"],
)  # fmt: skip
def test_an_array_that_is_none_is_an_error(file: Any, content: str) -> None:
    with pytest.raises(InputError, match=r"a\.json: not JSON behind item \d+"):
        read(file("a.json", content))


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.lists(JSON_VALUES, max_size=5), st.sampled_from([None, 2]), st.integers(1, 40))
@settings(deadline=None)
def test_an_array_reads_alike_however_it_is_cut(
    tmp_path_factory: pytest.TempPathFactory, values: list[Any], indent: int | None, piece: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "cut.json"
    path.write_text(json.dumps(values, indent=indent))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(text_file, "_PIECE", piece)
        reader = json_array._Reader(text_file.TextFile(path))
        reader.take("[")
        found = []
        while (reader.space(), reader.next())[1] != "]":
            found.append(reader.value()[1])
            reader.space()
            if reader.next() == ",":
                reader.take(",")
    assert found == values


@pytest.mark.parametrize("kind", ["dictionary", "string_view", "large_string"])
def test_parquet_keeps_its_schema_groups_and_compression(tmp_path: Path, kind: str) -> None:
    types = {
        "dictionary": pa.dictionary(pa.int32(), pa.string()),
        "string_view": pa.string_view(),
        "large_string": pa.large_string(),
    }
    values = pa.array(["a", "b", "a", "c"]).cast(types[kind])
    table = pa.table({"text": values, "n": [[1], [], None, [2]]})
    path = tmp_path / "a.parquet"
    compression = {"text": "zstd", "n.list.element": "gzip"}
    parquet.write_table(table, path, row_group_size=3, compression=compression)
    assert texts(path) == ["a", "b", "a", "c"]
    (tmp_path / "b.parquet").write_bytes(written(path))
    source, output = (parquet.ParquetFile(tmp_path / name) for name in ("a.parquet", "b.parquet"))
    assert output.schema_arrow.names == ["text", "n", "label", "score"]
    assert [field.type for field in output.schema_arrow][:2] == [
        field.type for field in source.schema_arrow
    ]
    for n in range(2):
        ours, theirs = (file.metadata.row_group(n) for file in (output, source))
        assert ours.num_rows == theirs.num_rows
        assert [ours.column(m).compression for m in range(2)] == ["ZSTD", "GZIP"]
        assert ours.column(2).compression == "ZSTD"
    assert output.read().drop_columns(["label", "score"]).equals(source.read())


def test_parquet_with_two_equal_columns_is_an_error(tmp_path: Path) -> None:
    table = pa.table([pa.array(["a"]), pa.array(["b"])], names=["text", "text"])
    parquet.write_table(table, tmp_path / "a.parquet")
    with pytest.raises(InputError, match="more than one column is called 'text'"):
        read(tmp_path / "a.parquet")


def test_large_row_groups_are_written_in_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lstm_runtime.tables.parquet._GROUP_BYTES", 1000)
    parquet.write_table(
        pa.table({"text": [f"{n:0100}" for n in range(99)]}), tmp_path / "a.parquet"
    )
    (tmp_path / "b.parquet").write_bytes(written(tmp_path / "a.parquet"))
    output = parquet.ParquetFile(tmp_path / "b.parquet")
    assert output.num_row_groups > 1
    assert output.metadata.num_rows == 99


def test_a_folder_tells_what_it_leaves_out(tmp_path: Path) -> None:
    for name in ("a.csv", "B.JSON", "notes.pdf", ".hidden.csv", "inner/c.txt.gz", "out/a.csv"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("text\n")
    (tmp_path / "inner" / "loop").symlink_to(tmp_path)

    def names(**how: Any) -> tuple[list[str], list[str]]:
        found = read_folder(tmp_path, apart=tmp_path / "out", **how)
        both = (found.tables, found.skipped)
        return tuple([path.relative_to(tmp_path).as_posix() for path in one] for one in both)  # type: ignore[return-value]

    assert names() == (["B.JSON", "a.csv"], ["inner", "notes.pdf"])
    wanted = (["B.JSON", "a.csv", "inner/c.txt.gz"], ["inner/loop", "notes.pdf"])
    assert names(recursive=True) == wanted
    (tmp_path / "deep" / "er").mkdir(parents=True)
    with pytest.raises(InputError, match="--recursive looks into the folders in it"):
        read_folder(tmp_path / "deep")
