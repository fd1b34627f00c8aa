"""The search of a photo at two sizes: all of it once, then its quarters that hold small candidates."""

from typing import Any

import cv2
import numpy as np
import pytest

from livemood.core.errors import FullSizeNeeded
from livemood.core.stage_settings import DetectorSettings
from livemood.core.types import Detection, Frame, Image
from livemood.detection.combined import FaceDetector
from livemood.detection.proposals import Confirmed
from livemood.detection.pyramid import Pyramid
from livemood.detection.transforms import turned, turned_back, turns_to_upright
from livemood.detection.whole_search import WholeSearch
from tests.support.builders import SAMPLES, make_detection, read_still

WIDTH, HEIGHT = 4000, 3000
LARGEST = 2 * DetectorSettings().search.fine_below * WIDTH
FOUR = [(300, 300), (3700, 300), (300, 2700), (3700, 2700)]


class Proposing:
    """A YuNet that detects every white square, surer after the first search, and records what it searches."""

    def __init__(self, above: int = 0) -> None:
        self._above = above
        self.searched: list[tuple[int, ...]] = []

    def find(self, image: Image, longest_px: int, min_score: float = 0.0) -> list[Detection]:
        self.searched.append((*image.shape[:2], longest_px))
        marks = cv2.connectedComponentsWithStats((image[..., 0] > self._above).astype(np.uint8))[2][1:]
        score = 0.95 if len(self.searched) == 1 else 0.97
        return [make_detection(x + w / 2, y + h / 2, max(w, h), score) for x, y, w, h, _ in marks.tolist()]


class Accepting:
    def faces(self, photo: Pyramid, candidates: list[Detection], least: float = 0.0) -> Confirmed:
        return Confirmed(candidates, np.inf)


def searched(
    *places: tuple[int, int, int], reduced: bool = False
) -> tuple[list[tuple[int, ...]], tuple[Detection, ...]]:
    """Return what was searched of a photo with faces at (x, y, side), and what was found."""
    photo = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    for x, y, side in places:
        photo[y - side // 2 : y + side // 2, x - side // 2 : x + side // 2] = 255
    proposing, accepting = Proposing(), Accepting()
    networks: tuple[Any, Any] = proposing, accepting
    found = WholeSearch(*networks, DetectorSettings()).find(photo, reduced)
    return proposing.searched, found


def test_photo_when_all_faces_are_large_then_it_is_searched_once() -> None:
    looked, found = searched((1000, 1000, 400))
    assert len(looked) == len(found) == 1


@pytest.mark.parametrize("side", [80, 8])
def test_photo_of_a_reduced_size_when_a_face_is_small_then_the_full_size_is_asked_for(side: int) -> None:
    looked, found = searched((1000, 1000, 400), reduced=True)
    assert len(looked) == len(found) == 1
    with pytest.raises(FullSizeNeeded, match="decode it in full"):
        searched((1000, 1000, 400), (900, 700, side), reduced=True)


@pytest.mark.parametrize(
    ("places", "quarters"),
    [([(900, 700)], 1), ([(3000, 2500)], 1), ([(2000, 1500)], 1), ([(1700, 700), (2300, 700)], 2), (FOUR, 4)],
)
def test_photo_when_faces_are_small_then_the_quarters_that_hold_them_are_searched_again(
    places: list[tuple[int, int]], quarters: int
) -> None:
    looked, found = searched(*((*place, 80) for place in places))
    assert len(looked) == 1 + quarters
    assert len(found) == len(places)
    for height, width, longest_px in looked[1:]:
        assert longest_px == width < 0.55 * 2048
        assert height < 0.55 * 1536


@pytest.mark.parametrize("x", [*range(1800, 2201, 20)])
@pytest.mark.parametrize("side", [80, round(LARGEST) - 8])
def test_photo_when_a_face_lies_between_quarters_then_it_is_found_once_and_whole(x: int, side: int) -> None:
    _, found = searched((x, 1500, side), *((*place, 60) for place in FOUR))
    assert len(found) == 5
    assert found[0].box.width == pytest.approx(side, abs=8)
    assert found[0].box.centre == pytest.approx((x, 1500), abs=8)


@pytest.fixture(scope="module")
def portrait() -> Image:
    return read_still(SAMPLES / "faces.png")


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_photo_that_is_rotated_then_the_faces_of_the_upright_one_in_its_pixels(portrait: Image, turns: int) -> None:
    height, width = portrait.shape[:2]
    with FaceDetector() as detector:
        upright = detector.detect(Frame(0, 0.0, portrait))
        lying = detector.detect(Frame(0, 0.0, turned(portrait, turns)))
    assert len(upright) == len(lying) == 2
    places = [turned_back(face, turns, width, height) for face in lying]
    for one in upright:
        back = max(places, key=lambda face: face.box.iou(one.box))
        assert back.box.iou(one.box) > 0.7
        assert np.abs(back.keypoints[:4] - one.keypoints[:4]).max() < 0.15 * one.box.width


class Weighing:
    """Accepts every candidate, of a picture of this evidence: upright, then of each rotated view."""

    def __init__(self, *evidence: float) -> None:
        self._evidence = iter(evidence)

    def faces(self, photo: Pyramid, candidates: list[Detection], least: float = 0.0) -> Confirmed:
        evidence = next(self._evidence)
        return Confirmed(candidates if evidence > least else [], evidence)

    def faces_of_frame(
        self, image: Image, candidates: list[Detection], detections: list[Detection], least: float = 0.0
    ) -> list[Detection]:
        return candidates if next(self._evidence) > least else []


def weighed(*evidence: float) -> WholeSearch:
    networks: tuple[Any, Any] = Proposing(above=127), Weighing(*evidence)
    return WholeSearch(*networks, DetectorSettings())


@pytest.mark.parametrize(
    ("evidence", "turns"),
    [((4.0, 3.5, 3.5, 3.5), 0), ((4.0, 3.5, 5.0, 4.5), 3), ((4.0, 0.0, 0.0, 0.0), 0), ((5.0,), 0)],
    ids=["weaker", "stronger", "none", "not asked"],
)
def test_photo_when_its_faces_are_doubtful_then_a_rotated_view_counts_only_if_it_is_surer(
    evidence: tuple[float, ...], turns: int
) -> None:
    photo = np.zeros((300, 400, 3), np.uint8)
    photo[100:200, 50:150] = 255
    (face,) = weighed(*evidence).find(photo)
    assert face.box.centre == pytest.approx((100, 150), abs=2)
    assert turns_to_upright(face) == turns


@pytest.mark.parametrize(("turns", "found"), [(0, 1), (1, 0)])
def test_frame_when_it_is_rotated_then_a_face_needs_more_evidence(turns: int, found: int) -> None:
    frame = np.zeros((300, 400, 3), np.uint8)
    frame[100:200, 50:150] = 255
    faces, _ = weighed(2.0).find_in_frame(frame, (), fine=True, turns=turns)
    assert len(faces) == found


def test_photo_when_no_face_is_found_then_it_is_searched_inside_a_border_and_faces_are_where_they_are_in_it() -> None:
    photo = np.zeros((300, 400, 3), np.uint8)
    photo[50:250, 20:220] = 255
    (face,) = weighed(-1.0, 2.0, 0.0, 0.0, 0.0).find(photo)
    assert face.box.centre == pytest.approx((120, 150), abs=4)
    assert face.box.width == pytest.approx(200, abs=8)


def test_photo_when_small_faces_stand_on_its_middle_lines_then_each_is_found_once() -> None:
    portrait = read_still(SAMPLES / "faces.png")
    with FaceDetector() as detector:
        box = detector.detect(Frame(0, 0.0, portrait))[0].box
        left, top, side = int(box.left - box.width / 2), int(box.top - box.height / 2), int(2 * box.width)
        face = cv2.resize(portrait[max(top, 0) : top + side, max(left, 0) : left + side], (160, 160))
        places = [(2000, y) for y in range(300, 2800, 400)] + [(x, 1500) for x in range(300, 3900, 400)]
        photo = np.full((HEIGHT, WIDTH, 3), 120, np.uint8)
        for x, y in places:
            photo[y - 80 : y + 80, x - 80 : x + 80] = face
        found = detector.detect(Frame(0, 0.0, photo))
    distances = [[np.hypot(*np.subtract(one.box.centre, place)) for one in found] for place in places]
    assert len(found) == len(places)
    assert all(sum(distance < 60 for distance in row) == 1 for row in distances)
