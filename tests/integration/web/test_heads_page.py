"""A model with two heads in the page, both with as many labels, so that only their names tell them apart."""

from itertools import islice
from pathlib import Path

import pytest

from livemood.apps.session import Session
from livemood.apps.web import write_page
from livemood.core.settings import ReaderSettings
from livemood.sources.video.file import VideoSource
from tests.integration.web.parity import compare, read_in_page
from tests.support.builders import SAMPLES
from tests.support.heads import two_heads


@pytest.fixture(scope="module")
def bundle(tmp_path_factory) -> Path:
    """A tiny model that knows two emotions and two kinds of smile."""
    return two_heads(tmp_path_factory) / "mine"


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
