"""The table of faces that ``livemood image`` prints."""

import pytest

from livemood.cli.photo_output import print_photos
from livemood.records import Record
from livemood.records.inputs import Group, Input

LONG = "holiday/a-photo-with-a-long-name.jpg"


def face(label: str, **more: object) -> Record:
    return Record(0, 0.0, 1, (0.0, 0.0, 9.0, 9.0), label, 0.5, **more)  # type: ignore[arg-type]


GROUPS: list[Group] = [
    (Input(LONG, 9, 9, 2), (face("happy"), face("unsure", reason="small"))),
    (Input(":smile: [b].jpg", 9, 9), ()),
    (Input("broken.jpg", error="broken.jpg is damaged"), ()),
]


def test_photos_then_a_line_for_each_face_and_each_photo_without_one(capsys: pytest.CaptureFixture[str]) -> None:
    print_photos(GROUPS)
    lines = [[part.strip() for part in line.split("  ") if part] for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        ["photo", "face", "label", "confidence"],
        [LONG, "1", "happy", "50%"],
        [LONG, "2", "unsure (small)", "50%"],
        [":smile: [b].jpg", "-", "no face found"],
    ]


def test_photos_on_a_narrow_screen_then_each_face_is_a_line_and_names_are_cut(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "50")
    print_photos([(Input("a photo with a long name.jpg", 9, 9, 1), GROUPS[0][1][:1]), *GROUPS])
    lines = [line.split("  ") for line in capsys.readouterr().out.splitlines()[1:]]
    assert [[part.strip() for part in line if part.strip()] for line in lines] == [
        ["a photo with …", "1", "happy", "50%"],
        ["holiday/a-pho…", "1", "happy", "50%"],
        ["holiday/a-pho…", "2", "unsure (small)", "50%"],
        [":smile: [b].j…", "-", "no face found"],
    ]


def test_photos_without_faces_or_readable_ones_then_no_table(capsys: pytest.CaptureFixture[str]) -> None:
    print_photos(GROUPS[2:])
    assert capsys.readouterr().out == ""
