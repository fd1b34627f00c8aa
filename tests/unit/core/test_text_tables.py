"""Encodings and separators of text tables."""

import pytest

from livemood.core.text_tables import decode_text, json_line, one_line, printable, table_line, table_rows, utf8

TEXT = "path,who\nMälzer/a.jpg,x\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be"])
def test_decode_text_when_it_has_a_mark_then_its_encoding_is_taken(encoding) -> None:
    mark = b"\xfe\xff" if encoding == "utf-16-be" else b""
    assert decode_text(mark + TEXT.encode(encoding)) == TEXT


def test_decode_text_when_bytes_are_not_utf_8_then_they_are_kept() -> None:
    assert decode_text(b"a\xff.jpg").encode(errors="surrogateescape") == b"a\xff.jpg"


def test_utf8_then_any_text_can_be_written_and_a_byte_is_told_as_it_is() -> None:
    assert utf8("caf\u00e9 \U0001f600 \udcff \ud800.jpg") == "caf\u00e9 \U0001f600 \\xff \ufffd.jpg"


def test_json_line_then_one_line_with_its_letters() -> None:
    assert json_line({"path": "Mälzer\n", "track": None}) == '{"path": "Mälzer\\n", "track": null}\n'


def test_printable_when_a_text_holds_breaks_controls_and_surrogates_then_question_marks() -> None:
    assert printable("a\n\x07 \u00e9\u202e\udcff") == "a?? \u00e9??"


def test_one_line_when_a_text_holds_breaks_and_controls_then_they_become_spaces() -> None:
    assert (
        one_line("film\x01a\r\n\u2028b\x85 \U0001f469\u200d\U0001f4bb\udcff")
        == "film a b  \U0001f469\u200d\U0001f4bb\\xff"
    )


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
