from io import BytesIO

import pytest
from lstm_runtime import InputError
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
