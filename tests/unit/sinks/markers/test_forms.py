"""Every marker format, read back by the library of a program that uses it."""

import csv
import json
import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import opentimelineio as otio
import pympi
import pytest
import textgrids
from boris_clip.parse import parse_boris_file

from livemood.core.errors import SinkError
from livemood.sinks.markers.base import make_clip
from livemood.sinks.markers.sink import FORMS, MarkerSink
from tests.support.builders import make_frame, make_mood

FILM, NTSC = Fraction(24000, 1001), Fraction(30000, 1001)
# A rate, the timecode of the first frame, and the number that it gives that frame.
CLIPS = [
    (FILM, "01:00:00:00", 86_400),
    (Fraction(25), "10:00:00:00", 900_000),
    (Fraction(25), None, 0),
    (NTSC, "00:59:59;20", 107_882),
    (NTSC, None, 0),
    (Fraction(60), "00:00:10:30", 630),
]
FRAMES = 40
# Labels of each person by first and last frame; person 2 is absent at times. At frame 20 an event is marked.
SHOWN = [(1, "happy", 0, 11), (2, "fear", 5, 11), (1, "sad", 11, 40), (2, "unsure", 11, 33)]
MARKED = 20
EXPECTED = sorted(
    [(start, end - start, f"person {track}: {label}") for track, label, start, end in SHOWN] + [(MARKED, 1, "event 1")],
    key=lambda marker: marker[0],
)

clips = pytest.mark.parametrize(("rate", "timecode", "first"), CLIPS)
# Formats without timecode hold any rate.
OTHERS = [(rate, None, 0) for rate in (Fraction(25, 2), Fraction(59, 2), Fraction(15000, 1001), Fraction(48000, 1001))]
all_clips = pytest.mark.parametrize(("rate", "timecode", "first"), [*CLIPS, *OTHERS])


def write(path: Path, rate: Fraction, timecode: str | None, video: Path | None = None) -> Path:
    """Write the scene through the sink, with times as records keep them."""
    with MarkerSink(path, make_clip("a clip", rate, timecode, path=video)) as sink:
        for index in range(FRAMES):
            frame = make_frame(8, 8, index=index, time_s=round(float(index / rate), 6))
            sink.write(frame, [make_mood(track, label) for track, label, start, end in SHOWN if start <= index < end])
            if index == MARKED:
                sink.mark(frame, 1)
    return path


def shown_frame(time_s: float | Fraction, rate: Fraction) -> int:
    """Return the frame that a player shows at a time: the last one that has begun, to the microsecond."""
    return int((Fraction(time_s) + Fraction(1, 1_000_000)) * rate)


@all_clips
def test_otio_then_opentimelineio_finds_every_frame(tmp_path, rate, timecode, first) -> None:
    timeline: Any = otio.adapters.read_from_file(str(write(tmp_path / "a.otio", rate, timecode, tmp_path / "a b.mp4")))
    (clip,) = timeline.find_clips()
    assert timeline.global_start_time == otio.opentime.RationalTime(first, float(rate))
    assert clip.source_range.start_time.value == first
    assert clip.source_range.duration.value == FRAMES
    assert clip.media_reference.target_url == (tmp_path / "a b.mp4").as_uri()
    ranges = [(marker.marked_range, marker.name) for marker in clip.markers]
    assert all(each.start_time.rate == float(rate) for each, _ in ranges)
    assert [(each.start_time.value - first, each.duration.value, name) for each, name in ranges] == EXPECTED
    assert clip.markers[0].color == "YELLOW"


@clips
def test_edl_then_opentimelineio_finds_every_frame(tmp_path, rate, timecode, first) -> None:
    text = write(tmp_path / "a.edl", rate, timecode).read_text()
    assert ("FCM: DROP FRAME" in text) == (rate == NTSC)
    timeline: Any = otio.adapters.read_from_string(text, "cmx_3600", rate=float(rate))
    found = []
    for clip in timeline.find_clips():
        (note,) = clip.metadata["cmx_3600"]["comments"]
        match = re.fullmatch(r"\|C:ResolveColor\w+ \|M:(.*) \|D:(\d+)", note)
        assert match
        name, frames = match.groups()
        found.append((round(clip.source_range.start_time.value) - first, int(frames), name))
    # A timeline holds one marker at a frame.
    both = (11, 22, "person 1: sad; person 2: unsure")
    assert found == sorted([*(one for one in EXPECTED if one[0] != 11), both])


@clips
def test_csv_then_its_timecodes_lead_to_every_frame(tmp_path, rate, timecode, first) -> None:
    def number(text: str) -> int:
        return round(otio.opentime.from_timecode(text, float(rate)).value)

    rows = list(csv.DictReader(write(tmp_path / "a.csv", rate, timecode).read_text().splitlines()))
    assert [(number(r["In"]) - first, number(r["Duration"]), r["Marker Name"]) for r in rows] == EXPECTED
    assert [number(row["Out"]) - number(row["In"]) for row in rows] == [frames for _, frames, _ in EXPECTED]
    assert {row["Marker Type"] for row in rows} == {"Comment"}


@all_clips
def test_fcpxml_then_its_fractions_are_whole_frames(tmp_path, rate, timecode, first) -> None:
    root = ElementTree.fromstring(write(tmp_path / "a.fcpxml", rate, timecode, tmp_path / "a b.mp4").read_text())

    def frames(element: ElementTree.Element, name: str) -> Fraction:
        return Fraction(element.attrib[name].removesuffix("s")) * rate

    (clip,), (sequence,) = root.iter("asset-clip"), root.iter("sequence")
    assert frames(sequence, "tcStart") == frames(clip, "start") == frames(clip, "offset") == first
    assert sequence.attrib["tcFormat"] == clip.attrib["tcFormat"] == ("DF" if rate == NTSC else "NDF")
    found = [(frames(m, "start") - first, frames(m, "duration"), m.attrib["value"]) for m in clip.iter("marker")]
    assert [(int(start), int(length), name) for start, length, name in found] == EXPECTED
    assert all(start.denominator == length.denominator == 1 for start, length, _ in found)


def test_fcpxml_then_opentimelineio_finds_clip_and_markers(tmp_path) -> None:
    """Its reader cuts decimals off, so a frame may come out as the one before; the test above is exact."""
    path = write(tmp_path / "a.fcpxml", Fraction(25), "10:00:00:00", tmp_path / "a.mp4")
    collection: Any = otio.adapters.read_from_file(str(path))
    (clip,) = collection.find_clips()
    assert clip.media_reference.target_url == (tmp_path / "a.mp4").as_uri()
    assert [marker.name for marker in clip.markers] == [name for _, _, name in EXPECTED]
    late = [
        start + 900_000 - m.marked_range.start_time.value
        for m, (start, _, _) in zip(clip.markers, EXPECTED, strict=True)
    ]
    assert set(late) <= {0, 1}


def test_fcpxml_when_no_video_is_known_then_the_markers_are_on_a_gap(tmp_path) -> None:
    (gap,) = ElementTree.fromstring(write(tmp_path / "a.fcpxml", FILM, None).read_text()).iter("gap")
    assert len(gap) == len(EXPECTED)


@all_clips
def test_eaf_then_pympi_finds_a_tier_for_each_person_and_every_frame(tmp_path, rate, timecode, first) -> None:
    eaf = pympi.Elan.Eaf(str(write(tmp_path / "a.eaf", rate, timecode, tmp_path / "a b.mp4")))
    assert list(eaf.get_tier_names()) == ["person 1", "person 2", "events"]
    found = [
        (int(tier.removeprefix("person ")), label, *(shown_frame(Fraction(ms, 1000), rate) for ms in (start, end)))
        for tier in ("person 1", "person 2")
        for start, end, label in eaf.get_annotation_data_for_tier(tier)
    ]
    assert sorted(found) == sorted(SHOWN)
    ((start, _, name),) = eaf.get_annotation_data_for_tier("events")
    assert (shown_frame(Fraction(start, 1000), rate), name) == (MARKED, "event 1")
    (media,) = eaf.get_linked_files()
    assert media["MEDIA_URL"] == (tmp_path / "a b.mp4").as_uri()


@all_clips
def test_textgrid_then_praats_readers_find_tiers_without_gaps_and_every_frame(tmp_path, rate, timecode, first) -> None:
    grid = textgrids.TextGrid(str(write(tmp_path / "a.TextGrid", rate, timecode)))
    assert list(grid) == ["person 1", "person 2", "events"]
    assert pympi.Praat.TextGrid(str(tmp_path / "a.TextGrid")).tier_num == 3
    found = []
    for tier in ("person 1", "person 2"):
        assert grid[tier][0].xmin == 0
        assert grid[tier][-1].xmax == grid.xmax
        assert all(a.xmax == b.xmin for a, b in zip(grid[tier], grid[tier][1:], strict=False))
        found += [
            (int(tier[-1]), one.text, shown_frame(one.xmin, rate), shown_frame(one.xmax, rate))
            for one in grid[tier]
            if one.text
        ]
    assert sorted(found) == sorted(SHOWN)
    assert [(point.text, shown_frame(point.xpos, rate)) for point in grid["events"]] == [("event 1", MARKED)]


@all_clips
def test_boris_then_a_reader_of_its_projects_finds_every_bout(tmp_path, rate, timecode, first) -> None:
    (observation,) = parse_boris_file(str(write(tmp_path / "a.boris", rate, timecode, tmp_path / "a b.mp4")))
    assert observation.media_filename == "a b.mp4"
    assert observation.fps == float(rate)
    bouts = [
        (
            int(bout.subject.removeprefix("person ")),
            bout.behaviour,
            *(shown_frame(t, rate) for t in (bout.start, bout.stop)),
        )
        for bout in observation.bouts
        if not bout.is_point
    ]
    assert sorted(bouts) == sorted(SHOWN)
    assert [(b.behaviour, shown_frame(b.start, rate)) for b in observation.bouts if b.is_point] == [("event", MARKED)]


def empty_and_whole() -> Iterator[Any]:
    """Yield each form with what its own reader makes of it."""
    yield ".otio", lambda path: otio.adapters.read_from_file(path)
    yield ".edl", lambda path: otio.adapters.read_from_file(path)
    yield ".fcpxml", lambda path: otio.adapters.read_from_file(path)
    yield ".eaf", lambda path: pympi.Elan.Eaf(path)
    yield ".boris", parse_boris_file
    yield ".csv", lambda path: list(csv.DictReader(Path(path).read_text().splitlines()))
    yield ".TextGrid", lambda path: textgrids.TextGrid(path)


@pytest.mark.parametrize(("suffix", "read"), empty_and_whole())
def test_file_when_nobody_was_seen_then_it_is_whole_and_says_nothing(tmp_path, suffix, read) -> None:
    with MarkerSink(tmp_path / f"a{suffix}", make_clip("a")) as sink:
        sink.write(make_frame(), [])
    read(str(tmp_path / f"a{suffix}"))
    assert "person" not in (tmp_path / f"a{suffix}").read_text()


@pytest.mark.parametrize("suffix", FORMS)
def test_text_when_a_label_holds_markup_then_it_is_told_as_it_is(tmp_path, suffix) -> None:
    label = 'a "b" <c> & d'
    path = tmp_path / f"a{suffix}"
    with MarkerSink(path, make_clip("a")) as sink:
        for index in range(2):
            sink.write(make_frame(8, 8, index=index, time_s=index / 25), [make_mood(1, label)])
    if suffix in (".fcpxml", ".eaf"):
        root = ElementTree.fromstring(path.read_text())
        assert any(label in "".join((*element.attrib.values(), element.text or "")) for element in root.iter())
    elif suffix == ".textgrid":
        assert textgrids.TextGrid(str(path))["person 1"][0].text.replace('""', '"') == label
    elif suffix == ".csv":
        assert next(csv.reader([path.read_text().splitlines()[1]]))[1] == label
    else:
        assert (label if suffix == ".edl" else label.replace('"', '\\"')) in path.read_text()


@pytest.mark.parametrize("suffix", [".edl", ".csv"])
def test_timecode_when_the_rate_cannot_be_counted_then_it_is_of_the_nearest_timeline_and_a_note_says_so(
    tmp_path, suffix
) -> None:
    path = tmp_path / f"a{suffix}"
    with MarkerSink(path, make_clip("a", Fraction(25, 2), "01:00:00:00")) as sink:
        for index in range(500):
            sink.write(
                make_frame(8, 8, index=index, time_s=index / 12.5), [make_mood(1, "sad" if index < 250 else "fear")]
            )
    (note,) = sink.warnings
    assert note == f"{path} is for a timeline of 13 frames per second, because timecode cannot count 12.5"
    assert "01:00:20:00" in path.read_text()  # frame 250 of 12.5 frames per second


@pytest.mark.parametrize("suffix", FORMS)
def test_text_when_names_hold_breaks_and_controls_then_they_become_spaces(tmp_path, suffix) -> None:
    path, odd = tmp_path / f"a{suffix}", "a\x01b\n003  c\udcff"
    with MarkerSink(path, make_clip(odd, path=tmp_path / f"{odd}.mp4")) as sink:
        sink.write(make_frame(8, 8), [make_mood(1, odd)])
        sink.mark(make_frame(8, 8), 1, odd)
    lines = path.read_text().splitlines()
    assert any("a b 003  c\\xff" in line.replace("\\\\", "\\") for line in lines)
    assert not any(line.startswith("003") for line in lines)
    if suffix in (".fcpxml", ".eaf"):
        ElementTree.fromstring(path.read_text())


def test_events_when_several_are_marked_at_a_frame_then_they_are_told_together(tmp_path) -> None:
    for suffix in (".eaf", ".TextGrid"):
        with MarkerSink(tmp_path / f"a{suffix}", make_clip("a")) as sink:
            for index, names in enumerate((("one", "two"), ("three",), ())):
                frame = make_frame(8, 8, index=index, time_s=index / 25)
                sink.write(frame, [])
                for name in names:
                    sink.mark(frame, 1, name)
    events = pympi.Elan.Eaf(str(tmp_path / "a.eaf")).get_annotation_data_for_tier("events")
    assert events == [(0, 40, "one; two"), (40, 80, "three")]
    points = textgrids.TextGrid(str(tmp_path / "a.TextGrid"))["events"]
    assert [(point.xpos, point.text) for point in points] == [(0, "one; two"), (0.04, "three")]


def test_boris_when_an_event_has_a_name_then_it_is_its_comment(tmp_path) -> None:
    with MarkerSink(tmp_path / "a.boris", make_clip("a")) as sink:
        sink.mark(make_frame(8, 8), 1, "bell")
    (observation,) = json.loads((tmp_path / "a.boris").read_text())["observations"].values()
    assert observation["events"] == [[0.0, "", "event", "", "bell", 0]]


def test_sink_when_the_suffix_is_unknown_then_all_are_named(tmp_path) -> None:
    with pytest.raises(SinkError, match=r"does not end in \.edl, .* or \.boris; give markers"):
        MarkerSink(tmp_path / "a.txt", make_clip("a"))


def test_file_when_an_error_ends_the_block_then_nothing_is_left(tmp_path) -> None:
    with pytest.raises(RuntimeError), MarkerSink(tmp_path / "a.edl", make_clip("a")) as sink:
        sink.write(make_frame(), [make_mood(1)])
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []
