"""Encodings and separators of text tables."""

import pytest

from livemood.core.text_tables import decode_text, table_line, table_rows

TEXT = "path,who\nMälzer/a.jpg,x\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be"])
def test_decode_text_when_it_has_a_mark_then_its_encoding_is_taken(encoding) -> None:
    mark = b"\xfe\xff" if encoding == "utf-16-be" else b""
    assert decode_text(mark + TEXT.encode(encoding)) == TEXT


def test_decode_text_when_bytes_are_not_utf_8_then_they_are_kept() -> None:
    assert decode_text(b"a\xff.jpg").encode(errors="surrogateescape") == b"a\xff.jpg"


def test_decode_text_when_utf_16_is_cut_short_then_what_is_there_is_read() -> None:
    assert decode_text("ab".encode("utf-16")[:-1]).startswith("a")


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_table_rows_then_cells_are_separated_by_what_the_first_line_has_most_of(separator) -> None:
    assert list(table_rows(f'file{separator}age\r\n"a;b,c\td"{separator}7\r\n')) == [["file", "age"], ["a;b,c\td", "7"]]


@pytest.mark.parametrize("cell", ["a\rb", "a\nb", "a\r\n", "\r\n", 'a "b"', "", 0.1])
def test_table_line_when_a_cell_holds_anything_then_it_is_read_back(cell) -> None:
    line = table_line([cell, 1])
    assert line.endswith(",1\n")
    assert list(table_rows(f"a,b\n{line}")) == [["a", "b"], [str(cell), "1"]]
