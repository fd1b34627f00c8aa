"""Live sources: cameras behind a made-up driver, streams from a server on this machine, files, folders and stdin."""

import itertools
import json
import os
import re
import sys
import threading
import time
from fractions import Fraction

import av
import cv2
import numpy as np
import pytest

from livemood.apps.diagnostics import check_all
from livemood.cli import run
from livemood.core.errors import CameraUnavailable, ImageUnreadable, SourceError, VideoUnreadable
from livemood.core.settings import CaptureSettings
from livemood.sources.camera import camera_modes, open_camera
from livemood.sources.camera_names import CameraName, list_cameras
from livemood.sources.feeds import RawFeed
from livemood.sources.live import Feed, LiveSource, Picture
from livemood.sources.open import open_live
from livemood.sources.stream import open_stream, without_secrets
from livemood.sources.video.file import VideoSource
from tests.support.builders import corners, quadrants, write_clip, write_film
from tests.support.servers import MjpegServer, RtspServer, files_served, picture, silent_server

HASTY = CaptureSettings(retry_s=0.01, retry_longest_s=0.02, give_up_s=0.5, timeout_s=2.0)


class Driver:
    """A camera as OpenCV shows it; ``plugged`` can be pulled."""

    def __init__(self, opens=True, size=(64, 48), pictures=None):
        self.opens, self.size, self.plugged = opens, size, True
        self.pictures = itertools.count() if pictures is None else iter(pictures)
        self.wishes, self.opened, self.released = {}, [], 0

    def __call__(self, which, backend):
        self.opened.append((which, backend))
        return self

    def isOpened(self):
        return self.opens and self.plugged

    def read(self):
        level = next(self.pictures, None) if self.plugged else None
        return (False, None) if level is None else (True, picture(level, *self.size))

    def set(self, prop, value):
        self.wishes[prop] = value
        return True

    def get(self, prop):
        sizes = {cv2.CAP_PROP_FRAME_WIDTH: 1280, cv2.CAP_PROP_FRAME_HEIGHT: 720}
        return sizes.get(prop, self.wishes.get(prop, 30.0))

    def release(self):
        self.released += 1


class ScriptedFeed(Feed):
    """Gives scripted pictures; an exception in the script is raised."""

    def __init__(self, script):
        self._script = iter(script)

    def read(self):
        item = next(self._script, None)
        if isinstance(item, Exception):
            raise item
        return None if item is None else Picture(item)

    def close(self):
        pass


class TestCamera:
    def test_when_opened_then_frames_are_counted_and_timed_from_zero(self):
        with open_camera(0, HASTY, Driver()) as source:
            frames = list(itertools.islice(source.frames(), 5))
        assert [frame.index for frame in frames] == [0, 1, 2, 3, 4]
        assert frames[0].time_s == pytest.approx(0, abs=0.01)
        assert all(a.time_s <= b.time_s for a, b in itertools.pairwise(frames))
        assert (source.width, source.height, source.live, source.mirrored) == (64, 48, True, True)

    def test_when_wishes_are_given_then_the_driver_gets_them_format_first(self):
        driver = Driver()
        settings = CaptureSettings(width=640, height=480, fps=60, pixel_format="YUYV")
        open_camera("/dev/video2", settings, driver).close()
        assert next(iter(driver.wishes)) == cv2.CAP_PROP_FOURCC
        assert driver.wishes[cv2.CAP_PROP_FOURCC] == cv2.VideoWriter.fourcc(*"YUYV")
        assert driver.wishes[cv2.CAP_PROP_FRAME_WIDTH] == 640
        assert driver.wishes[cv2.CAP_PROP_FPS] == 60
        assert driver.released == 1

    def test_when_no_backend_opens_it_then_all_were_tried_and_the_message_says_what_to_do(self):
        driver = Driver(opens=False)
        with pytest.raises(CameraUnavailable, match=r"camera 3 could not be opened; try source 0, or livemood doctor"):
            open_camera(3, HASTY, driver)
        assert len(driver.opened) >= 2
        assert len({backend for _, backend in driver.opened}) == len(driver.opened)
        assert driver.released == len(driver.opened)

    def test_when_it_opens_without_pictures_then_the_message_says_it_may_be_in_use(self):
        with pytest.raises(CameraUnavailable, match="camera 0 opens but gives no picture; close other programs"):
            open_camera(0, HASTY, Driver(pictures=[]))

    def test_when_the_pixel_format_is_not_four_letters_then_value_error(self):
        with pytest.raises(ValueError, match="four letters such as MJPG, got RGB"):
            open_camera(0, CaptureSettings(pixel_format="RGB"), Driver())

    def test_when_unplugged_and_plugged_in_again_then_frames_go_on_with_rising_numbers_and_times(self):
        driver = Driver()
        with open_camera(0, HASTY, driver) as source:
            frames = source.frames()
            before = [next(frames) for _ in range(3)][-1]
            driver.plugged = False
            threading.Timer(0.1, lambda: setattr(driver, "plugged", True)).start()
            after = next(frames)
        assert after.index == before.index + 1
        assert after.time_s - before.time_s > 0.05
        assert source.trouble == ""

    def test_when_unplugged_for_good_then_the_run_ends_with_a_message(self):
        driver = Driver()
        with open_camera(0, HASTY, driver) as source:
            frames = source.frames()
            next(frames)
            driver.plugged = False
            with pytest.raises(CameraUnavailable, match="camera 0 was lost and did not come back"):
                list(frames)

    def test_while_it_is_lost_then_trouble_says_so(self):
        driver = Driver()
        settings = CaptureSettings(retry_s=10, give_up_s=60)
        with open_camera(0, settings, driver) as source:
            frames = source.frames()
            next(frames)
            driver.plugged = False
            thread = threading.Thread(target=lambda: list(frames))
            thread.start()
            ends = time.monotonic() + 5
            while not source.trouble and time.monotonic() < ends:
                time.sleep(0.01)
            assert source.trouble == "lost, trying to open it again"
        thread.join(5)
        assert not thread.is_alive(), "closing ends the wait for the next try"

    def test_when_the_index_is_beyond_all_devices_then_one_clear_line(self):
        with pytest.raises(CameraUnavailable, match="camera 99999999999999999999 could not be opened"):
            open_live("99999999999999999999", HASTY)
        assert camera_modes(2**31) == ()

    def test_modes_when_asked_then_each_is_told_once(self):
        modes = camera_modes(0, Driver())
        assert [str(mode) for mode in modes] == ["1280x720 MJPG 30 fps", "1280x720 YUYV 30 fps"]
        assert camera_modes(0, Driver(opens=False)) == ()


class TestTrouble:
    def watched(self, levels):
        """A source whose clock is a list, with one picture read for each level."""
        now = [0.0]
        feed = ScriptedFeed([picture(level) for level in levels])
        feed.endless = True
        source = LiveSource("camera 0", lambda: feed, clock=lambda: now[0])
        return now, source, source.frames()

    def test_when_the_same_picture_comes_for_over_three_seconds_then_it_is_called_frozen(self):
        now, source, frames = self.watched([1, 1, 1, 2])
        for now[0] in (0.0, 2.9):
            next(frames)
        assert source.trouble == ""
        now[0] = 3.5
        next(frames)
        assert source.trouble == "the same picture for more than 3 s"
        next(frames)
        assert source.trouble == ""

    def test_when_no_picture_comes_for_over_three_seconds_then_it_says_so(self):
        now, source, frames = self.watched([1, 2])
        next(frames)
        now[0] = 5.0
        assert source.trouble == "no picture for more than 3 s"

    def test_when_no_picture_comes_after_some_that_were_alike_then_it_is_not_called_the_same_one(self):
        now, source, frames = self.watched([1, 1, 1])
        for now[0] in (0.0, 1.0):
            next(frames)
        now[0] = 3.5
        assert source.trouble == ""
        now[0] = 4.5
        assert source.trouble == "no picture for more than 3 s"

    def test_when_a_file_shows_a_still_then_nothing_is_wrong(self):
        now = [0.0]
        source = LiveSource("clip.mp4", lambda: ScriptedFeed([picture(1), picture(1)]), clock=lambda: now[0])
        frames = source.frames()
        next(frames)
        now[0] = 9.0
        next(frames)
        assert source.trouble == ""


class TestLiveSource:
    def test_when_pictures_change_size_then_they_are_fitted_into_the_first_with_black_bars(self):
        feed = ScriptedFeed([picture(200, 64, 48), picture(200, 48, 96), picture(200, 128, 96)])
        tall, large = list(LiveSource("x", lambda: feed).frames())[1:]
        assert tall.image.shape == large.image.shape == (48, 64, 3)
        assert tall.image[:, 32].min() == 200
        assert tall.image[:, 5].max() == 0
        assert large.image.min() == 200

    def test_when_it_holds_no_picture_then_source_error(self):
        with pytest.raises(SourceError, match="x contains no picture"):
            LiveSource("x", lambda: ScriptedFeed([]))

    def test_when_the_first_read_fails_in_any_way_then_the_feed_is_closed(self):
        class Broken(ScriptedFeed):
            closed = False

            def close(self):
                self.closed = True

        feed = Broken([MemoryError("a frame of this size")])
        with pytest.raises(MemoryError):
            LiveSource("x", lambda: feed)
        assert feed.closed

    def test_when_a_source_that_does_not_come_back_fails_then_its_own_error(self):
        source = LiveSource("x", lambda: ScriptedFeed([picture(1), ImageUnreadable("bad")]))
        with pytest.raises(ImageUnreadable, match="bad"):
            list(source.frames())

    @pytest.mark.parametrize(("shifts", "times"), [(True, [0, 5, 6, 7]), (False, [0, 5, 5, 5])])
    def test_when_a_picture_comes_late_then_later_ones_are_delayed_as_much_or_catch_up(
        self, monkeypatch, shifts, times
    ):
        now = [0.0]

        class Late(Feed):
            """A picture a second; the second one comes 4 s late."""

            count = 0

            def read(self):
                self.count += 1
                now[0] = max(now[0], 5.0 * (self.count == 2))
                return Picture(picture(self.count), self.count - 1.0, shifts=shifts) if self.count < 5 else None

            def close(self):
                pass

        monkeypatch.setattr(threading.Event, "wait", lambda event, wait_s: now.__setitem__(0, now[0] + wait_s))
        source = LiveSource("x", Late, clock=lambda: now[0])
        assert [frame.time_s for frame in source.frames()] == times

    def test_when_it_is_opened_again_and_again_then_its_notes_are_told_once(self):
        def connect():
            feed = ScriptedFeed([picture(1), picture(2), CameraUnavailable("gone")])
            feed.endless, feed.warnings = True, ["odd"]
            return feed

        with LiveSource("x", connect, HASTY) as source:
            assert [frame.index for frame in itertools.islice(source.frames(), 5)] == [0, 1, 2, 3, 4]
        assert source.warnings == ["odd"]


@pytest.fixture(params=[MjpegServer, RtspServer])
def server(request):
    server = request.param()
    yield server
    server.stop()


class TestStream:
    def test_of_a_running_server_then_frames_come_and_the_password_is_not_in_the_name(self, server):
        with open_stream(server.url, HASTY) as source:
            frames = list(itertools.islice(source.frames(), 10))
        assert [frame.index for frame in frames] == list(range(10))
        assert frames[0].image.shape == server.shape
        assert len({int(frame.image.mean()) for frame in frames}) > 5
        assert source.warnings == []
        assert source.name == server.url.replace("user:secret@", "")

    def test_when_the_server_dies_and_comes_back_then_frames_go_on(self, server):
        settings = CaptureSettings(retry_s=0.05, retry_longest_s=0.1, give_up_s=20, timeout_s=2)
        with open_stream(server.url, settings) as source:
            frames = source.frames()
            before = [next(frames) for _ in range(3)][-1]
            server.stop()
            threading.Timer(0.5, server.start).start()
            ends = time.monotonic() + 15
            later = before
            while later.time_s - before.time_s < 0.5 and time.monotonic() < ends:
                later = next(frames)
            following = next(frames)
        assert later.time_s - before.time_s >= 0.4
        assert following.index == later.index + 1

    def test_when_the_server_stalls_without_hanging_up_then_it_is_noticed_and_frames_go_on_later(self, server):
        settings = CaptureSettings(retry_s=0.05, retry_longest_s=0.1, give_up_s=20, timeout_s=0.4)
        with open_stream(server.url, settings) as source:
            frames = source.frames()
            before = next(frames)
            server.stalled.set()
            threading.Timer(1.5, server.stalled.clear).start()
            ends = time.monotonic() + 15
            later = before
            while later.time_s - before.time_s < 1.0 and time.monotonic() < ends:
                later = next(frames)
        assert later.time_s - before.time_s >= 1.0
        assert source.trouble == ""

    @pytest.mark.parametrize("kind", [MjpegServer, RtspServer])
    def test_when_some_pictures_are_corrupt_then_the_others_come(self, kind):
        server = kind(corrupt_every=3)
        with open_stream(server.url, HASTY) as source:
            frames = list(itertools.islice(source.frames(), 12))
        server.stop()
        assert len(frames) == 12
        assert server.connections == 1, "a broken picture is no reason to hang up"
        name = server.url.replace("user:secret@", "")
        assert source.warnings == [f"{name} sent something that could not be decoded; it was left out"]

    @pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
    def test_of_a_file_over_http_then_every_frame_at_its_own_speed_and_an_end(self, tmp_path, suffix):
        write_clip(tmp_path / f"clip{suffix}", [picture(i * 20, 64, 48) for i in range(10)], fps=50)
        with files_served(tmp_path) as url, open_live(f"{url}/clip{suffix}", HASTY) as source:
            frames = list(source.frames())
        assert len(frames) == 10
        assert frames[-1].time_s >= 0.17

    @pytest.mark.parametrize("name", ["clip.m3u8", "clip.ts"])
    def test_of_a_finite_stream_whose_clock_starts_late_then_plays_at_once_to_its_end(self, tmp_path, name):
        late = range(90_000 * 40, 90_000 * 40 + 1800 * 20, 1800)  # 40 s, as in a piece of a broadcast
        options = {"hls_time": "0.2", "hls_list_size": "0"} if name == "clip.m3u8" else None
        write_film(tmp_path / name, late, Fraction(1, 90_000), last_ticks=1800, container_options=options,
                   set_up=lambda stream: setattr(stream, "gop_size", 5))  # fmt: skip
        began = time.monotonic()
        with files_served(tmp_path) as url, open_live(f"{url}/{name}", CaptureSettings(timeout_s=5)) as source:
            frames = list(source.frames())
        assert len(frames) == 20
        assert 0.3 < frames[-1].time_s < 5
        assert time.monotonic() - began < 20

    def test_of_a_live_playlist_then_pictures_come_at_their_own_speed_not_in_bursts(self, tmp_path):
        write_film(tmp_path / "clip.m3u8", range(40), Fraction(1, 20),
                   container_options={"hls_time": "1", "hls_list_size": "0"},
                   set_up=lambda stream: setattr(stream, "gop_size", 20))  # fmt: skip
        playlist = tmp_path / "clip.m3u8"
        playlist.write_text(playlist.read_text().replace("#EXT-X-ENDLIST\n", ""))  # more may come
        with files_served(tmp_path) as url, open_live(f"{url}/clip.m3u8", CaptureSettings(timeout_s=5)) as source:
            frames = list(itertools.islice(source.frames(), 40))
        assert len(frames) == 40
        assert frames[-1].time_s > 1.5

    def test_of_a_file_over_http_that_is_cut_off_then_it_ends_and_does_not_begin_again(self, tmp_path):
        noise = np.random.default_rng(0).integers(0, 256, (50, 48, 64, 3), np.uint8)
        clip = write_clip(tmp_path / "clip.mkv", list(noise), fps=50)
        missing = clip.stat().st_size // 3
        with files_served(tmp_path, missing) as url, open_live(f"{url}/clip.mkv", HASTY) as source:
            frames = source.frames()
            with pytest.raises(VideoUnreadable, match=r"clip\.mkv broke off"):
                for count, _ in enumerate(frames):
                    assert count < 50

    def test_of_a_turned_file_over_http_then_its_pictures_are_those_of_the_file(self, tmp_path):
        clip = write_film(tmp_path / "clip.mp4", range(3), image=quadrants(1280, 720),
                          set_up=lambda stream: stream.set_display_rotation(90))  # fmt: skip
        with files_served(tmp_path) as url, open_live(f"{url}/clip.mp4", HASTY) as source:
            played = [frame.image for frame in source.frames()]
        with VideoSource(clip) as film:
            assert np.array_equal(played, [frame.image for frame in film.frames()])
        assert played[0].shape == (1280, 720, 3)
        assert corners(played[0]) == "GWRB"

    def test_when_a_stream_changes_size_then_its_pictures_keep_their_shape(self, tmp_path):
        small = write_film(tmp_path / "small.ts", range(10))
        tall = write_film(tmp_path / "tall.ts", range(10, 20), image=quadrants(48, 96))
        (tmp_path / "joined.ts").write_bytes(small.read_bytes() + tall.read_bytes())
        with files_served(tmp_path) as url, open_live(f"{url}/joined.ts", HASTY) as source:
            last = list(source.frames())[-1].image
        assert last.shape == (48, 64, 3)
        assert last[:, :18].max() < 20
        assert corners(last[:, 20:44]) == "RGBW"

    def test_when_the_first_key_frame_comes_late_then_pictures_come_from_there_on(self, tmp_path):
        def seldom(stream):
            stream.gop_size, stream.codec_context.max_b_frames = 150, 0

        whole = write_film(tmp_path / "whole.ts", range(160), set_up=seldom)
        with av.open(str(whole)) as film, av.open(str(tmp_path / "late.ts"), "w") as late:
            stream = late.add_stream_from_template(film.streams.video[0])
            for packet in itertools.islice(film.demux(video=0), 1, 160):
                packet.stream = stream
                late.mux(packet)
        with files_served(tmp_path) as url, open_live(f"{url}/late.ts", HASTY) as source:
            assert len(list(source.frames())) == 10

    def test_when_nothing_can_be_decoded_for_long_then_one_line_says_so(self, monkeypatch):
        monkeypatch.setattr("livemood.sources.stream._FIRST_WITHIN_S", 0.1)
        server = MjpegServer(corrupt_every=1)
        with pytest.raises(VideoUnreadable, match="sent nothing that can be decoded in 0 s"):
            open_stream(server.url, HASTY)
        server.stop()

    def test_of_jpegs_without_a_first_boundary_then_frames_come(self):
        server = MjpegServer(first_boundary=False)
        with open_stream(server.url, CaptureSettings(timeout_s=5)) as source:
            frames = list(itertools.islice(source.frames(), 10))
        server.stop()
        assert frames[0].image.shape == server.shape
        assert len({int(frame.image.mean()) for frame in frames}) > 5

    def test_of_a_page_that_is_no_video_then_one_line(self, tmp_path):
        (tmp_path / "index.html").write_text("<html>" + "no video " * 500)
        with (
            files_served(tmp_path) as url,
            pytest.raises(VideoUnreadable, match=r"index\.html contains no video that can be read$"),
        ):
            open_stream(f"{url}/index.html", HASTY)

    def test_of_a_server_that_does_not_answer_then_the_line_says_so(self):
        with (
            silent_server() as url,
            pytest.raises(VideoUnreadable, match=r"could not be opened \(it does not answer\); is it running\?"),
        ):
            open_stream(url, CaptureSettings(timeout_s=0.5))

    @pytest.mark.parametrize(
        ("url", "reason"),
        [
            ("http://nowhere.invalid/x", "there is no such host"),
            ("rtsp://nowhere.invalid/x", "there is no such host"),
            ("foo://bar", "protocol not found"),
            ("file:///nowhere.mp4", "no such file or directory"),
            ("rtsp://[::1/x", "invalid argument"),
        ],
    )
    def test_of_an_address_that_leads_nowhere_then_the_line_says_why(self, url, reason):
        with pytest.raises(VideoUnreadable) as caught:
            open_stream(url, HASTY)
        assert str(caught.value) == f"{url} could not be opened ({reason})"

    @pytest.mark.parametrize(
        ("url", "shown"),
        [
            ("http://user:secret@cam/video.mjpg", "http://cam/video.mjpg"),
            ("http://cam:81/video.mjpg?token=secret", "http://cam:81/video.mjpg"),
            ("http://cam/video.mjpg#secret", "http://cam/video.mjpg"),
            ("http://cam?key=a/secret", "http://cam"),
            ("rtsp://cam:554/user=admin&password=secret&channel=1_stream=0.sdp?real_stream", "rtsp://cam:554"),
            ("rtsp://a:b@[::1]:554/live/ch1;token=secret", "rtsp://[::1]:554/live"),
        ],
    )
    def test_address_when_shown_then_without_passwords_and_keys(self, url, shown):
        assert without_secrets(url) == shown

    def test_of_nothing_there_then_one_clear_line(self, server):
        server.stop()
        with pytest.raises(VideoUnreadable, match=rf"://127.0.0.1:{server.port}/[a-z.]+ could not be opened"):
            open_stream(server.url, HASTY)
        server.start()


class TestFeeds:
    @pytest.fixture
    def clip(self, tmp_path):
        return write_clip(tmp_path / "clip.mp4", [picture(i * 20, 64, 48) for i in range(10)], fps=50)

    def test_of_a_video_then_every_frame_at_its_own_speed(self, clip):
        with open_live(str(clip)) as source:
            frames = list(source.frames())
        assert len(frames) == 10
        assert frames[-1].time_s >= 0.17
        assert not source.mirrored

    def test_of_a_video_under_dev_then_it_is_no_camera(self, clip):
        with clip.open("rb") as file, open_live(f"/dev/fd/{file.fileno()}") as source:
            assert len(list(source.frames())) == 10
            assert not source.mirrored

    def test_of_a_video_with_loop_then_it_begins_again_and_time_goes_on(self, clip):
        with open_live(str(clip), CaptureSettings(loop=True)) as source:
            frames = list(itertools.islice(source.frames(), 25))
        assert [frame.index for frame in frames] == list(range(25))
        assert int(frames[20].image.mean()) == pytest.approx(int(frames[0].image.mean()), abs=3)
        assert frames[20].time_s >= 0.38

    @pytest.mark.parametrize("loop", [False, True])
    def test_of_a_video_that_is_cut_off_then_its_notes_are_told_once(self, tmp_path, loop):
        noise = np.random.default_rng(0).integers(0, 256, (30, 48, 64, 3), np.uint8)
        clip = write_clip(tmp_path / "clip.mkv", list(noise), fps=50)
        clip.write_bytes(clip.read_bytes()[: clip.stat().st_size * 3 // 5])
        with open_live(str(clip), CaptureSettings(loop=loop)) as source:
            for _ in itertools.islice(source.frames(), 60):
                pass
        (note,) = source.warnings
        assert note.startswith(f"{clip} is cut off")

    def test_of_a_video_when_left_early_then_its_notes_so_far_are_told(self, tmp_path):
        clip = write_clip(tmp_path / "clip.h264", [picture(i * 8, 64, 48) for i in range(9)], fps=50)
        with open_live(str(clip)) as source:
            next(source.frames())
        assert source.warnings == [f"{clip} has no timestamps; its frames were spaced evenly, 50 per second"]

    def test_of_a_folder_then_its_pictures_in_order_at_the_wished_rate(self, tmp_path):
        for i in range(3):
            cv2.imwrite(str(tmp_path / f"{i}.png"), picture(i * 50))
        with open_live(str(tmp_path), CaptureSettings(fps=50)) as source:
            frames = list(source.frames())
        assert [int(frame.image.mean()) for frame in frames] == [0, 50, 100]
        assert frames[-1].time_s >= 0.03

    @pytest.mark.parametrize("count", [1, 2])
    def test_of_a_folder_then_the_last_picture_has_its_time_too(self, tmp_path, count):
        for i in range(count):
            cv2.imwrite(str(tmp_path / f"{i}.png"), picture(i))
        with open_live(str(tmp_path), CaptureSettings(fps=5)) as source:
            began = time.monotonic()
            frames = list(source.frames())
            lasted_s = time.monotonic() - began
        assert len(frames) == count
        assert lasted_s >= count / 5 - 0.01

    def test_of_a_folder_when_closed_at_the_last_picture_then_it_ends_at_once(self, tmp_path):
        cv2.imwrite(str(tmp_path / "0.png"), picture(0))
        with open_live(str(tmp_path), CaptureSettings(fps=0.01)) as source:
            frames = source.frames()
            next(frames)
            threading.Timer(0.1, source.close).start()
            assert list(frames) == []

    @pytest.mark.parametrize("loop", [False, True])
    def test_of_a_folder_when_some_cannot_be_read_then_each_is_named_once_and_the_others_come(self, tmp_path, loop):
        for place, level in (("b", 50), ("d", 100)):
            cv2.imwrite(str(tmp_path / f"{place}.png"), picture(level))
        for place in "ace":
            (tmp_path / f"{place}.png").write_bytes(b"\x89PNG")
        settings = CaptureSettings(fps=50, loop=loop)
        with pytest.warns(UserWarning, match="left out: ") as said, open_live(str(tmp_path), settings) as source:
            frames = list(itertools.islice(source.frames(), 4))
        assert [int(frame.image.mean()) for frame in frames] == ([50, 100, 50, 100] if loop else [50, 100])
        assert len(said) == 3

    @pytest.mark.filterwarnings("ignore:left out")
    def test_of_a_folder_when_none_can_be_read_then_source_error(self, tmp_path):
        (tmp_path / "a.png").write_bytes(b"\x89PNG")
        with pytest.raises(SourceError, match="no picture"):
            open_live(str(tmp_path), CaptureSettings(loop=True))

    def test_of_a_folder_without_pictures_then_source_error(self, tmp_path):
        with pytest.raises(SourceError, match="no picture"):
            open_live(str(tmp_path))

    @pytest.mark.parametrize(("layout", "pixel"), [("bgr24", [1, 2, 3]), ("rgb24", [3, 2, 1]), ("gray", [7])])
    def test_of_raw_pictures_then_each_in_bgr_until_the_writer_closes(self, layout, pixel):
        read, write = os.pipe()
        os.write(write, bytes(pixel) * (4 * 2) * 3)
        os.close(write)
        feed = RawFeed(CaptureSettings(width=4, height=2, pixel_format=layout), read)
        pictures = list(iter(feed.read, None))
        os.close(read)
        assert len(pictures) == 3
        assert pictures[0].image.shape == (2, 4, 3)
        assert pictures[0].image[0, 0].tolist() == ([7, 7, 7] if layout == "gray" else [1, 2, 3])

    def test_of_raw_pictures_when_stopped_while_none_comes_then_they_end(self):
        read, write = os.pipe()
        os.write(write, bytes(4 * 2 * 3))
        source = LiveSource("pipe", lambda: RawFeed(CaptureSettings(width=4, height=2), read))
        os.write(write, b"a part of the next one")
        shown: list[object] = []
        reading = threading.Thread(target=lambda: shown.extend(source.frames()), daemon=True)
        reading.start()
        time.sleep(0.1)
        source.close()
        reading.join(10)
        assert not reading.is_alive()
        assert len(shown) == 1
        os.close(write)
        os.close(read)

    def test_of_raw_pictures_when_the_pipe_does_not_block_then_they_are_waited_for(self):
        read, write = os.pipe()
        os.set_blocking(read, False)
        os.write(write, bytes(4 * 2))
        threading.Timer(0.1, os.write, [write, bytes(4 * 2 * 2)]).start()
        pictures = [RawFeed(CaptureSettings(width=4, height=2), read).read()]
        os.close(write)
        os.close(read)
        assert None not in pictures

    def test_of_raw_pictures_cut_off_then_the_message_names_the_options(self):
        read, write = os.pipe()
        os.write(write, b"12345")
        os.close(write)
        with pytest.raises(SourceError, match="check size and pixel_format"):
            RawFeed(CaptureSettings(width=4, height=2), read).read()
        os.close(read)

    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            (CaptureSettings(), "width and height, such as 640x480"),
            (CaptureSettings(width=4, height=2, pixel_format="MJPG"), "bgr24"),
            (CaptureSettings(width=99_999_999, height=99_999_999), "up to 200 million pixels, got 99999999x99999999"),
        ],
    )
    def test_of_raw_pictures_without_possible_size_or_known_format_then_value_error(self, settings, message):
        with pytest.raises(ValueError, match=message):
            open_live("-", settings)

    def test_of_a_part_of_a_name_then_the_first_camera_that_has_it(self, monkeypatch):
        names = ("Integrated", "FaceTime HD", "FaceTime old")
        cameras = [CameraName(3 * place, name, "") for place, name in enumerate(names)]
        monkeypatch.setattr("livemood.sources.camera_names.list_cameras", lambda: cameras)
        monkeypatch.setattr("livemood.sources.camera.open_camera", lambda which, settings: (which, settings.fps))
        opened: object = open_live("FACEtime", CaptureSettings(fps=15))
        assert opened == (3, 15)
        with pytest.raises(
            CameraUnavailable, match=r"found: 0 \(Integrated\), 3 \(FaceTime HD\), 6 \(FaceTime old\); try"
        ):
            open_live("OBS")

    def test_of_an_unknown_name_then_the_message_lists_the_cameras(self):
        with pytest.raises(CameraUnavailable, match="FaceTime is neither a file nor the name of a camera; "):
            open_live("FaceTime")

    def test_of_a_device_that_is_not_there_then_camera_unavailable(self):
        with pytest.raises(CameraUnavailable, match="/dev/video97 could not be opened: there is no such device"):
            open_live("/dev/video97")


def test_list_cameras_on_linux_then_names_in_order_without_metadata_nodes(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.platform", "linux")
    for number, name, place in ((10, "Elgato", 0), (2, "Webcam", 0), (3, "Webcam", 1)):
        node = tmp_path / f"video{number}"
        node.mkdir()
        (node / "name").write_text(f"{name}\n")
        (node / "index").write_text(f"{place}\n")
    found = list_cameras(tmp_path) or ()
    assert [(camera.index, camera.name, camera.path) for camera in found] == [
        (2, "Webcam", "/dev/video2"),
        (10, "Elgato", "/dev/video10"),
    ]


def test_cameras_when_they_cannot_be_listed_then_nothing_says_that_there_are_none(monkeypatch, capsys):
    monkeypatch.setattr("sys.platform", "darwin")
    monkeypatch.setitem(sys.modules, "cv2_enumerate_cameras", None)
    extra = r"pip install 'livemood\[camera-names\]'"
    with pytest.raises(CameraUnavailable, match=rf"^FaceTime is not a file, .*; {extra}, or give source a number$"):
        open_live("FaceTime")
    assert run(["cameras"]) == 0
    assert re.match(rf"Cameras cannot be listed here; {extra}", capsys.readouterr().out)
    assert run(["cameras", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"cameras": None}
    (check,) = (check for check in check_all() if check.name == "cameras")
    assert (check.state, check.found) == ("note", "cannot be listed")
    assert re.match(extra, check.advice)
