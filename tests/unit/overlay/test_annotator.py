import itertools
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livemood.core.geometry import Box
from livemood.core.labels import EMOTIONS, UNSURE, colour_bgr
from livemood.core.settings import DrawStyle
from livemood.core.types import Detection, Frame, HeadMood, Image, Keypoint, Mood, Track
from livemood.overlay.annotator import Annotator
from livemood.overlay.label_layout import (
    FOREHEAD,
    clear_spot,
    distance,
    place_label,
    spots_around,
    visible_part,
    with_forehead,
)
from tests.support.builders import make_detection, make_frame

HD = (1280, 720)
FOREIGN = ("joy", "tired", "bored")

Area = tuple[slice, slice]
Floats = npt.NDArray[np.float64]


def mood_of(
    face: Detection, label: str = "happy", confidence: float = 0.87, track_id: int = 1, **scores: float
) -> Mood:
    """Return a mood with these scores."""
    return Mood(Track(track_id, face, first_seen_s=0.0), label, confidence, scores, scores)


def changed(before: Image, after: Image) -> npt.NDArray[np.bool_]:
    return np.asarray((before != after).any(axis=2))


def rows_and_columns(mask: npt.NDArray[np.bool_]) -> Area:
    ys, xs = np.nonzero(mask)
    return slice(ys.min(), ys.max() + 1), slice(xs.min(), xs.max() + 1)


def noise(width: int, height: int) -> Frame:
    return Frame(0, 0.0, np.random.default_rng(7).integers(0, 256, (height, width, 3), np.uint8))


def plate_of(image: Image, frame: Frame, face: Box) -> Image:
    """Return the label's plate: what changed in the rows above the face."""
    mask = changed(frame.image, image)
    mask[round(face.top) - frame.height // 40 :] = False
    return image[rows_and_columns(mask)]


def luminance(bgr: npt.NDArray[np.integer]) -> Floats:
    """Relative luminance as WCAG 2 defines it."""
    share = bgr[..., ::-1] / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return np.asarray(linear @ np.array([0.2126, 0.7152, 0.0722]))


def contrast(first: float, second: float) -> float:
    low, high = sorted((first, second))
    return (high + 0.05) / (low + 0.05)


def test_draw_when_given_a_mood_then_returns_a_writable_copy_and_leaves_the_frame() -> None:
    frame = noise(640, 480)
    before = frame.image.copy()
    image = Annotator().draw(frame, [mood_of(make_detection())])
    assert image.shape == before.shape
    assert image.dtype == np.uint8
    assert image.flags.writeable
    assert changed(before, image).any()
    assert np.array_equal(frame.image, before)


def test_draw_when_there_are_no_moods_then_returns_the_frame_as_it_is() -> None:
    frame = noise(320, 240)
    assert np.array_equal(Annotator(style=DrawStyle(panel=True, blur=True)).draw(frame, []), frame.image)


@pytest.mark.parametrize(("width", "height"), [(320, 240), HD, (3840, 2160)])
def test_draw_when_there_is_room_then_marks_the_box_all_around_and_keeps_the_face(width: int, height: int) -> None:
    frame = noise(width, height)
    face = make_detection(width / 2, height / 2, height / 3)
    image = Annotator(style=DrawStyle(panel=True)).draw(frame, [mood_of(face, happy=0.9, sad=0.1)])
    mask, box, edge = changed(frame.image, image), face.box, height // 24
    left, top, right, bottom = (round(side) for side in (box.left, box.top, box.right, box.bottom))
    for x, y in itertools.product((left, right), (top, bottom)):
        assert mask[y - edge : y + edge, x - edge : x + edge].any()
    assert (image[top - edge : bottom + edge, left - edge : right + edge] == colour_bgr("happy")).all(axis=2).any()
    inset = (right - left) // 12
    assert not mask[top + inset : bottom - inset, left + inset : right - inset].any()
    forehead = round(box.height / 8)
    assert not mask[top - forehead : bottom, left + 4 * inset : right - 4 * inset].any()


def test_draw_when_the_frame_is_larger_then_lines_and_text_are_too() -> None:
    thickness, text = [], []
    for width, height in ((320, 240), HD, (3840, 2160)):
        frame = make_frame(width, height)
        face = make_detection(width / 2, height / 2, height / 3)
        image = Annotator().draw(frame, [mood_of(face)])
        beside = image[round(face.box.top + face.box.height / 6), : width // 2]
        thickness.append(int((beside == colour_bgr("happy")).all(axis=1).sum()))
        text.append(plate_of(image, frame, face.box).shape[0])
    assert thickness[0] < thickness[1] < thickness[2]
    assert text[0] < text[1] < text[2]
    assert text[2] == pytest.approx(3 * text[1], rel=0.1)


@pytest.mark.parametrize("level", [0, 128, 255])
@pytest.mark.parametrize("label", [*EMOTIONS, UNSURE, *FOREIGN])
def test_draw_when_any_label_is_on_any_background_then_text_and_lines_have_contrast(label: str, level: int) -> None:
    frame = make_frame(1920, 1080, level=level)
    face = make_detection(960, 540, 300)
    colour = colour_bgr(label, FOREIGN)
    image = Annotator(FOREIGN).draw(frame, [mood_of(face, label, track_id=8)])
    shades = luminance(plate_of(image, frame, face.box))
    plate = float(np.median(shades))
    third = shades.shape[1] // 3
    assert contrast(shades[:, :third].max(), plate) >= 4.5
    assert contrast(shades[:, -third:].max(), plate) >= 4.5
    corner = image[380:440, 800:860]
    assert (corner == colour).all(axis=2).any()
    assert contrast(float(luminance(np.array(colour))), luminance(corner).min()) >= 3


def test_draw_when_scores_are_shown_then_quiet_text_has_contrast_on_white() -> None:
    frame = make_frame(1920, 1080, level=255)
    mood = mood_of(make_detection(960, 540, 300), sad=0.0)
    plain, with_panel = (Annotator(style=DrawStyle(panel=panel)).draw(frame, [mood]) for panel in (False, True))
    shades = luminance(with_panel[rows_and_columns(changed(plain, with_panel))])
    assert contrast(shades[4:-4, 4:-4].max(), float(np.median(shades))) >= 4.5


def test_colours_when_seen_by_colour_blind_eyes_then_all_differ() -> None:
    # Machado, Oliveira and Fernandes, "A Physiologically-based Model for Simulation of Color Vision Deficiency" (2009).
    eyes: dict[str, npt.ArrayLike] = {
        "usual": np.eye(3),
        "no red": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
        "no green": [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
        "no blue": [[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]],
    }
    labels = [*EMOTIONS, UNSURE]
    rgb = np.array([colour_bgr(label)[::-1] for label in labels]) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    for eye, matrix in eyes.items():
        seen = np.clip(linear @ np.asarray(matrix).T, 0, 1).astype(np.float32)
        lab = cv2.cvtColor(seen[None], cv2.COLOR_LRGB2Lab)[0]
        for one, other in itertools.combinations(range(len(labels)), 2):
            assert np.linalg.norm(lab[one] - lab[other]) >= 12, (eye, labels[one], labels[other])


def test_draw_when_the_face_is_unsure_then_shows_neither_percentage_nor_bar() -> None:
    frame, face = make_frame(), make_detection()
    low, high = (Annotator().draw(frame, [mood_of(face, UNSURE, confidence)]) for confidence in (0.1, 0.39))
    assert np.array_equal(low, high)


def test_draw_when_confidence_or_id_differ_then_so_does_the_label() -> None:
    frame, mood = make_frame(), mood_of(make_detection())
    other_id = mood_of(make_detection(), track_id=2)
    image = Annotator().draw(frame, [mood])
    assert not np.array_equal(image, Annotator().draw(frame, [replace(mood, confidence=0.5)]))
    assert not np.array_equal(image, Annotator().draw(frame, [other_id]))
    anonymous = Annotator(style=DrawStyle(ids=False))
    assert np.array_equal(anonymous.draw(frame, [mood]), anonymous.draw(frame, [other_id]))


def test_draw_when_a_mood_is_given_then_its_label_its_percentage_and_its_number_are_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    written: list[str] = []
    put: Any = cv2.putText

    def noted(image: Image, text: str, *more: Any) -> Any:
        written.append(text)
        return put(image, text, *more)

    monkeypatch.setattr(cv2, "putText", noted)
    face = make_detection(640, 400, 200)
    Annotator().draw(make_frame(*HD), [mood_of(face, "happy", 0.874, track_id=7)])
    Annotator().draw(make_frame(*HD), [replace(mood_of(face, UNSURE, 0.3), reason="covered")])
    assert written == ["happy", "87%", "#7", "unsure", "covered", "#1"]


def test_draw_when_labels_are_a_models_own_then_each_has_its_own_colour() -> None:
    frame, face = make_frame(*HD), make_detection(640, 400, 200)
    for label in FOREIGN:
        image = Annotator(FOREIGN).draw(frame, [mood_of(face, label)])
        shown = [other for other in FOREIGN if (image == colour_bgr(other, FOREIGN)).all(axis=2).sum() > 50]
        assert shown == [label]


def test_draw_when_a_label_is_not_ascii_then_its_letters_are_drawn() -> None:
    frame, face = make_frame(*HD), make_detection(640, 400, 200)
    pictures = [
        Annotator().draw(frame, [mood_of(face, label)]).tobytes() for label in ("Glück", "удача", "行運", "?????")
    ]
    assert len(set(pictures)) == 4


@pytest.mark.parametrize("label", ["\ud83d", "two\nlines", "nul\0", "", "🙂", "x" * 5000])
def test_draw_when_a_label_is_odd_then_it_stays_on_one_line(label: str) -> None:
    frame, face = make_frame(*HD), make_detection(640, 400, 200)
    usual = plate_of(Annotator().draw(frame, [mood_of(face)]), frame, face.box)
    odd = plate_of(Annotator().draw(frame, [mood_of(face, label)]), frame, face.box)
    assert odd.shape[0] == usual.shape[0]
    assert odd.shape[1] < frame.width / 2


def test_draw_when_moods_come_in_another_order_then_the_picture_is_the_same() -> None:
    frame = make_frame()
    moods = [mood_of(make_detection(250 + 60 * place, 240, 90), track_id=place + 1) for place in range(3)]
    assert np.array_equal(Annotator().draw(frame, moods), Annotator().draw(frame, moods[::-1]))


def test_draw_when_used_then_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    annotator = Annotator(style=DrawStyle(panel=True, blur=True))
    image = annotator.draw(make_frame(), [mood_of(make_detection(), "行運 🙂")])
    annotator.hud(image, ["24 fps"])
    assert capfd.readouterr() == ("", "")


def test_panel_when_shown_then_bars_are_as_long_as_scores_are_high() -> None:
    frame, face = make_frame(*HD), make_detection(400, 400, 200)
    mood = mood_of(face, "happy", surprise=0.1, fear=0.3, sad=0.6)
    image = Annotator(style=DrawStyle(panel=True)).draw(frame, [mood])
    lengths = {
        name: int((image == colour_bgr(name)).all(axis=2).any(axis=0).sum()) for name in ("surprise", "fear", "sad")
    }
    assert lengths["fear"] == pytest.approx(3 * lengths["surprise"], abs=3)
    assert lengths["sad"] == pytest.approx(6 * lengths["surprise"], abs=6)


def test_panel_when_there_is_no_room_beside_the_face_then_it_is_left_out() -> None:
    frame, mood = make_frame(190, 180), mood_of(make_detection(95, 100, 110), happy=0.9, sad=0.1)
    plain, with_panel = (Annotator(style=DrawStyle(panel=panel)).draw(frame, [mood]) for panel in (False, True))
    assert np.array_equal(plain, with_panel)


@pytest.mark.parametrize("side", [20, 60, 300])
def test_blur_when_asked_for_then_no_detail_is_left_in_the_box_and_the_rest_is_untouched(side: int) -> None:
    frame, face = noise(*HD), make_detection(640, 400, side)
    left, top, right, bottom = (round(edge) for edge in (face.box.left, face.box.top, face.box.right, face.box.bottom))
    image = Annotator(style=DrawStyle(blur=True)).draw(frame, [mood_of(face)])
    inset = side // 8
    inside = image[top + inset : bottom - inset, left + inset : right - inset]
    assert len(np.unique(inside.reshape(-1, 3), axis=0)) <= 64
    sharp = frame.image[top + inset : bottom - inset, left + inset : right - inset]
    assert inside.std() < sharp.std() / 2
    assert np.array_equal(image[:, : left - side], frame.image[:, : left - side])
    assert np.array_equal(image[bottom + side :], frame.image[bottom + side :])


def test_blur_then_hides_a_margin_around_the_face() -> None:
    frame, face = noise(*HD), make_detection(640, 400, 200)
    image = Annotator(style=DrawStyle(blur=True)).draw(frame, [mood_of(face)])
    beside = slice(340, 460), slice(740 + 12, 740 + 28)
    assert (image[beside] == frame.image[beside]).all(axis=2).mean() < 0.01


def test_blur_of_a_small_face_then_its_cells_are_no_smaller_than_four_pixels() -> None:
    frame, face = noise(320, 240), make_detection(160, 120, 16)
    image = Annotator(style=DrawStyle(blur=True)).draw(frame, [mood_of(face)])
    assert len(np.unique(image[116:124, 156:164].reshape(-1, 3), axis=0)) <= 9


def test_blur_then_hides_the_forehead_too_which_detectors_leave_out() -> None:
    frame, face = noise(*HD), make_detection(640, 400, 200)
    image = Annotator(style=DrawStyle(blur=True)).draw(frame, [mood_of(face)])
    eyes_to_mouth = float(face.keypoints[Keypoint.MOUTH][1] - face.keypoints[Keypoint.RIGHT_EYE][1])
    hairline = round(face.box.top - FOREHEAD * eyes_to_mouth)
    forehead = image[hairline : round(face.box.top), 560:720]
    sharp = frame.image[hairline : round(face.box.top), 560:720]
    assert (forehead == sharp).all(axis=2).mean() < 0.01


def test_blur_when_the_face_pokes_out_of_the_frame_then_its_cells_stay_as_coarse() -> None:
    frame = noise(*HD)
    face = make_detection(1280, 400, 280)
    image = Annotator(style=DrawStyle(blur=True)).draw(frame, [mood_of(face)])
    seen = image[300:500, 1180:1240]
    assert len(np.unique(seen.reshape(-1, 3), axis=0)) <= 32


def test_hud_when_given_lines_then_writes_into_the_bottom_left_corner_only() -> None:
    frame = noise(*HD)
    image, taller = frame.image.copy(), frame.image.copy()
    Annotator().hud(image, ["24 fps"])
    Annotator().hud(taller, ["24 fps", "2 faces"])
    rows, columns = rows_and_columns(changed(frame.image, image))
    assert (rows.start > 650, rows.stop <= 720, columns.start < 20, columns.stop < 200) == (True,) * 4
    assert rows_and_columns(changed(frame.image, taller))[0].start < rows.start


@pytest.mark.parametrize(("width", "height", "lines"), [(*HD, []), (1, 1, ["24 fps"]), (16, 16, ["24 fps", "x" * 999])])
def test_hud_when_there_is_nothing_to_write_or_no_room_then_leaves_the_image(
    width: int, height: int, lines: list[str]
) -> None:
    image = make_frame(width, height).image.copy()
    Annotator().hud(image, lines)
    assert np.array_equal(image, make_frame(width, height).image)


def test_forehead_when_the_face_tilts_then_it_is_added_on_its_side() -> None:
    upright = make_detection(320, 240, 100)
    grown = with_forehead(mood_of(upright), upright.box)
    assert grown.top < upright.box.top - 10
    assert (grown.right, grown.bottom) == (upright.box.right, upright.box.bottom)
    centre = np.array([320, 240], np.float32)
    turned = replace(upright, keypoints=(upright.keypoints - centre) @ np.array([[0, 1], [-1, 0]]) + centre)
    grown = with_forehead(mood_of(turned), turned.box)
    assert grown.right > turned.box.right + 10
    assert grown.top == pytest.approx(turned.box.top, abs=1)


@pytest.mark.parametrize(
    ("face", "where"),
    [
        (Box(200, 200, 300, 300), "above"),
        (Box(200, 5, 300, 105), "below"),
        (Box(200, 5, 300, 475), "right"),
        (Box(520, 5, 620, 475), "left"),
    ],
)
def test_place_labels_when_there_is_room_on_some_side_then_takes_the_first_free(face: Box, where: str) -> None:
    spot = place_label(face, (120, 30), [], [], (640, 480), gap=4)
    assert spot
    sides = {
        "above": spot.bottom <= face.top,
        "below": spot.top >= face.bottom,
        "right": spot.left >= face.right,
        "left": spot.right <= face.left,
    }
    assert [side for side, there in sides.items() if there] == [where]


def placed(faces: list[Box], size: tuple[int, int]) -> list[Box | None]:
    """Place one label after the other."""
    spots: list[Box | None] = []
    for index, face in enumerate(faces):
        others = faces[:index] + faces[index + 1 :]
        spots.append(place_label(face, size, others, [spot for spot in spots if spot], (640, 480), gap=4))
    return spots


def test_place_label_when_faces_are_near_then_labels_cover_neither_each_other_nor_faces() -> None:
    faces = [Box(200 + 70 * place, 200 + 5 * place, 260 + 70 * place, 260 + 5 * place) for place in range(4)]
    spots = [spot for spot in placed(faces, (150, 26)) if spot]
    assert len(spots) > 1
    assert not any(one.intersection(other) for one, other in itertools.combinations(spots, 2))
    assert not any(spot.intersection(face) for spot in spots for face in faces)


def test_place_label_then_no_other_face_is_nearer_to_it() -> None:
    rng = np.random.default_rng(3)
    faces = [Box(x, y, x + 40, y + 40) for x, y in rng.integers(0, (600, 440), (12, 2)).tolist()]
    for face, spot in zip(faces, placed(faces, (60, 18)), strict=True):
        if spot:
            assert distance(spot, face) == min(distance(spot, other) for other in faces)


def test_place_label_when_faces_leave_no_room_then_there_is_none() -> None:
    faces = [Box(x, y, x + 62, y + 62) for x in range(0, 640, 64) for y in range(0, 480, 64)]
    assert set(placed(faces, (90, 20))) == {None}


def test_place_label_when_the_face_fills_the_frame_then_the_label_is_still_inside() -> None:
    spot = place_label(Box(0, 0, 640, 480), (120, 30), [], [], (640, 480), gap=4)
    assert spot
    assert visible_part(spot, (640, 480)) == spot


def test_draw_when_faces_are_small_then_their_labels_are_too() -> None:
    frame = make_frame(1920, 1080)
    heights = []
    for side in (60, 300):
        face = make_detection(960, 540, side)
        heights.append(plate_of(Annotator().draw(frame, [mood_of(face)]), frame, face.box).shape[0])
    assert heights[0] < 0.7 * heights[1]


def test_draw_when_faces_are_many_then_a_legend_tells_their_colours_and_no_label_covers_a_face() -> None:
    frame = noise(*HD)
    faces = [make_detection(45 + 62 * x, 60 + 66 * y, 50) for x in range(20) for y in range(5)]
    moods = [mood_of(face, ("happy", "sad")[i % 2], track_id=i + 1) for i, face in enumerate(faces)]
    image = Annotator().draw(frame, moods)
    touched = 0
    for face in faces:
        left, top = round(face.box.left) + 12, round(face.box.top) + 12
        inside = slice(top, top + 26), slice(left, left + 26)
        touched += not np.array_equal(image[inside], frame.image[inside])
    assert touched < 12  # the legend itself
    for label in ("happy", "sad"):
        bar = (image == colour_bgr(label)).all(axis=2).astype(np.uint8)
        assert cv2.erode(bar, np.ones((1, 20), np.uint8)).any()


@pytest.mark.parametrize("free", ["left", "right"])
def test_legend_then_lies_in_the_corner_that_has_fewest_faces(free: str) -> None:
    frame = noise(*HD)
    columns = [(45 + 62 * x) if free == "right" else 1235 - 62 * x for x in range(14)]
    faces = [make_detection(x, 36 + 66 * y, 60) for x in columns for y in range(10)]
    moods = [mood_of(face, track_id=i + 1) for i, face in enumerate(faces)]
    image = Annotator().draw(frame, moods)
    part = slice(0, 300) if free == "left" else slice(980, 1280)
    assert changed(frame.image, image)[:, part].any()


def test_draw_when_the_face_is_unsure_for_a_reason_then_it_is_written() -> None:
    frame, face = make_frame(*HD), make_detection(640, 400, 200)
    pictures = {
        Annotator().draw(frame, [replace(mood_of(face, UNSURE), reason=reason)]).tobytes()
        for reason in (None, "covered", "turned")
    }
    assert len(pictures) == 3


def test_draw_when_the_kind_of_smile_is_told_then_it_is_written_unless_it_is_switched_off() -> None:
    frame, face = make_frame(*HD), make_detection(640, 400, 200)
    plain = mood_of(face, "happy")
    pictures = {
        (kind, shown): Annotator(style=DrawStyle(smile_kind=shown))
        .draw(frame, [replace(plain, others={"smile": HeadMood(kind, 0.9, {}, {})})])
        .tobytes()
        for kind in ("none", "open", "closed")
        for shown in (True, False)
    }
    without = Annotator().draw(frame, [plain]).tobytes()
    assert {key for key, picture in pictures.items() if picture != without} == {("open", True), ("closed", True)}
    assert pictures["open", True] != pictures["closed", True]


def test_draw_when_there_is_no_room_for_the_kind_of_smile_then_the_rest_of_the_label_stays() -> None:
    frame, faces = make_frame(*HD), [make_detection(400 + 95 * place, 400, 50) for place in range(3)]
    left, middle, right = (mood_of(face, "happy", track_id=place) for place, face in enumerate(faces))
    smiling = replace(middle, others={"smile": HeadMood("closed", 0.9, {}, {})})
    drawn, plain, other = (
        Annotator().draw(frame, [left, mood, right]).tobytes()
        for mood in (smiling, middle, replace(middle, confidence=0.5))
    )
    assert drawn == plain
    assert plain != other


coordinates = st.floats(-500, 900)
sides = st.floats(1, 600)
boxes = st.builds(lambda x, y, w, h: Box(x, y, x + w, y + h), coordinates, coordinates, sides, sides)
sizes = st.tuples(st.integers(1, 200), st.integers(1, 100))


@given(face=boxes, size=sizes, frame=st.tuples(st.integers(200, 800), st.integers(100, 600)), beside=st.booleans())
def test_spots_when_the_face_is_anywhere_then_are_inside_and_clear_of_it_where_there_is_room(
    face: Box, size: tuple[int, int], frame: tuple[int, int], beside: bool
) -> None:
    gap = 3
    spots = list(spots_around(face, size, frame, gap, beside))
    assert all(visible_part(spot, frame) == spot and (spot.width, spot.height) == size for spot in spots)
    room = max(
        (face.top - gap) / size[1],
        (frame[1] - face.bottom - gap) / size[1],
        (face.left - gap) / size[0],
        (frame[0] - face.right - gap) / size[0],
    )
    if room >= 1:
        assert clear_spot(spots, [face])


def detection_of(box: Box, keypoints: list[float]) -> Detection:
    return Detection(box, np.reshape(np.array(keypoints, np.float32), (6, 2)), 0.5)


anywhere = st.one_of(st.floats(-1e6, 1e6), st.sampled_from([-1.7e308, -1e38, 0.0, 0.5, 1e38, 1.7e308]))
wild_boxes = st.tuples(anywhere, anywhere, anywhere, anywhere).filter(lambda b: b[0] != b[2] and b[1] != b[3])
wild_detections = st.builds(
    lambda b, keypoints: detection_of(
        Box(min(b[0], b[2]), min(b[1], b[3]), max(b[0], b[2]), max(b[1], b[3])), keypoints
    ),
    wild_boxes,
    st.lists(st.floats(-(2.0**127), 2.0**127, width=32), min_size=12, max_size=12),
)
wild_moods = st.builds(
    lambda face, label, confidence, track_id: mood_of(face, label, confidence, track_id, happy=confidence, sad=0.0),
    wild_detections,
    st.one_of(st.sampled_from([*EMOTIONS, UNSURE]), st.text()),
    st.floats(0, 1),
    st.integers(1, 10**9),
)


@settings(max_examples=150)
@given(
    width=st.integers(1, 400),
    height=st.integers(1, 400),
    moods=st.lists(wild_moods, max_size=4),
    style=st.builds(DrawStyle, st.booleans(), st.booleans(), st.booleans()),
)
def test_draw_when_frames_and_boxes_are_anything_then_returns_a_picture_of_the_frames_size(
    width: int, height: int, moods: list[Mood], style: DrawStyle
) -> None:
    frame = make_frame(width, height)
    annotator = Annotator(style=style)
    image = annotator.draw(frame, moods)
    annotator.hud(image, ["24 fps"])
    assert image.shape == frame.image.shape


@pytest.mark.parametrize(("width", "height"), [(1, 1), (16, 16), (1, 400), (4000, 3), (3840, 2160)])
def test_draw_when_the_frame_is_extreme_then_returns_a_picture_of_its_size(width: int, height: int) -> None:
    frame = make_frame(width, height)
    faces = [make_detection(width * share, height * share, min(width, height)) for share in (0.0, 0.5, 1.0)]
    moods = [mood_of(face, track_id=place) for place, face in enumerate(faces)]
    style = DrawStyle(panel=True, blur=True)
    assert Annotator(style=style).draw(frame, moods).shape == (height, width, 3)
