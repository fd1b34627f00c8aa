"""Commands say in their records who made them, and of what; other programs read them as the docs say."""

import json
import shutil
from fractions import Fraction
from pathlib import Path

import pytest

from livemood import __version__
from livemood.bundles.manifest import default_bundle, read_bundle
from livemood.cli import run
from livemood.records import read, read_origin
from tests.support.builders import SAMPLES

CUT = ["--start", "0.5", "--duration", "0.5", "--every", "2", "--emotions", "happy,neutral"]


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """A folder with records of half a second in every form."""
    folder = tmp_path_factory.mktemp("made")
    for suffix in (".jsonl", ".csv", ".parquet"):
        words = ["video", str(SAMPLES / "faces.mp4"), "--records", str(folder / f"a{suffix}"), *CUT]
        assert run(words) == 0
    return folder


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".parquet"])
def test_video_then_its_records_say_what_they_are_of(made, suffix):
    origin = read_origin(made / f"a{suffix}")
    assert origin is not None
    assert (origin.version, origin.source) == (__version__, "faces.mp4")
    assert (origin.width, origin.height, origin.rate, origin.duration_s) == (1280, 720, Fraction(30), 0.5)
    assert origin.sha256 == read_bundle(default_bundle()).sha256["model.tflite"]
    chosen = {"start_s": 0.5, "duration_s": 0.5, "every": 2, "emotions": ["happy", "neutral"]}
    assert origin.options == {"detector": "auto", "engine": "litert", **chosen}


def test_records_then_other_programs_read_them_as_the_docs_say(made):
    import duckdb
    import pandas
    import polars

    count = len(list(read(made / "a.jsonl")))
    assert count == 15
    with (made / "a.jsonl").open() as file:
        said = json.loads(next(file))
        frame = pandas.read_json(file, lines=True)
    assert said["livemood"]["source"] == "faces.mp4"
    assert (len(frame), str(frame.frame.dtype)) == (count, "int64")
    rows = polars.read_ndjson(made / "a.jsonl").filter(polars.col("frame").is_not_null()).drop("livemood")
    assert rows.height == count
    for name, where in (("a.jsonl", "where frame is not null"), ("a.csv", ""), ("a.parquet", "")):
        ((found,),) = duckdb.sql(f"select count(*) from '{made / name}' {where}").fetchall()
        assert found == count
    assert len(pandas.read_csv(made / "a.csv")) == polars.read_csv(made / "a.csv").height == count
    assert len(pandas.read_parquet(made / "a.parquet")) == polars.read_parquet(made / "a.parquet").height == count


def test_report_then_says_what_the_records_say(made, tmp_path):
    assert run(["report", str(made / "a.csv"), "--out", str(tmp_path / "a.html")]) == 0
    page = (tmp_path / "a.html").read_text()
    assert f"Records of faces.mp4, 1280 × 720 px, 30 frames a second by livemood {__version__}" in page
    assert "every 2" in page


def test_markers_then_take_the_rate_that_the_records_say(tmp_path):
    (tmp_path / "a.jsonl").write_text(
        '{"livemood": {"version": "1", "source": "a.mov", "rate": "24000/1001"}}\n'
        '{"frame": 0, "time_s": 0.0, "track": null}\n{"frame": 1, "time_s": 0.04, "track": null}\n'
    )
    assert run(["markers", str(tmp_path / "a.jsonl"), "--out", str(tmp_path / "a.fcpxml")]) == 0
    assert "1001/24000s" in (tmp_path / "a.fcpxml").read_text()


def test_stdout_then_has_rows_of_faces_alone(capfd):
    assert run(["video", str(SAMPLES / "faces.mp4"), "--records", "-", *CUT]) == 0
    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert len(lines) == 15
    assert all("frame" in line for line in lines)


def test_camera_then_its_records_say_so(tmp_path):
    shutil.copy(SAMPLES / "faces.mp4", tmp_path / "clip.mp4")
    words = ["camera", "--source", str(tmp_path / "clip.mp4"), "--no-window", "--duration", "0.5"]
    assert run([*words, "--records", str(tmp_path / "a.csv")]) == 0
    origin = read_origin(tmp_path / "a.csv")
    assert origin is not None
    assert (origin.source, origin.width, origin.rate, origin.duration_s) == ("clip.mp4", 1280, None, None)


def test_image_then_its_records_name_the_model_once_however_often_they_are_gone_on_with(tmp_path):
    words = ["image", str(SAMPLES / "faces.png"), "--records", str(tmp_path / "a.jsonl"), "--resume"]
    assert [run(words), run(words)] == [0, 0]
    assert (tmp_path / "a.jsonl").read_text().count("model_sha256") == 1
    origin = read_origin(tmp_path / "a.jsonl")
    assert origin is not None
    assert (origin.source, origin.model) == (None, "emotion")
