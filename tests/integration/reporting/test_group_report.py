"""The report on many recordings, and what was being watched in it and in that on one."""

import base64
import csv
import re
import statistics
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from livemood.cli import run
from livemood.core.errors import LivemoodError, VideoUnreadable
from livemood.core.labels import EMOTIONS
from livemood.records import Record
from livemood.reporting.film import Stimulus, film_frames
from livemood.reporting.group import read_group
from livemood.reporting.group_page import write_group_report
from livemood.reporting.page import write_report
from livemood.sinks.records import open_records
from tests.integration.reporting.test_report import Dom, rendered
from tests.support.builders import make_frame, make_mood

SECONDS, FPS = 6, 10


def write_rows(
    path: Path, happy_from_s: float, confidence: float = 0.9, late_s: float = 0.0, labels: tuple[str, ...] = EMOTIONS
) -> Path:
    """Write the records of someone who turns from neutral to happy; an event is marked ``late_s`` after the start."""
    with open_records(path, labels) as sink:
        for index in range(SECONDS * FPS):
            time_s = index / FPS
            frame = make_frame(8, 8, index=index, time_s=time_s)
            label = "happy" if time_s - late_s >= happy_from_s else "neutral"
            sink.write(frame, [make_mood(1, label, confidence, labels)])
            if time_s == late_s:
                sink.mark(frame, 1)
    return path


def write_film(path: Path, seconds: int = 4) -> Path:
    """Write a film of 25 frames a second whose grey level says in which tenth of a second it is."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 160, 90, "bgr0"
        for index in range(seconds * 25):
            picture = np.full((90, 160, 3), int(index / 2.5) * 5 % 250, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "bgr24")))
        container.mux(stream.encode())
    return path


@pytest.fixture
def three(tmp_path: Path) -> list[Path]:
    """Three recordings of people who turn happy at 2 s, more or less clearly."""
    return [write_rows(tmp_path / f"{name}.jsonl", 2.0, c) for name, c in (("ann", 0.9), ("ben", 0.8), ("cleo", 0.6))]


# ---- what is gathered ----


def test_group_then_means_and_spread_are_those_of_the_recordings(three, tmp_path) -> None:
    group = read_group(three)
    happy = EMOTIONS.index("happy")
    late = group.times_s > 2.1
    assert group.count.tolist() == [3] * len(group.times_s)
    assert group.mean[happy][late] == pytest.approx(statistics.mean([0.9, 0.8, 0.6]), abs=1e-6)
    assert group.spread[happy][late] == pytest.approx(statistics.stdev([0.9, 0.8, 0.6]), abs=1e-6)


def test_group_when_one_recording_is_shorter_then_the_others_go_on_without_it(tmp_path) -> None:
    long, short = write_rows(tmp_path / "a.csv", 2.0), tmp_path / "b.csv"
    lines = write_rows(tmp_path / "c.csv", 2.0, 0.7).read_text().splitlines(keepends=True)
    short.write_text("".join(lines[:31]))
    group = read_group([long, short])
    assert group.count[0] == 2
    assert group.count[-1] == 1
    assert np.isnan(group.spread[:, -1]).all()
    assert group.mean[EMOTIONS.index("happy"), -1] == pytest.approx(0.9)


def test_group_when_aligned_at_an_event_then_that_is_0_in_all(tmp_path) -> None:
    files = [write_rows(tmp_path / f"{late}.jsonl", 1.0, late_s=late) for late in (0.5, 2.0)]
    group = read_group(files, align="1")
    assert group.start_s == pytest.approx(-2.0)
    assert group.end_s == pytest.approx(5.5)
    happy = group.mean[EMOTIONS.index("happy")]
    both = group.count == 2
    assert happy[both & (group.times_s < 0.9)] == pytest.approx(0.1 / 7, abs=1e-6)
    assert happy[both & (group.times_s > 1.1)] == pytest.approx(0.9)
    (change,) = group.changes()
    assert (change.before, change.after) == ("neutral", "happy")
    assert 0.9 < change.time_s < 2.1


def test_group_when_the_event_has_a_name_then_it_is_found_by_it(tmp_path) -> None:
    files = []
    for number, late in enumerate((0.5, 2.0)):
        files.append(tmp_path / f"{late}.jsonl")
        with open_records(files[-1], EMOTIONS) as sink:
            for index in range(40):
                frame = make_frame(8, 8, index=index, time_s=index / FPS)
                sink.write(frame, [make_mood(1, "happy")])
                if index / FPS == late:
                    sink.mark(frame, number + 1, "film <starts>")
    assert read_group(files, align="film <starts>").start_s == pytest.approx(-2.0)
    write_group_report(files, tmp_path / "a.html", align="film <starts>")
    assert "film <starts>" not in (tmp_path / "a.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("align", ["2", "start"])
def test_group_when_a_recording_lacks_the_event_then_one_line_names_both(three, align) -> None:
    with pytest.raises(LivemoodError, match=rf"ann\.jsonl has no event {align} to align at \(it has 1\)"):
        read_group(three, align)


def test_group_when_emotions_are_mixed_then_one_line_names_them(three, tmp_path) -> None:
    other = write_rows(tmp_path / "d.jsonl", 2.0, labels=("neutral", "happy"))
    with pytest.raises(LivemoodError, match=r"d\.jsonl was read with other emotions \(neutral, happy\) than .*ann"):
        read_group([*three, other])


def test_group_when_order_of_emotions_differs_then_they_are_matched_by_name(tmp_path) -> None:
    one = write_rows(tmp_path / "a.jsonl", 0.0, labels=("neutral", "happy"))
    other = write_rows(tmp_path / "b.jsonl", 0.0, labels=("happy", "neutral"))
    group = read_group([one, other])
    assert group.mean[group.labels.index("happy")] == pytest.approx(0.9)


def test_group_when_recordings_are_long_then_each_step_is_the_mean_of_its_rows(tmp_path) -> None:
    chance, files, tables = np.random.default_rng(1), [], []
    for number, first in enumerate((0, 7)):
        times = np.round(np.arange(first, 5000) * 1001 / 30000, 6)
        happy = chance.uniform(0, 1, len(times))
        files.append(tmp_path / f"{number}.csv")
        with open_records(files[-1], ("happy", "sad")) as sink:
            for place, (time_s, share) in enumerate(zip(times.tolist(), happy.tolist(), strict=True)):
                scores = {"happy": share, "sad": 1 - share}
                box = (0.0, 0.0, 9.0, 9.0)
                sink.copy([Record(first + place, time_s, 1, box, "happy", share, scores, scores)])
        tables.append((times, happy))
    group = read_group(files)
    each = np.zeros((2, len(group.times_s)))
    for mean, (times, happy) in zip(each, tables, strict=True):
        step = ((times - group.start_s) / group.step_s + 1e-6).astype(int)
        mean[:] = np.bincount(step, happy) / np.bincount(step)
    assert group.count.tolist() == [2] * len(group.times_s)
    assert group.mean[0] == pytest.approx(each.mean(0), abs=1e-9)
    assert group.spread[0] == pytest.approx(each.std(0, ddof=1), abs=1e-9)


def test_group_when_steps_are_long_then_the_page_says_what_is_compared(tmp_path) -> None:
    files = [tmp_path / "a.csv", tmp_path / "b.csv"]
    for file in files:
        with open_records(file, EMOTIONS) as sink:
            for index in range(10):
                sink.write(make_frame(8, 8, index=index, time_s=12 * index), [make_mood(1, EMOTIONS[index // 5])])
    write_group_report(files, tmp_path / "a.html")
    assert "compares the mean scores of a moment with those 12 s before it" in (tmp_path / "a.html").read_text("utf-8")


# ---- tables ----


@pytest.mark.parametrize(
    ("files", "names"),
    [
        (["a/s.jsonl", "b/s.jsonl"], ["a/s", "b/s"]),
        (["s.jsonl", "s.csv"], ["s.jsonl", "s.csv"]),
        (["s.jsonl", "s.jsonl"], ["1: s", "2: s"]),
        (["x\udcff.jsonl", "s.csv"], ["x\\xff", "s"]),
    ],
)
def test_table_then_each_recording_has_a_name_of_its_own(tmp_path, monkeypatch, files, names) -> None:
    monkeypatch.chdir(tmp_path)
    for file in files:
        Path(file).parent.mkdir(exist_ok=True)
        Path(file).unlink(missing_ok=True)
        write_rows(Path(file), 2.0)
    write_group_report(files, "g.html", table="t.csv")
    assert [row["recording"] for row in csv.DictReader(Path("t.csv").read_text().splitlines())] == names


def test_table_then_it_has_a_row_for_each_recording(three, tmp_path) -> None:
    write_group_report(three, table=tmp_path / "t.csv", curves=tmp_path / "c.csv")
    rows = list(csv.DictReader((tmp_path / "t.csv").read_text().splitlines()))
    assert [row["recording"] for row in rows] == ["ann", "ben", "cleo"]
    assert [float(row["length_s"]) for row in rows] == pytest.approx([SECONDS] * 3)
    assert float(rows[1]["share_happy"]) == pytest.approx(40 / 60, abs=1e-6)
    assert float(rows[1]["mean_happy"]) == pytest.approx((40 * 0.8 + 20 * 0.2 / 7) / 60, abs=1e-5)
    curves = list(csv.DictReader((tmp_path / "c.csv").read_text().splitlines()))
    assert len(curves) == SECONDS * FPS
    assert float(curves[-1]["mean_happy"]) == pytest.approx(2.3 / 3, abs=1e-6)
    assert float(curves[-1]["sd_happy"]) == pytest.approx(statistics.stdev([0.9, 0.8, 0.6]), abs=1e-6)


# ---- what was being watched ----


def level(uri: str) -> float:
    """Return the mean grey level of a picture in a page."""
    jpeg = np.frombuffer(base64.b64decode(uri.partition(",")[2]), np.uint8)
    return float(np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR)).mean())


@pytest.mark.parametrize("seconds", [4, 40])
def test_film_then_each_frame_is_the_one_on_the_screen_and_none_is_outside(tmp_path, seconds) -> None:
    film = write_film(tmp_path / "film.mkv", seconds)
    last = seconds - 0.01
    frames = film_frames(Stimulus(film, 2.0), [1.9, 2.0, 2.35, 2.0 + last, 2.0 + seconds + 0.5, 2.13])
    levels = [None if frame is None else round(float(frame.mean())) for frame in frames]
    assert levels == [None, 0, 15, int(last * 10) * 5 % 250, None, 5]


def test_report_with_a_film_then_frames_stand_under_the_timeline_and_beside_the_moment(tmp_path) -> None:
    records, film = write_rows(tmp_path / "a.jsonl", 2.0), write_film(tmp_path / "film.mkv")
    write_report(records, tmp_path / "a.html", stimulus=Stimulus(film, 1.0))
    page = (tmp_path / "a.html").read_text(encoding="utf-8")
    (strip,) = re.findall(r"--film: url\((data:image/jpeg;base64,[^)]+)\)", page)
    assert 'aria-label="Frames of film.mkv at 0:00.2, 0:00.8,' in page
    picture = cv2.imdecode(np.frombuffer(base64.b64decode(strip.partition(",")[2]), np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    parts = [float(part.mean()) for part in np.array_split(picture, 12, axis=1)]
    # Each part is half a second; the film runs from 1 s to 5 s, the rest is grey.
    times = [0.25 + place / 2 for place in range(12)]
    assert parts == [pytest.approx(int((t - 1) * 10) * 5 if 1 <= t < 5 else 127, abs=6) for t in times]
    ((uri, alt),) = re.findall(r'<img class="film-frame" src="([^"]+)" alt="([^"]+)"', page)
    assert alt == "film.mkv at 0:02.0"
    assert level(uri) == pytest.approx(50, abs=6)


def test_report_when_the_film_cannot_be_read_then_no_page_is_left(tmp_path) -> None:
    (tmp_path / "film.mkv").write_text("no film")
    with pytest.raises(VideoUnreadable):
        write_report(
            write_rows(tmp_path / "a.jsonl", 2.0), tmp_path / "a.html", stimulus=Stimulus(tmp_path / "film.mkv")
        )
    assert not (tmp_path / "a.html").exists()


# ---- the page ----


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> Path:
    """Return a report on three recordings, aligned at their events, with a film."""
    folder = tmp_path_factory.mktemp("group")
    scenes = (("ann", 0.9, 0.5), ("ben", 0.8, 1.0), ("<cleo>", 0.6, 2.0))
    files = [write_rows(folder / f"{name}.jsonl", 1.0, c, late_s=late) for name, c, late in scenes]
    film = write_film(folder / "film.mkv")
    write_group_report(files, folder / "group.html", align="1", stimulus=Stimulus(film))
    return folder / "group.html"


@pytest.fixture(scope="module")
def dom(page, tmp_path_factory) -> Dom:
    """Return the page as a browser holds it."""
    return rendered(page, tmp_path_factory.mktemp("profile"))


def test_page_then_all_charts_are_drawn_with_bands_and_frames_under_them(dom) -> None:
    assert len(dom.of_class("js-plotly-plot")) == 4  # means and three timelines
    assert len(dom.of_class("film")) == 4
    assert len([line for line in dom.of_class("js-fill") if line.get("d")]) == len(EMOTIONS)
    assert [name["data-unformatted"] for name in dom.of_class("annotation-text")] == ["event 1"] * 3


def test_page_then_nothing_is_loaded_and_names_are_escaped(dom, page) -> None:
    policies = [a["content"] for tag, a in dom.tags if tag == "meta" and a.get("http-equiv")]
    assert policies[0].startswith("default-src 'none'; script-src 'sha256-")
    text = page.read_text(encoding="utf-8")
    assert "<cleo>" not in text
    assert "&lt;cleo&gt;" in text
    charts = dom.of_class("chart")
    assert all(chart["role"] == "img" and chart["aria-label"] for chart in charts)
    assert all(strip["role"] == "img" and strip["aria-label"] for strip in dom.of_class("film"))


# ---- the command ----


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["a.jsonl"], 2, "nothing would be written; add --out"),
        (["folder"], 2, "nothing would be written; add --out"),
        (["a.jsonl", "--out", "x.html", "--table", "t.csv"], 2, "is for many recordings, got 1"),
        (["a.jsonl", "b.jsonl", "--plot", "x.png"], 2, "is for one recording, got 2"),
        (["a.jsonl", "--plot", "x.png", "--stimulus", "f.mkv"], 2, "for --stimulus: needs a page; add --out"),
        (
            ["a.jsonl", "--plot", "x.png", "--thumbnails", "f.mkv"],
            2,
            "for --thumbnails: needs a page; add --out",
        ),
        (["a.jsonl", "b.jsonl", "--table", "t.csv", "--stimulus", "f.mkv"], 2, "needs a page; add --out"),
        (["a.jsonl", "--out", "x.html", "--stimulus-start", "0"], 2, "needs a film; add --stimulus"),
        (["a.jsonl", "--out", "x.html", "--stimulus-start", "--3"], 2, "'-3' is not a time"),
        (["folder", "--out", "x.html", "--stimulus-start", "1"], 2, "a data set has one page only"),
        (["folder", "--out", "x.parquet"], 1, "x.parquet does not end in .html or .htm; give --out a name that does"),
        (["a.jsonl", "c.jsonl", "--out", "x.html"], 1, "c.jsonl was read with other emotions"),
        (["a.jsonl", "b.jsonl", "--out", "x.html", "--align", "7"], 1, "choose another --align"),
        (
            ["a.jsonl", "b.csv", "--table", "b.csv", "--force"],
            1,
            "b.csv is one of the inputs; choose another --table",
        ),
        (["a.jsonl", "b.jsonl", "--table", "t.csv", "--curves", "t.csv"], 2, "t.csv is the file of --table"),
        (
            ["a.jsonl", "b.jsonl", "--table", "a.jsonl"],
            1,
            "a.jsonl does not end in .csv; give --table a name that does",
        ),
        (["a.jsonl", "d.jsonl", "--out", "x.html"], 1, "come from a newer livemood"),
        (["a.jsonl", "b.jsonl", "--out", "x.html", "--stimulus", "gone.mp4"], 1, "gone.mp4 is not there"),
        (["a.jsonl", "--out", "x.html", "--plot", "p.txt"], 1, "p.txt does not end in .png, .svg or .pdf; give --plot"),
        (["a.jsonl", "--out", "x.html", "--plot", "p.png"], 1, "p.png is there already; use --force or another --plot"),
    ],
)
def test_command_when_something_is_wrong_then_one_line_and_no_file(
    tmp_path, monkeypatch, capsys, words, code, said
) -> None:
    monkeypatch.chdir(tmp_path)
    write_rows(tmp_path / "a.jsonl", 2.0)
    write_rows(tmp_path / "b.jsonl", 2.0)
    write_rows(tmp_path / "c.jsonl", 2.0, labels=("neutral", "happy"))
    (tmp_path / "b.csv").write_text("of a recording")
    (tmp_path / "p.png").write_text("of another recording")
    (tmp_path / "folder").mkdir()
    (tmp_path / "d.jsonl").write_text((tmp_path / "a.jsonl").read_text().replace('"v": 1', '"v": 2'))
    before = {path: path.read_bytes() for path in tmp_path.glob("*.*")}
    assert run(["report", *words]) == code
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert {path: path.read_bytes() for path in tmp_path.glob("*.*")} == before


def test_command_then_page_and_tables_are_made_and_named(three, tmp_path, capsys) -> None:
    names = [str(tmp_path / name) for name in ("g.html", "t.csv", "c.csv")]
    words = ["report", *map(str, three), "--out", names[0], "--table", names[1], "--curves", names[2]]
    film = write_film(tmp_path / "film.mkv")
    assert run([*words, "--align", "1", "--stimulus", str(film), "--stimulus-start", "-0.5"]) == 0
    assert capsys.readouterr().out == f"report: {names[0]}\ntable: {names[1]}\ncurves: {names[2]}\n"
    assert all(Path(name).stat().st_size for name in names)
