"""The page reads raw frames as Python does."""

from itertools import islice

from livemood.sources.video.file import VideoSource
from tests.integration.web.parity import compare, read_in_page, read_in_python
from tests.support.builders import SAMPLES


def test_sample_when_read_by_both_then_faces_labels_and_scores_are_the_same(bare, written):
    with VideoSource(SAMPLES / "faces.mp4") as source:
        frames = list(islice(source.frames(), 120))
    parity = compare(read_in_python(frames), read_in_page(bare, written, frames))
    assert parity.faces > 180
    assert (parity.missing, parity.extra, parity.labels_differ) == (0, 0, 0)
    assert parity.score < 0.005
    assert parity.probability < 0.02
    assert parity.box < 0.002
