"""Commands say in their records who made them, and of what; other programs read them as the docs say."""

import json
import re
import shutil
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from livemood import __version__
from livemood.bundles.manifest import default_bundle, read_bundle
from livemood.cli import run
from livemood.records import read, read_origin
from tests.support.builders import ROOT, SAMPLES

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


def test_jsonl_then_other_programs_read_it_as_the_docs_say_also_where_values_come_late(made, tmp_path, monkeypatch):
    origin, *rows = (made / "a.jsonl").read_text().splitlines()
    assert json.loads(origin)["livemood"]["source"] == "faces.mp4"
    first, last = json.loads(rows[0]), json.loads(rows[-1])
    empty = {**first, "track": None, "box": None, "label": None, "confidence": None, "scores": {}, "keypoints": []}
    late = [json.dumps({**empty, "frame": number}) for number in range(21_000)]  # DuckDB looks at 20,480
    late += [*rows, json.dumps({**last, "label": "unsure", "reason": "small"})]
    (tmp_path / "moods.jsonl").write_text("\n".join((origin, *late)))
    monkeypatch.chdir(tmp_path)
    (recipe,) = re.findall(r"```python\n(import duckdb.*?)```", (ROOT / "docs" / "records.md").read_text(), re.DOTALL)
    by_pandas, _, by_others = recipe.partition("\n\nframe = ")
    names: dict[str, Any] = {}
    exec(by_pandas, names)
    frame = names["frame"]
    assert (len(frame), frame["reason"].iloc[-1], str(frame["frame"].dtype)) == (len(late), "small", "int64")
    exec(f"frame = {by_others}", names)
    assert (names["frame"].height, names["frame"]["reason"][-1]) == (len(late), "small")
    assert len(names["rows"]) == len(late)
    assert names["rows"].fetchall()[-1] == (last["time_s"], last["track"], "unsure")


@pytest.mark.parametrize("words", [["image", "faces"], ["video", str(SAMPLES / "faces.mp4"), *CUT[:4]]])
def test_prior_balanced_then_other_scores_and_the_records_say_it(tmp_path, monkeypatch, words):
    monkeypatch.chdir(tmp_path)
    Path("faces").mkdir()
    shutil.copy(SAMPLES / "faces.png", "faces")
    found = {}
    for prior in ("training", "balanced"):
        rows = tmp_path / f"{prior}.jsonl"
        assert run([*words, "--records", str(rows), "--prior", prior]) == 0
        found[prior] = [row.raw_scores for row in read(rows) if row.raw_scores]
        origin = read_origin(rows)
        assert origin is not None
        assert origin.options.get("prior", "training") == prior
    assert len(found["training"]) == len(found["balanced"]) > 0
    for usual, raised in zip(found["training"], found["balanced"], strict=True):
        assert raised["sad"] / raised["neutral"] > usual["sad"] / usual["neutral"]


def test_tables_then_other_programs_read_them(made):
    import duckdb
    import pandas
    import polars

    count = len(list(read(made / "a.jsonl")))
    assert count == 15
    for name in ("a.csv", "a.parquet"):
        ((found,),) = duckdb.sql(f"select count(*) from '{made / name}'").fetchall()
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
