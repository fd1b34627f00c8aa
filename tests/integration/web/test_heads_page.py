"""A model with two heads in the page, both with as many labels, so that only their names tell them apart."""

import csv
import subprocess
import sys
from itertools import islice
from pathlib import Path

import pytest

from livemood.apps.session import Session
from livemood.apps.web import write_page
from livemood.core.settings import ReaderSettings
from livemood.sources.video.file import VideoSource
from tests.integration.web.parity import compare, read_in_page
from tests.support.builders import SAMPLES, write_faces


@pytest.fixture(scope="module")
def bundle(tmp_path_factory) -> Path:
    """A tiny model that knows two emotions and two kinds of smile."""
    folder = tmp_path_factory.mktemp("heads")
    write_faces(folder / "faces", 12, ("happy", "sad"))
    with (folder / "faces" / "heads.csv").open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(("file", "head", "label"))
        for place, picture in enumerate(sorted((folder / "faces" / "happy").glob("*.png"))):
            rows.writerow((picture.relative_to(folder / "faces").as_posix(), "smile", ("open", "closed")[place % 2]))
    livemood = Path(sys.executable).with_name("livemood")
    command: list[str | Path] = [livemood, "train", "faces", "--out", "mine", "--preset", "small", "--epochs", "1"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=300)
    return folder / "mine"


def test_model_with_two_heads_then_the_page_reads_both_as_python_does(bare, bundle, tmp_path):
    with VideoSource(SAMPLES / "faces.mp4") as source:
        frames = list(islice(source.frames(), 10))
    with Session(ReaderSettings(model=bundle)) as session:
        pipeline = session.pipeline()
        python = [pipeline.step(frame) for frame in frames]
    write_page(tmp_path / "page", bundle)
    page = read_in_page(bare, tmp_path / "page", frames)
    assert compare(python, page).probability < 0.005
    for moods, answer in zip(python, page, strict=True):
        for mood, found in zip(moods, answer["moods"], strict=True):
            wanted, there = mood.others["smile"], found["others"]["smile"]
            assert there["label"] == wanted.label
            assert there["rawScores"] == pytest.approx([*wanted.raw_scores.values()], abs=0.005)
            assert there["scores"] == pytest.approx([*wanted.scores.values()], abs=0.005)
            assert abs(wanted.raw_scores["open"] - mood.raw_scores["sad"]) > 0.001
