"""The live loop on made-up sources and screens."""

import gc
import resource
import threading
import time
import weakref
from typing import ClassVar

import cv2
import numpy as np
import pytest

from livemood.apps.inference_stride import InferenceStride
from livemood.apps.live import Live
from livemood.apps.recorder import Recorder
from livemood.apps.session import Session
from livemood.core.errors import CameraUnavailable, SinkError
from livemood.core.geometry import Box
from livemood.core.keys import KEYS, View
from livemood.core.labels import EMOTIONS
from livemood.core.settings import DrawStyle, ReaderSettings
from livemood.core.types import Frame
from livemood.core.video_info import VideoInfo
from livemood.overlay.annotator import Annotator
from livemood.overlay.history_strip import HistoryStrips
from livemood.overlay.mirror import mirrored
from livemood.pipeline import Pipeline
from livemood.runtime.queues import read_newest
from livemood.sources.base import Source
from livemood.testing import RecordingSink, ScriptedDetector, ScriptedScreen, TableClassifier
from tests.support.builders import make_detection, make_frame, make_mood, read_still

FACE = make_detection(150, 200)


class Camera(Source):
    """Frames as fast as they are wanted, or one every ``pause_s``."""

    live = True
    trouble = ""

    def __init__(self, count=10**9, pause_s=0.0, error=None, skip=1):
        self._count, self._pause_s, self._error, self._skip = count, pause_s, error, skip
        self._image = np.full((120, 160, 3), 90, np.uint8)
        self.closed = threading.Event()

    @property
    def info(self):
        return VideoInfo(160, 120)

    def frames(self):
        for i in range(self._count):
            if self.closed.wait(self._pause_s) if self._pause_s else self.closed.is_set():
                return
            yield Frame(i * self._skip, i * self._skip / 30, self._image)
        if self._error:
            raise self._error

    def close(self):
        self.closed.set()


class Video(RecordingSink):
    """A recording that is kept in memory."""

    def __init__(self):
        super().__init__(needs_image=True)
        self.warnings = ["odd size"]


def draw(frame, moods, style):
    return Annotator(style=style).draw(frame, moods)


def reader(faces=((FACE,),)):
    return Session(detector=ScriptedDetector(faces), classifier=TableClassifier(default={"happy": 0.9, "sad": 0.1}))


def run(camera, screen=None, recorder=None, **options):
    """Run to the end; return the live run with its counts."""
    with reader() as models, recorder or Recorder(models.draw, lambda _: Video()) as keeper:
        live = Live(models, camera, keeper, screen, **options)
        return live, live.run().summary()


class TestLoop:
    def test_when_the_source_ends_then_the_run_ends_and_everything_shown_was_read(self):
        screen = ScriptedScreen()
        _, summary = run(Camera(20, pause_s=0.02), screen)
        assert summary.frames == len(screen.images) == summary.faces
        assert summary.tracks == 1

    def test_when_captured_frames_are_missing_then_they_are_counted_as_dropped_and_the_rest_are_in_order(self):
        recorded = RecordingSink()
        camera = Camera(20, pause_s=0.01, skip=3)
        live, summary = run(camera, recorder=Recorder(draw, lambda _: Video(), [recorded]))
        indices = [frame.index for frame in recorded.frames]
        assert indices == sorted(set(indices))
        assert indices[-1] == 57, "the last frame is the newest and must not be lost"
        assert live.dropped == indices[-1] + 1 - summary.frames

    def test_when_the_first_frames_were_missed_then_these_are_dropped_too(self):
        class Late(Camera):
            def frames(self):
                yield Frame(7, 7 / 30, self._image)

        live, summary = run(Late())
        assert (summary.frames, live.dropped) == (1, 7)

    def test_when_strips_are_shown_then_they_tell_what_was_read(self):
        screen = ScriptedScreen()
        run(Camera(10, pause_s=0.01), screen, view=View(sparklines=True))
        plain = ScriptedScreen()
        run(Camera(10, pause_s=0.01), plain)
        assert (screen.images[-1][:60, 80:] != plain.images[-1][:60, 80:]).any()

    def test_when_a_notice_was_shown_for_its_time_then_it_goes(self, monkeypatch):
        shown = []
        monkeypatch.setattr(Annotator, "hud", lambda _, image, lines: shown.append(lines))
        monkeypatch.setattr("livemood.apps.live._NOTICE_S", 0.3)
        run(Camera(pause_s=0.02), ScriptedScreen({3: "e", 60: "q"}))
        said = ["no records to mark an event in" in lines for lines in shown]
        assert any(said)
        assert not said[-1]

    def test_when_a_box_is_drawn_then_it_is_on_the_frame_that_it_was_found_in(self):
        # A white square wanders; the detector finds it where it is. Each picture must show both at one place.
        def wandering():
            for i in range(40):
                image = np.full((120, 160, 3), 90, np.uint8)
                image[50:70, i * 3 : i * 3 + 20] = 255
                time.sleep(0.01)
                yield Frame(i, i / 30, image)

        def square(frame):
            columns = np.flatnonzero((frame.image[60] == 255).all(axis=1))
            return [make_detection(float(columns.mean()), 60, 24)]

        class Wandering(Camera):
            def frames(self):
                return wandering()

        screen = ScriptedScreen()
        models = Session(detector=ScriptedDetector(square), classifier=TableClassifier())
        with models, Recorder(models.draw, lambda _: Video()) as keeper:
            Live(models, Wandering(), keeper, screen).run()
        for image in screen.images[1:]:
            square_x = np.flatnonzero((image[62] >= 250).all(axis=1)).mean()
            corners = np.flatnonzero((image[50:54] != 90).any(axis=(0, 2)))
            corners = corners[(corners > square_x - 24) & (corners < square_x + 24)]
            assert corners.mean() == pytest.approx(square_x, abs=6)

    def test_when_the_source_fails_then_its_error_comes_through_and_recordings_are_finished(self):
        video = Video()
        models = reader()
        with pytest.raises(CameraUnavailable, match="unplugged"), Recorder(models.draw, lambda _: video) as keeper:
            keeper.start()
            Live(models, Camera(5, error=CameraUnavailable("unplugged")), keeper).run()
        assert video.closed
        assert len(video.images) > 0

    def test_when_interrupted_then_recordings_are_finished(self):
        class Impatient(ScriptedScreen):
            def key(self):
                raise KeyboardInterrupt

        video = Video()
        models = reader()
        with pytest.raises(KeyboardInterrupt), Recorder(models.draw, lambda _: video) as keeper:
            keeper.start()
            Live(models, Camera(), keeper, Impatient()).run()
        assert video.closed

    def test_when_no_frame_comes_then_keys_still_work(self):
        class Stalled(Camera):
            trouble = "no picture for more than 3 s"

            def frames(self):
                yield make_frame()
                self.closed.wait()

        class Waiting(ScriptedScreen):
            def key(self):
                return "q" if len(self.images) >= 3 else None

        said: list[str] = []
        _, summary = run(Stalled(), Waiting(), on_trouble=said.append)
        assert summary.frames == 1
        assert said == ["no picture for more than 3 s"]

    def test_when_a_trouble_turns_into_another_then_each_is_told_once(self):
        class Stalling(ScriptedScreen):
            """After each picture, the source has the next trouble."""

            def show(self, image):
                super().show(image)
                camera.trouble = {1: "no picture", 3: "lost", 6: "", 9: "lost"}.get(len(self.images), camera.trouble)

        said: list[str] = []
        camera = Camera(60, pause_s=0.01)
        run(camera, Stalling(), on_trouble=said.append)
        assert said == ["no picture", "lost", "lost"]

    def test_when_the_capture_thread_hangs_then_the_program_goes_on(self):
        class Hanging(Camera):
            def frames(self):
                yield make_frame()
                time.sleep(30)

        began = time.monotonic()
        run(Hanging(), ScriptedScreen({1: "q"}))
        assert time.monotonic() - began < 10

    def test_when_the_stride_skips_frames_then_these_are_shown_with_faces_all_the_same(self):
        class Half(InferenceStride):
            def due(self):
                self._count += 1
                return self._count % 2 == 0

        classifier = TableClassifier(default={"happy": 1.0})
        screen = ScriptedScreen()
        models = Session(detector=ScriptedDetector([[FACE]]), classifier=classifier)
        with models, Recorder(models.draw, lambda _: Video()) as keeper:
            summary = Live(models, Camera(30, pause_s=0.01), keeper, screen, stride=Half()).run().summary()
        assert summary.faces == summary.frames
        assert sum(call == (1,) for call in classifier.calls) <= summary.frames / 2 + 2

    def test_when_it_ends_then_the_source_is_closed_so_that_a_waiting_reader_ends(self):
        class Stalled(Camera):
            def frames(self):
                yield make_frame()
                self.closed.wait()

        before, camera = threading.active_count(), Stalled()
        run(camera, ScriptedScreen({1: "q"}))
        assert camera.closed.is_set()
        assert threading.active_count() == before

    def test_when_a_duration_is_set_then_it_ends_by_itself(self):
        _, summary = run(Camera(pause_s=0.02), duration_s=0.3)
        assert 1 <= summary.frames <= 20

    def test_after_thousands_of_frames_then_memory_is_flat_and_no_thread_is_left(self):
        class Measured(ScriptedScreen):
            peaks: ClassVar[list[int]] = []

            def show(self, image):
                self.count = getattr(self, "count", 0) + 1
                if self.count in (300, 1500):
                    gc.collect()
                    self.peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)

            def key(self):
                return "q" if len(self.peaks) == 2 else None

        before = threading.active_count()
        screen = Measured()
        _, summary = run(Camera(pause_s=0.0005), screen, view=View(sparklines=True))
        assert summary.frames >= 1499
        assert screen.peaks[1] - screen.peaks[0] < 4000, "KiB more at the peak"
        assert threading.active_count() == before


class TestKeys:
    def test_each_key_when_pressed_then_the_run_goes_on(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        keys = {i + 1: key for i, (key, _) in enumerate(KEYS) if key not in ("q", "space")}
        recorder = Recorder(draw, lambda _: Video(), [records := RecordingSink()])
        live, _ = run(Camera(40, pause_s=0.01), screen := ScriptedScreen(keys), recorder)
        assert len(screen.images) > len(keys)
        assert screen.full_screen == 1
        assert records.events == [1]
        assert live.view == View(mirror=True, panel=True, ids=False, blur=True, sparklines=True, help=True)
        assert [path.suffix for path in tmp_path.iterdir()] == [".png"]

    @pytest.mark.parametrize("key", ["q", "esc"])
    def test_quit_key_when_pressed_then_the_run_ends(self, key):
        screen = ScriptedScreen({3: key})
        run(Camera(200, pause_s=0.01), screen)
        assert len(screen.images) == 3

    def test_window_when_closed_then_the_run_ends(self):
        class Closeable(ScriptedScreen):
            def show(self, image):
                super().show(image)
                self.is_open = len(self.images) < 4

        screen = Closeable()
        run(Camera(200, pause_s=0.01), screen)
        assert len(screen.images) == 4

    def test_recording_when_started_and_stopped_then_the_video_has_the_frames_between(self):
        videos = []

        def open_video(_):
            videos.append(Video())
            return videos[-1]

        models = reader()
        with Recorder(models.draw, open_video) as keeper:
            Live(models, Camera(60, pause_s=0.01), keeper, ScriptedScreen({3: "r", 8: "r", 10: "r"})).run()
        assert [video.closed for video in videos] == [True, True]
        assert len(videos[0].frames) == 5
        assert keeper.warnings == ["odd size", "odd size"]

    def test_recording_when_stopped_then_nothing_of_it_is_held_since_encoders_keep_memory_and_threads(self):
        videos = []

        def open_video(_):
            video = Video()
            videos.append(weakref.ref(video))
            return video

        with Recorder(draw, open_video) as keeper:
            keeper.start()
            keeper.put(make_frame(), (), DrawStyle())
            keeper.stop()
            for _ in range(2):  # the writing thread holds its last job until the next one comes
                done = threading.Event()
                keeper._jobs.put(done.set)
                assert done.wait(10)
            gc.collect()
            assert [video() for video in videos] == [None]
        assert keeper.warnings == ["odd size"]

    def test_recording_when_no_frame_came_then_it_is_not_among_the_files(self):
        models = reader()
        with Recorder(models.draw, lambda _: Video()) as keeper:
            Live(models, Camera(20, pause_s=0.01), keeper, ScriptedScreen({3: "r", 6: "r"})).run()
            written = list(keeper.files)
            keeper.start()
        assert len(written) == 1
        assert keeper.files == written

    def test_recording_when_it_cannot_be_written_then_the_run_goes_on_and_no_setting_is_named(self, monkeypatch):
        def refuse(_):
            raise SinkError("disk full", "try another {out}")

        shown = []
        monkeypatch.setattr(Annotator, "hud", lambda self, image, lines: shown.extend(lines))
        models = reader()
        with Recorder(models.draw, refuse) as keeper:
            summary = Live(models, Camera(20, pause_s=0.01), keeper, ScriptedScreen({3: "r"})).run().summary()
        assert summary.frames > 10
        assert {line for line in shown if "disk" in line} == {"disk full"}

    def test_markers_of_others_while_paused_then_at_the_newest_frame_and_later_events_are_in_order(self):
        class Marked(RecordingSink):
            marks: ClassVar = []

            def mark(self, frame, event, name=""):
                self.marks.append((frame.index, name))

        rung = iter([[], [], [], [], [], ["bell"]])
        models, kept = reader(), Marked()
        screen = ScriptedScreen({3: "space", 8: "e", 9: "space", 11: "q"})
        with Recorder(models.draw, lambda _: Video(), [kept]) as keeper:
            Live(models, Camera(pause_s=0.1), keeper, screen, markers=lambda: next(rung, ())).run()
        (bell, name), (event, nameless) = kept.marks
        assert (name, nameless) == ("bell", "")
        shown = [frame.index for frame in kept.frames]
        assert bell not in shown, "the picture was paused when it rang"
        assert event == bell

    def test_recording_when_it_runs_then_a_red_dot_is_on_the_screen_and_not_in_the_video(self):
        video, screen, models = Video(), ScriptedScreen({3: "r", 8: "r", 10: "q"}), reader()
        with models, Recorder(models.draw, lambda _: video) as keeper:
            Live(models, Camera(pause_s=0.01), keeper, screen).run()

        def is_red(image):
            blue, green, red = image[:30, :30].astype(int).reshape(-1, 3).T
            return bool(((red > 200) & (green < 80) & (blue < 80)).any())

        assert [is_red(image) for image in screen.images] == [False] * 3 + [True] * 5 + [False] * 2
        assert not any(map(is_red, video.images))

    def test_recording_then_it_is_drawn_as_the_view_is(self):
        styles = []
        view = View(ids=False, panel=True, blur=True, smile_kind=False)

        def noted(frame, moods, style):
            styles.append(style)
            return frame.image

        with Recorder(noted, lambda _: Video()) as keeper:
            keeper.start()
            run(Camera(3, pause_s=0.01), recorder=keeper, view=view)
        assert set(styles) == {DrawStyle(ids=False, panel=True, blur=True, smile_kind=False)}

    def test_blur_when_on_then_recordings_are_blurred_too(self):
        video = Video()
        checks = (np.indices((120, 160)).sum(axis=0) % 2 * 255).astype(np.uint8)[..., None].repeat(3, axis=2)
        camera = Camera(20, pause_s=0.01)
        camera._image = checks
        models = reader([[make_detection(80, 60, 60)]])
        with models, Recorder(models.draw, lambda _: video) as keeper:
            keeper.start()
            Live(models, camera, keeper, ScriptedScreen(), view=View(blur=True)).run()
        assert video.images[-1][50:70, 70:90].std() < 60 < checks[50:70, 70:90].std()


class TestCalibration:
    def test_when_it_ends_then_the_line_names_who_was_calibrated_until_the_key_turns_it_off(self, monkeypatch):
        shown = []
        monkeypatch.setattr(Annotator, "hud", lambda _, image, lines: shown.append(lines))
        screen = ScriptedScreen({40: "c", 60: "q"})
        run(Camera(pause_s=0.01), screen, calibrate_s=0.4)
        before, after = shown[30:40], shown[40:]
        assert shown[1][0].startswith("calibrating: keep a resting face for ")
        assert {lines[0] for lines in before} == {"calibrated to #1"}
        assert {lines[0] for lines in after} >= {"calibration off"}
        assert not any("calibrated to #1" in lines for lines in after)

    def test_when_neutral_is_not_among_the_emotions_then_it_says_so_and_asks_for_no_resting_face(self, monkeypatch):
        shown = []
        monkeypatch.setattr(Annotator, "hud", lambda _, image, lines: shown.append(lines))
        classifier = TableClassifier(labels=("happy", "sad"))
        with (
            Session(detector=ScriptedDetector([[FACE]]), classifier=classifier) as models,
            Recorder(models.draw, lambda _: Video()) as keeper,
        ):
            Live(models, Camera(20, pause_s=0.01), keeper, ScriptedScreen(), calibrate_s=60.0).run()
        assert shown[0][0] == "cannot calibrate: neutral is not among the emotions"
        assert not any(line.startswith("calibrating") for lines in shown for line in lines)

    def test_when_the_baseline_is_off_then_it_says_so(self, monkeypatch):
        shown = []
        monkeypatch.setattr(Annotator, "hud", lambda _, image, lines: shown.append(lines))
        off = ReaderSettings(baseline="off")
        with (
            Session(off, detector=ScriptedDetector([[FACE]]), classifier=TableClassifier()) as models,
            Recorder(models.draw, lambda _: Video()) as keeper,
        ):
            Live(models, Camera(20, pause_s=0.01), keeper, ScriptedScreen(), calibrate_s=60.0).run()
        assert shown[0][0] == "cannot calibrate: the baseline is off"


class TestThrottle:
    def feed(self, stride, work_s, frames=200):
        for _ in range(frames):
            stride.due()
            stride.note(work_s, 1 / 30)
        return stride

    def test_when_work_is_light_then_every_frame_is_classified(self):
        stride = self.feed(InferenceStride(), 0.02)
        assert all(stride.due() for _ in range(10))

    def test_when_work_is_too_much_then_fewer_are_and_all_again_when_it_is_light(self):
        stride = self.feed(InferenceStride(), 0.036)
        assert stride.every == 2
        assert [stride.due() for _ in range(4)].count(True) == 2
        assert self.feed(stride, 0.015).every == 1

    def test_when_fewer_are_classified_then_the_status_line_says_so(self, monkeypatch):
        shown = []
        monkeypatch.setattr(Annotator, "hud", lambda _, image, lines: shown.append(lines))
        stride = InferenceStride()
        stride.every = 3
        run(Camera(5, pause_s=0.01), ScriptedScreen(), stride=stride)
        assert shown[0][0] == "slow: moods are read on 1 of 3 frames"
        stride.every = 1
        run(Camera(5, pause_s=0.01), ScriptedScreen(), stride=stride)
        assert not shown[-1][0].startswith("slow")

    def test_when_two_frames_have_one_time_then_they_say_nothing_about_the_load(self):
        stride = InferenceStride()
        for _ in range(50):
            stride.note(0.05, 0.0)
        assert stride.every == 1

    def test_when_few_frames_come_then_each_is_classified_since_moods_must_not_get_old(self):
        assert self.feed(InferenceStride(), 0.3).every == 1


class TestPipeline:
    def test_step_when_not_classifying_then_moods_stay_and_boxes_are_the_frames_own(self):
        classifier = TableClassifier(default={"happy": 0.9, "sad": 0.1})
        moved = make_detection(160, 205)
        pipeline = Pipeline(ScriptedDetector([[FACE], [moved], [moved, make_detection(450, 200)]]), classifier)
        pipeline.step(make_frame())
        (mood,) = pipeline.step(make_frame(index=1, time_s=0.03), classify=False)
        assert (mood.label, mood.box, mood.track.id) == ("happy", moved.box, 1)
        assert classifier.calls == [(1,), ()] or classifier.calls == [(1,)]
        pipeline.step(make_frame(index=2, time_s=0.06), classify=False)
        assert classifier.calls[-1] == (2,), "a new face is classified all the same"


class TestReadNewest:
    def test_when_items_come_faster_than_they_are_taken_then_only_the_newest_is_given(self):
        produced, done = threading.Event(), threading.Event()

        def fast():
            yield from range(100)
            produced.set()
            done.wait(10)
            yield 100

        with read_newest(fast(), wait_s=0.01) as items:
            assert produced.wait(10)
            assert next(items) == 99
            done.set()
            assert [item for item in items if item is not None] == [100]

    def test_when_nothing_comes_then_none_is_given_so_that_the_caller_can_do_other_things(self):
        ready = threading.Event()

        def late():
            ready.wait(10)
            yield 1

        with read_newest(late(), wait_s=0.01) as items:
            assert next(items) is None
            ready.set()
            assert [item for item in items if item is not None] == [1]

    def test_when_the_source_fails_then_the_last_item_comes_before_the_error(self):
        def failing():
            yield 1
            raise OSError("cut off")

        got: list[int] = []
        with pytest.raises(OSError, match="cut off"), read_newest(failing(), wait_s=0.01) as items:
            got.extend(item for item in items if item is not None)
        assert got == [] or got == [1]


class TestMirror:
    def test_a_frame_when_mirrored_then_boxes_and_eyes_are_where_the_mirror_shows_them(self):
        image = np.zeros((100, 200, 3), np.uint8)
        image[:, :10] = 255
        mood = make_mood(x=50)
        frame, (seen,) = mirrored(Frame(3, 1.0, image), [mood])
        assert (frame.index, frame.time_s) == (3, 1.0)
        assert frame.image[0, -10:].min() == 255
        assert (seen.box.left, seen.box.right) == (200 - mood.box.right, 200 - mood.box.left)
        eyes = seen.track.detection.keypoints
        assert eyes[0, 0] < eyes[1, 0], "the right eye is on the left of the picture, as in any picture of a face"

    def test_a_frame_when_mirrored_twice_then_it_is_as_before(self):
        frame, mood = make_frame(200, 100), make_mood(x=50)
        again, (seen,) = mirrored(*mirrored(frame, [mood]))
        assert (again.image == frame.image).all()
        assert np.allclose(seen.track.detection.keypoints, mood.track.detection.keypoints)


class TestSparklines:
    def strip(self, sparklines):
        image = np.full((480, 640, 3), 110, np.uint8)
        sparklines.draw(image)
        return image

    def test_without_anyone_then_nothing_is_drawn(self):
        sparklines = HistoryStrips(("happy", "sad"))
        sparklines.add((), 1.0)
        assert (self.strip(sparklines) == 110).all()

    def test_of_a_change_of_mood_then_both_colours_in_the_order_of_time(self):
        sparklines = HistoryStrips(("happy", "sad"))
        for i in range(100):
            sparklines.add([make_mood(label="happy" if i < 50 else "sad")], i / 10)
        row = self.strip(sparklines)[22].astype(int)
        yellow, blue = row[:, 2] - row[:, 0] > 100, row[:, 0] - row[:, 2] > 100
        assert yellow.sum() > 10
        assert blue.sum() > 10
        assert np.flatnonzero(yellow).max() < np.flatnonzero(blue).min()

    def test_of_many_frames_a_second_then_all_of_the_last_half_minute_is_there(self):
        sparklines = HistoryStrips(("happy", "sad"))
        for i in range(28 * 30):
            sparklines.add([make_mood(label="happy" if i < 8 * 30 else "sad")], i / 30)
        row = self.strip(sparklines)[22].astype(int)
        yellow, blue = row[:, 2] - row[:, 0] > 100, row[:, 0] - row[:, 2] > 100
        assert yellow.sum() == pytest.approx(8 / 20 * blue.sum(), abs=2)

    def test_of_a_face_that_was_away_then_its_absence_is_a_gap(self):
        sparklines = HistoryStrips(("happy", "sad"))
        for i in range(200):
            sparklines.add([make_mood()] if not 50 <= i < 150 else (), i / 10)
        row = self.strip(sparklines)[22].astype(int)
        yellow = np.flatnonzero(row[:, 2] - row[:, 0] > 100)
        assert np.diff(yellow).max() > 0.4 * (yellow[-1] - yellow[0])

    @pytest.mark.parametrize(("width", "height"), [(200, 20), (30, 400), (1, 1)])
    def test_in_a_picture_without_room_then_nothing_is_drawn(self, width, height):
        sparklines = HistoryStrips(("happy", "sad"))
        sparklines.add([make_mood()], 0.0)
        image = np.full((height, width, 3), 110, np.uint8)
        assert sparklines.draw(image) == []
        assert (image == 110).all()

    def test_of_more_faces_than_there_are_rows_then_the_newest_are_shown(self, monkeypatch):
        written = []
        monkeypatch.setattr(cv2, "putText", lambda image, text, *_: written.append(text))
        sparklines = HistoryStrips(("happy", "sad"))
        sparklines.add([make_mood(track) for track in range(1, 10)], 0.0)
        self.strip(sparklines)
        assert written == [f"#{track}" for track in range(4, 10)]

    def test_row_when_its_track_was_missed_for_long_then_it_is_removed(self):
        sparklines = HistoryStrips(("happy", "sad"))
        sparklines.add([make_mood()], 0.0)
        sparklines.add((), 40.0)
        assert (self.strip(sparklines) == 110).all()


@pytest.mark.parametrize("panel", [False, True])
def test_strips_when_a_face_is_near_their_corner_then_labels_and_panels_stay_whole(panel):
    strips = HistoryStrips(EMOTIONS)
    moods = [make_mood(x=520)]
    for step in range(200):
        strips.add(moods, step / 10)
    frame = make_frame(640, 480)
    style = DrawStyle(panel=panel)
    drawn = frame.image.copy()
    (corner,) = strips.draw(drawn)
    plain = Annotator(EMOTIONS, style).draw(frame, moods)
    over = Annotator(EMOTIONS, style).draw(Frame(0, 0.0, drawn), moods, [corner])
    left, top, right, bottom = (int(side) for side in (corner.left, corner.top, corner.right, corner.bottom))
    # A face in the middle of the right half: its cards have room beside the corner, and leave the strips whole.
    assert (over[top:bottom, left:right] == drawn[top:bottom, left:right]).all()
    assert (plain != frame.image).any()


def test_strips_when_a_label_has_no_other_place_then_it_is_drawn_over_them():
    strips = HistoryStrips(EMOTIONS)
    mood = make_mood(x=100)
    for step in range(200):
        strips.add([mood], step / 10)
    frame = make_frame(200, 200)
    drawn = frame.image.copy()
    strips.draw(drawn)
    everywhere = [Box(0, 0, 200, 200)]
    assert (Annotator(EMOTIONS).draw(Frame(0, 0.0, drawn), [mood], everywhere) != drawn).any()


def test_mark_when_no_sink_takes_events_then_none_and_nothing_is_numbered():
    class Screen(RecordingSink):
        takes_events = False

    with Recorder(draw, lambda _: Video(), [Screen()]) as recorder:
        assert recorder.mark(make_frame()) is None
    kept = RecordingSink()
    with Recorder(draw, lambda _: Video(), [Screen(), kept]) as recorder:
        assert recorder.mark(make_frame(), "bell") == 1
    assert kept.event_names == ["bell"]


def test_sink_that_needs_pictures_then_it_has_annotated_ones_also_while_no_video_is_made():
    screen = RecordingSink(needs_image=True)
    with Recorder(draw, lambda _: Video(), [screen]) as recorder:
        recorder.put(make_frame(), [make_mood()], DrawStyle())
    assert len(screen.images) == 1
    assert (screen.images[0] != make_frame().image).any()


def test_snapshots_when_taken_within_a_second_then_each_has_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with Recorder(draw, lambda _: Video()) as recorder:
        paths = [recorder.snapshot(make_frame(level=level), (), DrawStyle()) for level in (50, 100, 150)]
    assert len(set(paths)) == 3
    assert [read_still(path)[0, 0, 0] for path in paths] == [50, 100, 150]
    assert recorder.files == paths
