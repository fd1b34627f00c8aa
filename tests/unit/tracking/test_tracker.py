from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livemood.core.stage_settings import TrackerSettings
from livemood.tracking.tracker import Tracker, assign
from tests.support.builders import make_detection


def ids(tracker: Tracker, time_s: float, *faces: tuple[float, float]) -> list[int]:
    return [track.id for track in tracker.update([make_detection(x, y) for x, y in faces], time_s)]


def test_track_when_still_then_one_id():
    tracker = Tracker()
    assert {ids(tracker, i / 30, (300, 200))[0] for i in range(60)} == {1}


@pytest.mark.parametrize("fps", [5, 10, 30, 60])
def test_track_when_moving_fast_then_keeps_its_id_at_any_frame_rate(fps):
    tracker = Tracker()
    seen = {ids(tracker, i / fps, (50 + 250 * i / fps, 200))[0] for i in range(2 * fps)}
    assert seen == {1}


def test_track_when_hidden_for_half_a_second_then_comes_back_with_its_id_and_says_so():
    tracker = Tracker()
    for i in range(30):
        ids(tracker, i / 30, (200 + 2 * i, 200))
    hidden = [tracker.update([], (30 + i) / 30) for i in range(18)]
    back = tracker.update([make_detection(200 + 2 * 48, 200)], 48 / 30)[0]
    assert not any(hidden)
    assert back.id == 1
    assert back.missed_s == pytest.approx(19 / 30)
    assert back.first_seen_s == 0.0


@pytest.mark.parametrize(("coasting_s", "back"), [(5.0, 1), (0.05, 2)])
def test_track_when_hidden_then_is_expected_as_far_ahead_as_it_coasts(coasting_s, back):
    tracker = Tracker(TrackerSettings(coasting_s=coasting_s))
    for i in range(30):
        ids(tracker, i / 30, (200 + 14 * i, 200))
    assert ids(tracker, 44 / 30, (200 + 14 * 44, 200)) == [back]


def test_track_when_gone_for_long_then_the_next_face_is_someone_new():
    tracker = Tracker(TrackerSettings(max_missed_s=1.0))
    ids(tracker, 0.0, (200, 200))
    assert ids(tracker, 1.5, (200, 200)) == [2]


def test_tracks_when_crossing_then_each_keeps_its_id():
    """Two heads pass each other at one height; while they overlap only the front one is found."""
    tracker = Tracker()
    for i in range(91):
        left, right = 100 + 4 * i, 460 - 4 * i
        faces = [(left, 200.0)] if abs(left - right) < 55 else [(left, 200.0), (right, 205.0)]
        found = ids(tracker, i / 30, *faces)
    assert found == [1, 2]


def test_tracks_when_detections_come_in_another_order_then_ids_follow_the_faces():
    tracker = Tracker()
    assert ids(tracker, 0.0, (100, 100), (400, 100)) == [1, 2]
    assert ids(tracker, 0.1, (401, 100), (101, 100)) == [2, 1]


def test_track_when_a_face_appears_far_away_then_it_is_someone_new():
    tracker = Tracker()
    ids(tracker, 0.0, (100, 100))
    assert ids(tracker, 0.03, (500, 400)) == [2]


def test_track_when_a_face_of_quite_another_size_takes_the_place_then_it_is_someone_new():
    tracker = Tracker()
    tracker.update([make_detection(300, 200, 60)], 0.0)
    assert tracker.update([make_detection(300, 200, 200)], 0.03)[0].id == 2


def test_track_when_two_faces_are_as_near_then_the_one_of_its_size_is_it():
    tracker = Tracker()
    tracker.update([make_detection(300, 200, 100)], 0.0)
    found = tracker.update([make_detection(290, 200, 60), make_detection(310, 200, 100)], 0.03)
    assert [track.id for track in found] == [2, 1]


def test_tracks_when_one_is_born_late_then_the_first_keeps_its_id():
    tracker = Tracker()
    ids(tracker, 0.0, (100, 100))
    assert ids(tracker, 0.1, (300, 100), (102, 100)) == [2, 1]


@given(st.lists(st.lists(st.tuples(st.floats(0, 600), st.floats(0, 400)), max_size=4), max_size=25))
def test_tracks_of_any_scene_then_ids_are_unique_in_a_frame_and_new_ones_only_grow(scene):
    tracker, highest = Tracker(), 0
    for i, faces in enumerate(scene):
        found = ids(tracker, i * 0.2, *faces)
        assert len(set(found)) == len(faces)
        new = [number for number in found if number > highest]
        assert sorted(new) == list(range(highest + 1, highest + 1 + len(new)))
        highest = max([highest, *found])


def test_tracks_when_faces_jitter_then_no_extra_ids():
    rng = np.random.default_rng(0)
    tracker = Tracker()
    for i in range(200):
        noise = rng.normal(0, 4, (2, 2))
        found = ids(tracker, i / 30, (200 + noise[0, 0], 200 + noise[0, 1]), (330 + noise[1, 0], 210 + noise[1, 1]))
        assert found == [1, 2]


@given(
    st.integers(1, 5).flatmap(
        lambda columns: st.lists(
            st.lists(st.sampled_from([0.0, 0.1, 0.7, 1.5, 1e6]), min_size=columns, max_size=columns),
            min_size=1,
            max_size=5,
        )
    )
)
def test_assigned_then_no_other_pairing_costs_less(table):
    costs = np.array(table)
    pairs = assign(costs)
    assert len(pairs) == min(costs.shape)
    assert len({row for row, _ in pairs}) == len({column for _, column in pairs}) == len(pairs)
    wide = costs if costs.shape[0] <= costs.shape[1] else costs.T
    least = min(
        sum(wide[row, column] for row, column in enumerate(chosen))
        for chosen in permutations(range(wide.shape[1]), wide.shape[0])
    )
    assert sum(costs[pair] for pair in pairs) == pytest.approx(least)
