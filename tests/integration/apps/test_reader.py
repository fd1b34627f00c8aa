import re
import subprocess
import sys
import threading
import time
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

import livemood
from livemood.apps.reader import MoodReader, annotate
from livemood.apps.tally import Tally
from livemood.bundles.manifest import default_bundle
from livemood.core.errors import ModelMissing, SourceError, VideoUnreadable
from livemood.core.settings import CaptureSettings
from livemood.core.types import Frame, Mood
from livemood.core.video_info import VideoInfo
from livemood.sources.base import Source
from livemood.sources.open import open_live
from livemood.sources.video.file import VideoSource
from livemood.testing import RecordingSink, ScriptedDetector, ScriptedSource, TableClassifier
from tests.support.builders import SAMPLES, make_detection, make_frame, make_mood, read_still, write_clip

FACE = make_detection(80, 60, 40)


@pytest.fixture
def clip(tmp_path):
    return write_clip(tmp_path / "c.mp4", [np.full((120, 160, 3), level, np.uint8) for level in range(20, 80, 2)], 10)


def reader(*script, **scores) -> MoodReader:
    return MoodReader(detector=ScriptedDetector(script or [[FACE]]), classifier=TableClassifier(default=scores or None))


def test_image_with_the_shipped_parts_then_the_drawn_moods():
    picture = cv2.imread(str(SAMPLES / "faces.png"))  # as the type checkers see it, None among its values
    with MoodReader() as shipped:
        moods = shipped.image(picture)
    assert [mood.label for mood in moods] == ["happy", "surprise"]
    assert moods[0].confidence > 0.6
    drawn = annotate(picture, moods)
    assert (drawn == annotate(Frame(0, 0.0, read_still(SAMPLES / "faces.png")), moods)).all()
    assert (drawn != picture).any()


def test_image_that_is_rotated_then_its_faces_are_found_as_in_a_photo_and_not_as_in_a_video():
    with MoodReader() as shipped:
        moods = shipped.image(np.rot90(read_still(SAMPLES / "faces.png")).copy())
    assert sorted(mood.label for mood in moods) == ["happy", "surprise"]


def test_image_when_asked_twice_then_the_first_picture_leaves_no_trace():
    with reader(happy=0.9, sad=0.1) as one:
        first, second = one.image(make_frame().image.copy()), one.image(make_frame().image.copy())
    assert (first[0].track.id, first[0].scores) == (second[0].track.id, second[0].scores)


@pytest.mark.parametrize(
    ("image", "got"),
    [
        (np.zeros((4, 4), np.uint8), "uint8 (4, 4)"),
        (None, "NoneType; cv2.imread returns None for a file that it cannot"),
    ],
)
def test_image_when_not_a_picture_then_says_what_is_wanted(image, got):
    said = re.escape(f"a frame needs a uint8 image of shape (H, W, 3) in BGR, got {got}")
    with reader() as one, pytest.raises(ValueError, match=said):
        one.image(image)
    with pytest.raises(ValueError, match=said):
        annotate(image, [make_mood()])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"detector": "x"}, "detector is one of auto, near, far, fast, got 'x'"),
        ({"prior": "x"}, "prior is one of training, balanced, got 'x'"),
        ({"engine": "x"}, "engine is one of litert, keras, got 'x'"),
        ({"baseline": "x"}, "baseline is one of auto, key, off, got 'x'"),
        ({"emotions": "happy"}, "emotions are a sequence of names, such as ('happy', 'sad'), got 'happy'"),
        ({"emotions": {"happy"}}, "emotions are a sequence of names, such as ('happy', 'sad'), got {'happy'}"),
        ({"emotions": ["happy", "glad"]}, "unknown emotion 'glad'"),
        ({"detector": 3}, "detector is an object with detect, close, got 3"),
        ({"classifier": 3}, "classifier is an object with labels, crop_spec, classify, got 3"),
        ({"model": 3}, "model is the folder of a bundle, got 3"),
        ({"settings": {}}, "settings is an object of class Settings, got {}"),
    ],
)
def test_reader_when_a_word_is_unknown_then_says_which_it_knows(words, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        MoodReader(**words)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"every": "2"}, "every is a whole number of at least 1, got '2'"),
        ({"every": None}, "every is a whole number of at least 1, got None"),
        ({"pipeline": 3}, "pipeline is an object of class Pipeline, got 3"),
    ],
)
def test_watch_when_a_value_is_of_another_type_then_says_what_is_wanted(words, said):
    source = ScriptedSource([Frame(0, 0.0, np.zeros((4, 4, 3), np.uint8))])
    with reader() as one, pytest.raises(ValueError, match=re.escape(said)):
        next(iter(one.watch(source, **words)))


@pytest.mark.parametrize("path", [0, None, b"clip.mp4"])
def test_video_when_given_no_path_then_says_what_is_wanted(path):
    said = f"video takes the path of a file, and camera the index of a camera, got {path!r}"
    with reader() as one, pytest.raises(ValueError, match=re.escape(said)):
        next(one.video(path))


def test_camera_when_capture_is_no_settings_then_says_what_is_wanted():
    given: Any = {"fps": 30}
    said = "capture is an object of class CaptureSettings, got {'fps': 30}"
    with reader() as one, pytest.raises(ValueError, match=re.escape(said)):
        next(iter(one.camera(0, capture=given)))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"width": -3}, "width is a whole number of at least 1, got -3"),
        ({"height": 1.5}, "height is a whole number of at least 1, got 1.5"),
        ({"fps": 0}, "fps is a number above 0, got 0"),
        ({"fps": float("nan")}, "fps is a number above 0, got nan"),
        ({"timeout_s": -1}, "timeout_s is a number of seconds, 0 or more, got -1"),
        ({"give_up_s": "2"}, "give_up_s is a number of seconds, 0 or more, got '2'"),
    ],
)
def test_capture_when_a_value_is_none_that_a_source_can_have_then_refused(words, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        CaptureSettings(**words)


@pytest.mark.parametrize("kind", [str, Path])
def test_reader_when_given_the_path_of_a_model_then_opens_that(kind):
    with MoodReader(kind(default_bundle()), emotions=["happy", "sad"]) as reader:
        assert reader.labels == ("happy", "sad")
    with MoodReader(kind("default"), emotions=("sad", "happy")) as reader:
        assert reader.labels == ("sad", "happy")
    with pytest.raises(ModelMissing, match="no model bundle at nowhere"):
        MoodReader(kind("nowhere"))


def test_reader_when_the_path_of_the_model_is_empty_then_takes_no_other():
    with pytest.raises(ModelMissing, match="no model bundle can be at ''"):
        MoodReader("")


def test_video_then_every_frame_with_moods_and_times(clip):
    with reader(sad=1) as one:
        seen = [(frame.index, round(frame.time_s, 3), moods[0].label) for frame, moods in one.video(clip)]
    assert seen == [(i, round(i / 10, 3), "sad") for i in range(30)]


def test_video_when_left_early_then_closes_cleanly(clip):
    with reader() as one:
        frame, _ = next(iter(one.video(clip)))
    assert frame.index == 0


@pytest.mark.parametrize("kind", ["video", "camera"])
def test_script_when_it_ends_in_the_middle_of_a_video_then_ends_at_once_and_without_a_word(kind):
    code = (
        "import sys, livemood\n"
        f"frames = iter(livemood.MoodReader().{kind}(sys.argv[1]))\n"
        "print(len(next(frames)), len(next(frames)))"
    )
    words = [sys.executable, "-c", code, str(SAMPLES / "faces.mp4")]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "2 2\n", "")


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("nowhere/none.mp4", "nowhere/none.mp4"),
        ("http://host/a.mp4?b=1", "http://host/a.mp4?b=1 is an address, not a file; camera() reads streams"),
        ("", "no file can be called ''"),
        ("a\0b", "no file can be called 'a\\x00b'"),
    ],
)
def test_video_when_there_is_no_such_file_then_says_so(path, said):
    with reader() as one, pytest.raises(VideoUnreadable, match=re.escape(said)):
        next(one.video(path))


@pytest.mark.parametrize(
    ("source", "capture", "kind", "said"),
    [
        ("", None, SourceError, "the name of the camera or stream is empty"),
        ("-", None, ValueError, "raw pictures need their width and height"),
        ("-", CaptureSettings(64, 48, pixel_format="x"), ValueError, "raw pictures are bgr24, rgb24, gray, got x"),
    ],
)
def test_camera_when_it_is_not_known_what_to_read_then_says_so(source, capture, kind, said):
    with reader() as one, pytest.raises(kind, match=said):
        next(one.camera(source, capture=capture))


def test_camera_when_there_is_none_then_only_the_error_says_so():
    code = (
        "import livemood\n"
        "try: next(livemood.MoodReader().camera(99))\n"
        "except livemood.LivemoodError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("camera 99 could not be opened")


def test_reader_when_used_then_leaves_environment_and_loggers_as_they_were():
    code = (
        "import logging, os, cv2\n"
        "before = dict(os.environ)\n"
        "import livemood\n"
        "with livemood.MoodReader() as reader:\n"
        f" assert reader.image(cv2.imread({str(SAMPLES / 'faces.png')!r}))\n"
        f" assert next(reader.video({str(SAMPLES / 'faces.mp4')!r}))\n"
        "assert dict(os.environ) == before\n"
        "assert not logging.getLogger('matplotlib').level\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("source", ["clip.mp4", [make_frame()]])
def test_watch_when_not_a_source_then_says_what_opens_one(source):
    said = rf"watch takes a source, got {type(source).__name__}; video\(\) and camera\(\) open one"
    with reader() as one, pytest.raises(ValueError, match=said):
        next(one.watch(source))


@pytest.mark.parametrize("every", [0, -1, 1.5])
def test_watch_when_every_is_no_whole_number_then_says_so(every):
    with reader() as one, pytest.raises(ValueError, match=f"every is a whole number of at least 1, got {every}"):
        next(one.watch(ScriptedSource([make_frame()]), every))


@pytest.mark.parametrize("kind", ["video", "camera"])
def test_resting_face_when_asked_for_through_the_pipeline_then_is_learnt(clip, kind):
    classifier = TableClassifier(default={"sad": 0.6, "neutral": 0.4})
    with MoodReader(detector=ScriptedDetector([[FACE]]), classifier=classifier, baseline="key") as one:
        pipeline = one.pipeline()
        pipeline.baseline.begin(0.5)
        labels = [moods[0].label for _, moods in getattr(one, kind)(str(clip), pipeline=pipeline)]
    assert (labels[0], labels[-1]) == ("sad", "neutral")
    assert pipeline.baseline.calibrated


def test_camera_like_source_then_gives_frames_by_the_clock(clip):
    with reader(happy=1) as one, open_live(str(clip), CaptureSettings()) as live:
        frames = [frame.index for frame, moods in one.watch(live) if moods[0].label == "happy"]
    assert frames == sorted(set(frames))
    assert len(frames) >= 2


def test_watch_when_only_every_third_frame_is_classified_then_all_have_moods(clip):
    classifier = TableClassifier()
    one = MoodReader(detector=ScriptedDetector([[FACE]]), classifier=classifier)
    with VideoSource(clip) as source:
        assert all(moods for _, moods in one.watch(source, every=3))
    assert len([call for call in classifier.calls if call]) == 10


def test_watch_when_frames_of_a_live_source_are_dropped_then_every_second_of_the_others_is_classified():
    class Odd(Source):
        live = True
        info = VideoInfo(160, 120)

        def frames(self):
            for index in range(1, 21, 2):
                yield make_frame(index=index, time_s=index / 30)
                time.sleep(0.02)

        def close(self):
            pass

    classifier = TableClassifier()
    one = MoodReader(detector=ScriptedDetector([[FACE]]), classifier=classifier)
    frames = len(list(one.watch(Odd(), every=2)))
    assert len([call for call in classifier.calls if call]) == (frames + 1) // 2


def test_camera_when_left_while_it_waits_for_a_picture_then_no_thread_is_left(monkeypatch):
    class Slow(Source):
        live = True
        info = VideoInfo(160, 120)

        def __init__(self):
            self.closed = threading.Event()

        def frames(self):
            yield make_frame()
            self.closed.wait(30)
            time.sleep(0.3)  # longer than it takes to notice a thread that was not waited for

        def close(self):
            self.closed.set()

    before = set(threading.enumerate())
    with reader(happy=1) as one:
        monkeypatch.setattr(one.session, "open_live", lambda *_: Slow())
        frames = one.camera(0)
        next(frames)
        del frames
        assert set(threading.enumerate()) == before


def test_reader_when_given_a_detector_then_leaves_it_open():
    detector = ScriptedDetector()
    MoodReader(detector=detector, classifier=TableClassifier()).close()
    assert not detector.closed


def test_run_then_pictures_and_moods_reach_the_sinks_and_the_counts_are_right(clip):
    pictures, rows, heard = RecordingSink(needs_image=True), RecordingSink(), []
    one = reader([FACE], [], [FACE], happy=1)
    with VideoSource(clip) as source:
        tally = one.session.run(source, [pictures, rows], on_frame=lambda frame: heard.append(frame.index))
    summary = tally.summary(["a note"])
    assert (summary.frames, summary.faces, summary.tracks) == (30, 29, 1)
    assert summary.shares == {"happy": 1.0}
    assert summary.notes == ["a note"]
    assert heard == [frame.index for frame in rows.frames] == list(range(30))
    assert (pictures.images[0] != pictures.frames[0].image).any()
    assert (pictures.images[1] == pictures.frames[1].image).all()


def test_run_with_the_shipped_parts_then_the_same_as_one_frame_after_the_other_on_one_thread(tmp_path):
    pictures, rows = RecordingSink(needs_image=True), RecordingSink()
    with MoodReader() as shipped:
        with VideoSource(SAMPLES / "faces.mp4", 1.4, 0.5) as source:
            shipped.session.run(source, [pictures, rows])
        pipeline = shipped.pipeline()
        with VideoSource(SAMPLES / "faces.mp4", 1.4, 0.5) as source:
            alone = [(frame, pipeline.step(frame)) for frame in source.frames()]
    assert [frame.time_s for frame in rows.frames] == [frame.time_s for frame, _ in alone]
    assert [list(map(plain, moods)) for moods in rows.moods] == [list(map(plain, moods)) for _, moods in alone]
    for image, (frame, moods) in zip(pictures.images, alone, strict=True):
        assert (image == annotate(frame, moods)).all()


def test_video_when_two_are_read_in_turns_with_photos_between_then_each_as_if_alone():
    photo = read_still(SAMPLES / "faces.png")
    with MoodReader() as shipped:
        alone = [moods for _, moods in islice(shipped.video(SAMPLES / "faces.mp4"), 40)]
        still = shipped.image(photo)
        turns = zip(shipped.video(SAMPLES / "faces.mp4"), shipped.video(SAMPLES / "faces.mp4"), strict=True)
        for moods, ((_, one), (_, other)) in zip(alone, turns, strict=False):
            assert list(map(plain, one)) == list(map(plain, other)) == list(map(plain, moods))
            assert list(map(plain, shipped.image(photo))) == list(map(plain, still))


def test_video_when_its_reader_is_closed_meanwhile_then_says_so():
    with MoodReader() as shipped:
        coming = shipped.video(SAMPLES / "faces.mp4")
        next(coming)
    with pytest.raises(ValueError, match="this detector is closed"):
        list(coming)


def plain(mood: Mood) -> tuple[object, ...]:
    return mood.track.id, mood.box, mood.track.detection.keypoints.tolist(), mood.label, dict(mood.raw_scores)


def test_run_when_a_sink_fails_then_its_error_comes_through(clip):
    class Full(RecordingSink):
        def write(self, frame, moods, image=None):
            raise OSError("disk full")

    with VideoSource(clip) as source, pytest.raises(OSError, match="disk full"):
        reader().session.run(source, [Full()])


def test_tally_of_nothing_then_zeros():
    assert Tally().summary().to_json() | {"elapsed_s": 0} == {
        "frames": 0,
        "faces": 0,
        "tracks": 0,
        "duration_s": 0.0,
        "elapsed_s": 0,
        "shares": {},
        "notes": [],
    }


def test_annotate_then_draws_on_a_copy():
    frame = make_frame()
    picture = livemood.annotate(frame, [make_mood()])
    assert picture.shape == frame.image.shape
    assert (picture != frame.image).any()
    assert annotate is livemood.annotate
