"""The report: what is gathered, what the page holds, and what a real browser makes of it."""

import base64
import json
import math
import re
import shutil
import subprocess
import sys
import warnings
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from livemood.cli import run
from livemood.core.errors import LivemoodError, SinkError
from livemood.core.labels import EMOTIONS
from livemood.records import Origin, Record
from livemood.records.schema import HeadScores, to_json
from livemood.reporting.changes import Change
from livemood.reporting.film import Stimulus
from livemood.reporting.page import write_report
from livemood.reporting.plot import write_plot
from livemood.reporting.summary import MAX_BINS, curves, spans, summarise
from livemood.reporting.thumbnails import thumbnails
from livemood.sinks.records import open_records
from tests.integration.web.browser import chromium
from tests.support.builders import make_frame, make_mood


def record(time_s: float, label: str = "happy", track: int | None = 1, confidence: float = 0.9) -> Record:
    """Return a row at ``time_s`` of a 10 fps recording."""
    if track is None:
        return Record(round(time_s * 10), time_s)
    mood = make_mood(track, label, confidence)
    return Record(
        round(time_s * 10), time_s, track, (0.0, 0.0, 9.0, 9.0), label, confidence, mood.scores, mood.raw_scores
    )


def two_people() -> Iterator[Record]:
    """Yield 6 s: person 1 turns from happy to sad at 3 s, person 2 is unsure until 2 s and again from 4 s on."""
    for step in range(60):
        time_s = step / 10
        yield record(time_s, "happy" if time_s < 3 else "sad")
        if not 2 <= time_s < 4:
            yield record(time_s, "unsure", 2, 0.3)


def write_two_people(path: Path, labels: tuple[str, ...] = EMOTIONS, start_s: float = 0.0) -> Path:
    """Write the same scene through the sink, as it comes ``start_s`` into a video."""
    with open_records(path, labels, faceless_rows=True) as sink:
        for step in range(60):
            time_s = step / 10
            moods = [make_mood(1, labels[1] if time_s < 3 else labels[3], 0.9, labels)]
            if not 2 <= time_s < 4:
                moods.append(make_mood(2, "unsure", 0.3, labels, x=100))
            frame = make_frame(index=step, time_s=start_s + time_s)
            sink.write(frame, moods)
            if step == 30:
                sink.mark(frame, 1)
    return path


# ---- what is gathered ----


def test_summary_when_two_people_are_seen_then_each_is_counted_apart() -> None:
    summary = summarise(two_people())
    assert [person.id for person in summary.people] == [1, 2]
    assert [person.faces for person in summary.people] == [60, 40]
    assert summary.people[0].labels == {"happy": 30, "sad": 30}
    assert summary.people[0].confidence == pytest.approx(0.9)
    assert summary.people[1].unsure_share == 1.0
    assert (summary.frames, summary.faces, summary.faceless) == (60, 100, 0)


def test_summary_when_events_were_marked_then_they_count_as_no_frame() -> None:
    events = Record(1, 0.1, event=1), Record(2, 0.2, event=2)
    in_order = summarise([record(0.1), events[0], record(0.2), events[1]])
    assert in_order.events == {1: 0.1, 2: 0.2}
    assert (in_order.frames, in_order.faces, in_order.faceless) == (2, 2, 0)
    late = summarise([record(0.1), record(0.2), *events])
    assert (late.events, late.start_s, late.end_s, late.frame_s) == (in_order.events, 0.0, 0.2, 0.1)


def test_changes_when_a_mood_turns_then_one_moment_before_and_after_is_kept() -> None:
    (change,) = summarise(two_people()).changes
    assert (change.before.label, change.after.label, change.after.track) == ("happy", "sad", 1)
    assert change.after.time_s == 3.0
    assert change.before.time_s == pytest.approx(2.0)


def test_changes_when_scores_glide_from_one_to_another_then_that_is_one_change() -> None:
    def gliding() -> Iterator[Record]:
        for step in range(100):
            share = 0.0 if step < 30 else 1 - math.exp(-(step - 30) / 4)
            yield Record(step, step / 10, 1, (0.0, 0.0, 9.0, 9.0), "sad", 0.9, {"happy": 1 - share, "sad": share})

    (change,) = summarise(gliding()).changes
    assert 3.5 < change.after.time_s < 4.5


def test_changes_when_nothing_moves_then_there_are_none() -> None:
    assert summarise(record(step / 10) for step in range(100)).changes == []


def test_changes_when_there_are_many_then_the_strongest_come_first() -> None:
    def waves() -> Iterator[Record]:
        for step in range(4000):
            high = step // 20 % 2
            yield record(step / 10, "happy" if high else "sad", confidence=0.6 + 0.3 * step / 4000)

    sizes = [change.size for change in summarise(waves()).changes]
    assert sizes == sorted(sizes, reverse=True)
    assert 2 <= len(sizes) <= 12
    assert sizes[0] > 0.85


def test_changes_when_someone_comes_back_with_another_mood_then_that_is_none() -> None:
    away = [record(time / 10, "happy" if time < 30 else "sad") for time in (*range(30), *range(60, 90))]
    assert summarise(away).changes == []
    seldom = [record(4 * place, "happy" if place < 10 else "sad") for place in range(20)]
    (change,) = summarise(seldom).changes
    assert change.after.time_s - change.before.time_s == 4


def test_spans_when_a_label_changes_or_a_face_is_away_then_they_end_there() -> None:
    summary = summarise(two_people())
    first, second = ([(s.label, s.start_s, round(s.end_s, 6)) for s in spans(p, summary)] for p in summary.people)
    assert first == [("happy", 0.0, 3.0), ("sad", 3.0, 6.0)]
    assert second == [("unsure", 0.0, 2.0), ("unsure", 4.0, 6.0)]


def test_curves_when_a_face_is_away_then_they_break_there() -> None:
    summary = summarise(two_people())
    times, scores = curves(summary.people[1], summary)
    assert times[19:22] == [pytest.approx(1.9), None, 4.0]
    assert all(curve[20] is None for curve in scores)
    assert len(times) == 41


def test_curves_when_the_recording_is_long_then_few_points_keep_the_average() -> None:
    def hours() -> Iterator[Record]:
        for step in range(20_000):
            yield record(step / 2, "happy" if step % 4 else "sad")

    summary = summarise(hours())
    (person,) = summary.people
    times, scores = curves(person, summary)
    assert MAX_BINS / 4 < len(times) <= MAX_BINS
    happy = scores[EMOTIONS.index("happy")]
    assert np.mean([value for value in happy if value is not None]) == pytest.approx(
        0.75 * 0.9 + 0.25 * 0.1 / 7, abs=1e-3
    )
    assert person.faces == 20_000


# ---- the page as text ----


def page_of(records: Path, **options: object) -> str:
    """Write a report and return its text without plotly's own."""
    out = records.with_suffix(".html")
    write_report(records, out, **options)  # type: ignore[arg-type]
    text = out.read_text(encoding="utf-8")
    assert len(text) < 10e6
    return re.sub(r"<script>/\*.*?</script>", "", text, flags=re.DOTALL)


def test_page_when_written_then_it_says_what_it_does_not_mean(tmp_path: Path) -> None:
    page = page_of(write_two_people(tmp_path / "a.jsonl"))
    assert "An expression is not a feeling" in page
    assert "not in hiring" in page
    assert "Curves show every recorded frame" in page


def test_page_when_the_kind_of_smile_was_told_then_its_share_of_the_frames_is_listed(tmp_path: Path) -> None:
    heads = {**dict.fromkeys(range(30), "open"), **dict.fromkeys(range(30, 60), "closed")}  # sad from frame 30 on
    rows = [
        replace(row, others={"smile": HeadScores(heads[row.frame], {"none": 0.0, "closed": 0.5, "open": 0.5})})
        for row in two_people()
    ]
    assert [person.smiles for person in summarise(rows).people] == [{"open": 30}, {}]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(to_json(row)) + "\n" for row in rows))
    page = page_of(tmp_path / "a.jsonl")
    assert "closed smile" in page
    assert "open smile" in page
    assert "open smile" not in page_of(write_two_people(tmp_path / "b.jsonl"))


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_page_when_made_from_another_form_then_it_is_the_same(tmp_path: Path, suffix: str) -> None:
    page = page_of(write_two_people(tmp_path / "a.jsonl"))
    assert page_of(write_two_people(tmp_path / f"a{suffix}"), force=True) == page.replace("a.jsonl", f"a{suffix}")


def test_page_when_the_recording_is_long_then_it_stays_small_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    with open_records(path, EMOTIONS) as sink:
        for step in range(3000):
            sink.write(make_frame(8, 8, index=step, time_s=step), [make_mood(1, EMOTIONS[step // 100 % 8])])
    assert "averages over 4 s" in page_of(path)


def test_page_when_the_records_are_of_a_cut_then_length_and_charts_are_its_own(tmp_path: Path) -> None:
    page = page_of(write_two_people(tmp_path / "a.jsonl", start_s=3600.0))
    assert "2 people, 0:06.0 long" in page
    assert '"range":[3600000,3606000]' in page


def test_page_when_the_first_face_comes_late_then_the_time_before_counts(tmp_path: Path) -> None:
    with open_records(tmp_path / "a.csv", EMOTIONS) as sink:
        for step in range(20, 60):
            sink.write(make_frame(index=step, time_s=100 + step / 10), [make_mood(1, "happy", 0.9)])
    page = page_of(tmp_path / "a.csv")
    assert "1 person, 0:06.0 long" in page
    assert '"range":[100000,106000]' in page


def test_page_when_the_origin_knows_of_time_without_faces_then_it_counts(tmp_path: Path) -> None:
    with open_records(tmp_path / "a.csv", EMOTIONS, origin=Origin("1", "clip.mp4", duration_s=75.5)) as sink:
        sink.copy(list(two_people()))
    assert "2 people, 1:15.5 long" in page_of(tmp_path / "a.csv")


def test_page_when_names_are_of_any_bytes_then_they_are_shown_as_escapes(tmp_path: Path) -> None:
    records = write_two_people(tmp_path / "clip\udcff.jsonl")
    page = page_of(records)
    assert "Moods in clip\\xff" in page
    assert "clip\\xff.jsonl: 2 people" in page


def test_page_when_nobody_was_seen_then_it_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    with open_records(path, EMOTIONS, faceless_rows=True) as sink:
        sink.write(make_frame(), [])
    assert "No face was found" in page_of(path)


def test_page_when_names_hold_markup_then_it_is_escaped(tmp_path: Path) -> None:
    evil = "</script><script>alert(1)</script>"
    labels = ("neutral", evil, "surprise", "sad")
    page = page_of(write_two_people(tmp_path / "a.jsonl", labels), title=evil)
    assert evil not in page
    assert "&lt;/script&gt;" in page
    (charts,) = re.findall(r'<script type="application/json" id="charts">(.*?)</script>', page)
    traces = [trace for figure in json.loads(charts)["figures"].values() for trace in figure["data"]]
    shown = [trace.get(key, "") for trace in traces for key in ("name", "text", "hovertemplate")]
    assert any("&lt;/script&gt;" in text for text in shown)
    assert not any("<script>" in text for text in shown)


def test_page_when_the_recording_is_longer_than_a_day_then_its_axis_is_in_hours(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    with open_records(path, EMOTIONS) as sink:
        for step in range(100):
            sink.write(make_frame(8, 8, index=step, time_s=1200.0 * step), [make_mood()])
    (layout,) = timelines_of(page_of(path))
    axis = layout["xaxis"]
    assert (axis.get("type"), axis["ticksuffix"]) == (None, " h")
    assert axis["range"] == pytest.approx([0, 100 / 3], abs=1e-5)


def marked(path: Path, count: int, name: str = "") -> Path:
    """Write 6 s of two people in which ``count`` events are marked, evenly."""
    events = [Record(0, 6 * place / count, event=place + 1, event_name=name or None) for place in range(count)]
    with open_records(path, EMOTIONS) as sink:
        sink.copy([*two_people(), *events])
    return path


def timelines_of(page: str) -> list[dict[str, Any]]:
    (charts,) = re.findall(r'<script type="application/json" id="charts">(.*?)</script>', page)
    figures: dict[str, dict[str, Any]] = json.loads(charts)["figures"]
    return [figure["layout"] for name, figure in figures.items() if name.startswith("person-")]


def test_page_when_very_many_events_were_marked_then_lines_show_them_and_a_table_names_them(tmp_path: Path) -> None:
    page = page_of(marked(tmp_path / "a.jsonl", 1200, "tone"))
    assert "; 1,200 events marked." in page
    for layout in timelines_of(page):
        assert (len(layout["shapes"]), layout.get("annotations", [])) == (1200, [])
    (table,) = re.findall(r"Marked events as a table</summary>(.*?)</details>", page, re.DOTALL)
    assert table.count("tone</th>") == 1000
    assert "The first 1,000 of 1,200." in table


def test_page_when_an_event_has_a_long_name_late_then_it_stays_within_the_chart(tmp_path: Path) -> None:
    page = page_of(marked(tmp_path / "a.jsonl", 3, 50 * "tone"))
    for layout in timelines_of(page):
        assert [name["xanchor"] for name in layout["annotations"]] == ["left", "left", "right"]
        assert {name["text"] for name in layout["annotations"]} == {10 * "tone" + "…"}
    assert "Marked events as a table" not in page


def test_page_when_a_file_is_there_then_only_force_replaces_it(tmp_path: Path) -> None:
    records, out = write_two_people(tmp_path / "a.jsonl"), tmp_path / "a.html"
    out.write_text("kept")
    with pytest.raises(SinkError, match="is there already; use force or another out"):
        write_report(records, out)
    assert out.read_text() == "kept"
    write_report(records, out, force=True)
    assert out.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_page_when_the_records_are_none_then_no_page_is_left(tmp_path: Path) -> None:
    records = tmp_path / "a.jsonl"
    records.write_text("hello\n")
    with pytest.raises(LivemoodError, match="is not a record file"):
        write_report(records, tmp_path / "a.html")
    assert list(tmp_path.iterdir()) == [records]


def test_page_when_plotly_is_missing_then_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    records = write_two_people(tmp_path / "a.jsonl")
    for module in ("plotly", "plotly.offline", "plotly.graph_objects"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(LivemoodError, match=r"plotly is not installed; try: pip install 'livemood\[report\]'"):
        write_report(records, tmp_path / "a.html")


def test_plot_when_matplotlib_is_missing_then_the_command_writes_no_page_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    records = write_two_people(tmp_path / "a.jsonl")
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert run(["report", str(records), "--out", str(tmp_path / "a.html"), "--plot", str(tmp_path / "a.png")]) == 1
    assert capsys.readouterr().err == "livemood: matplotlib is not installed; try: pip install 'livemood[plots]'\n"
    assert list(tmp_path.iterdir()) == [records]


# ---- pictures of faces ----


def write_video(path: Path, seconds: int = 6) -> Path:
    """Write a 10 fps clip whose grey level is four times the frame's index."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=10)
        stream.width, stream.height, stream.pix_fmt = 640, 480, "bgr0"
        for index in range(seconds * 10):
            picture = np.full((480, 640, 3), 4 * index, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "bgr24")))
        container.mux(stream.encode())
    return path


def test_thumbnails_when_asked_then_each_shows_the_frame_of_its_moment(tmp_path: Path) -> None:
    video = write_video(tmp_path / "a.mkv")
    page = page_of(write_two_people(tmp_path / "a.jsonl"), thumbnails=video)
    pictures = [base64.b64decode(code) for code in re.findall(r'src="data:image/jpeg;base64,([^"]+)"', page)]
    levels = [np.asarray(cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)).mean() for jpeg in pictures]
    assert levels == [pytest.approx(4 * 20, abs=2), pytest.approx(4 * 30, abs=2)]
    assert 'alt="person 1 at 0:03.0, sad"' in page


def test_report_command_when_a_video_for_thumbnails_is_given_then_the_page_shows_it(tmp_path: Path) -> None:
    records, video = write_two_people(tmp_path / "a.jsonl"), write_video(tmp_path / "a.mkv")
    assert run(["report", str(records), "--out", str(tmp_path / "a.html"), "--thumbnails", str(video)]) == 0
    assert (tmp_path / "a.html").read_text(encoding="utf-8").count('src="data:image/jpeg') == 2


def test_thumbnails_when_a_face_lies_over_the_edge_then_what_the_picture_has_of_it_is_shown(tmp_path: Path) -> None:
    video = write_video(tmp_path / "a.mkv")
    for box, shape in (((-60, 0, 60, 120), (192, 115)), ((560, 400, 720, 560), (192, 192))):
        before, after = (replace(record(time_s), box=box) for time_s in (0.0, 1.0))
        for uri in thumbnails(video, Change(1.0, before, after)):
            assert uri
            coded = np.frombuffer(base64.b64decode(uri.partition(",")[2]), np.uint8)
            assert np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR)).shape[:2] == shape


def test_thumbnails_when_not_asked_then_the_page_shows_no_picture(tmp_path: Path) -> None:
    page = page_of(write_two_people(tmp_path / "a.jsonl"))
    assert "<img" not in page
    assert "It contains no picture of anyone" in page


def test_thumbnails_when_the_video_is_another_then_one_line_says_so(tmp_path: Path) -> None:
    records, video = write_two_people(tmp_path / "a.jsonl"), write_video(tmp_path / "a.mkv", seconds=1)
    with pytest.raises(
        LivemoodError, match=r"a\.mkv has no frame at .* s, where the records have a face; give the video"
    ):
        write_report(records, tmp_path / "a.html", thumbnails=video)
    assert not (tmp_path / "a.html").exists()


# ---- the page in a browser ----


class Dom(HTMLParser):
    """Collects the start tags of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep one tag."""
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def of_class(self, name: str) -> list[dict[str, str]]:
        """Return the attributes of all elements of a class."""
        return [attributes for _, attributes in self.tags if name in attributes.get("class", "").split()]


def rendered(page: Path, profile: Path, *options: str) -> Dom:
    """Return the page as headless Chromium holds it after its scripts have run."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    assert browser, "the report is checked in a browser: install Chromium (Debian: apt-get install chromium)"
    flags = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    flags += " --disable-component-update --disable-sync --virtual-time-budget=5000 --dump-dom"
    command = [browser, *flags.split(), f"--user-data-dir={profile}", *options, page.as_uri()]
    done = subprocess.run(command, capture_output=True, check=True, timeout=120)
    return Dom(re.sub(r"<script>/\*.*?</script>", "", done.stdout.decode(), flags=re.DOTALL))


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a report with pictures on two people."""
    folder = tmp_path_factory.mktemp("report")
    records, video = write_two_people(folder / "a.jsonl"), write_video(folder / "a.mkv")
    write_report(records, folder / "a.html", thumbnails=video)
    return folder / "a.html"


@pytest.fixture(scope="module")
def dom(page: Path, tmp_path_factory: pytest.TempPathFactory) -> Dom:
    """Return the report as a browser in light mode shows it."""
    return rendered(page, tmp_path_factory.mktemp("profile"))


def test_browser_when_it_opens_the_page_then_all_charts_are_drawn(dom: Dom) -> None:
    assert len(dom.of_class("js-plotly-plot")) == 4  # shares, two timelines, confidence
    curves_drawn = [line for line in dom.of_class("js-line") if "L" in line.get("d", "")]
    assert len(curves_drawn) == 3 * len(EMOTIONS)  # person 2 is away in between, so each curve is in two pieces
    # A happy and a sad stretch of person 1, two unsure ones of person 2; shares and confidence have bars of their own.
    assert len(dom.of_class("point")) > 4


def test_browser_when_it_prints_the_page_then_frames_of_the_film_are_printed_and_long_names_are_broken(
    tmp_path: Path,
) -> None:
    records, video = write_two_people(tmp_path / f"{100 * 'ab'}.jsonl"), write_video(tmp_path / "a.mkv")
    write_report(records, tmp_path / "a.html", stimulus=Stimulus(video))
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 700, "height": 900})
        page.goto((tmp_path / "a.html").as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= 700
        page.emulate_media(media="print")
        assert page.eval_on_selector(".film", "(film) => getComputedStyle(film).printColorAdjust") == "exact"


def test_browser_when_an_event_was_marked_then_both_timelines_name_it(dom: Dom) -> None:
    assert [name["data-unformatted"] for name in dom.of_class("annotation-text")] == ["event 1", "event 1"]


def test_browser_when_it_opens_the_page_then_nothing_is_loaded_from_elsewhere(dom: Dom) -> None:
    policies = [a["content"] for tag, a in dom.tags if tag == "meta" and a.get("http-equiv")]
    assert policies
    assert all(policy.startswith("default-src 'none'; script-src 'sha256-") for policy in policies)
    assert not any("unsafe-eval" in policy or "script-src 'unsafe" in policy for policy in policies)
    for tag, attributes in dom.tags:
        for name, value in attributes.items():
            foreign = re.search(r"(^|url\(|[\s\"'])(https?:)?//\w", value) and not name.startswith("xmlns")
            assert not foreign, f"{tag} {name}={value[:80]}"
    assert not [tag for tag, _ in dom.tags if tag in ("link", "iframe", "object", "embed")]


def test_browser_when_a_screen_reader_reads_then_charts_are_named_and_have_tables(dom: Dom) -> None:
    charts = dom.of_class("chart")
    assert charts
    assert all(chart["role"] == "img" and chart["aria-label"] for chart in charts)
    tags = [tag for tag, _ in dom.tags]
    assert tags.count("table") == tags.count("caption") >= len(charts)
    assert dict(dom.tags)["html"]["lang"] == "en"
    assert all(attributes["alt"] for tag, attributes in dom.tags if tag == "img")
    levels = [int(tag[1]) for tag in tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_browser_when_it_prefers_dark_then_curves_have_the_colours_for_it(dom: Dom, page: Path, tmp_path: Path) -> None:
    dark = rendered(page, tmp_path / "profile", "--blink-settings=preferredColorScheme=0")
    happy = "stroke: rgb(240, 228, 66)"
    assert any(happy in line.get("style", "") for line in dark.of_class("js-line"))
    assert not any(happy in line.get("style", "") for line in dom.of_class("js-line"))


# ---- the picture ----


@pytest.mark.parametrize("start_s", [0.0, 3600.0])
def test_plot_when_written_then_the_curves_are_on_it(tmp_path: Path, start_s: float) -> None:
    out = tmp_path / "a.png"
    write_plot(write_two_people(tmp_path / "a.jsonl", start_s=start_s), out)
    picture = cv2.imread(str(out), cv2.IMREAD_COLOR)
    assert picture is not None
    sad = np.array([0xC8, 0x9B, 0x4A])  # of the light palette, BGR
    found = np.abs(picture.astype(int) - sad).max(axis=2) < 4
    assert found.sum() > 5000  # the ribbon
    assert found[: len(found) // 4].sum() > 100  # the curve, which lies high in the upper plot


def test_plot_when_there_is_one_row_then_it_is_a_picture_and_nothing_is_complained_about(tmp_path: Path) -> None:
    with open_records(tmp_path / "a.csv", EMOTIONS) as sink:
        sink.write(make_frame(), [make_mood()])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        write_plot(tmp_path / "a.csv", tmp_path / "a.png")
    assert cv2.imread(str(tmp_path / "a.png"), cv2.IMREAD_COLOR) is not None


def test_plot_when_names_hold_anything_then_it_is_still_a_picture(tmp_path: Path) -> None:
    records = write_two_people(tmp_path / "a$x_{$\x01\udcff.jsonl", ("neutral", "$x_{$", "surprise", "sad"))
    write_plot(records, tmp_path / "a.svg")
    assert "<svg" in (tmp_path / "a.svg").read_text(encoding="utf-8")


def test_plot_when_nobody_was_seen_then_it_is_still_a_picture(tmp_path: Path) -> None:
    open_records(tmp_path / "a.csv", EMOTIONS).close()
    write_plot(tmp_path / "a.csv", tmp_path / "a.svg")
    assert "<svg" in (tmp_path / "a.svg").read_text(encoding="utf-8")


def test_plot_when_the_suffix_is_unknown_then_the_three_are_named(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match=r"\.png, \.svg or \.pdf"):
        write_plot(write_two_people(tmp_path / "a.jsonl"), tmp_path / "a.bmp")


def test_plot_when_a_file_is_there_then_only_force_replaces_it(tmp_path: Path) -> None:
    records, out = write_two_people(tmp_path / "a.jsonl"), tmp_path / "a.png"
    out.write_text("kept")
    with pytest.raises(SinkError, match="is there already; use force or another plot"):
        write_plot(records, out)
    assert out.read_text() == "kept"
    write_plot(records, out, force=True)
    assert out.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("name", ["a.pdf", "a.png", "a"])
def test_page_when_its_ending_promises_something_else_then_it_is_refused(tmp_path: Path, name: str) -> None:
    records = write_two_people(tmp_path / "a.jsonl")
    with pytest.raises(SinkError, match=r"does not end in \.html"):
        write_report(records, tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["a.jsonl"]
