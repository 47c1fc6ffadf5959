import gzip
from io import BytesIO
from pathlib import Path

import pytest
from lstm_runtime import InputError
from lstm_runtime.tables import lines
from lstm_runtime.tables.base import Columns
from lstm_runtime.tables.formats import open_table
from lstm_runtime.tables.lines import read_lines


def _read(data: bytes) -> list[str]:
    return list(read_lines(BytesIO(data), "reviews.txt"))


def test_lines_end_at_newlines_only() -> None:
    assert _read("a\x85b\u2028c\n\r\nd\re\r\nf".encode()) == ["a\x85b\u2028c", "", "d\re", "f"]


def test_a_byte_order_mark_is_no_text() -> None:
    assert _read(b"\xef\xbb\xbfgood\n\xef\xbb\xbfbad") == ["good", "\ufeffbad"]


def test_a_line_that_is_not_utf8_is_named() -> None:
    with pytest.raises(InputError, match=r"reviews.txt, line 2: not UTF-8 \(byte 3\)"):
        _read(b"good\nba\xff\n")


def test_a_line_that_never_ends_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "LONGEST", 10)
    assert _read(b"123456789\n1234567890") == ["123456789", "1234567890"]
    with pytest.raises(InputError, match=r"reviews.txt, line 2: more than 10 without a line end"):
        _read(b"good\n" + b"12345" * 3)
    for name in ("a.csv", "a.tsv", "a.jsonl", "a.txt", "a.csv.gz"):
        file = tmp_path / name
        data = b"text\n" + b"12345" * 3
        file.write_bytes(gzip.compress(data) if name.endswith("gz") else data)
        with pytest.raises(InputError, match=rf"{name}, line 2: more than 10 without a line end"):
            list(open_table(file, Columns("text")).rows())
