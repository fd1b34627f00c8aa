"""Builders of test data, shared by all tests."""

import errno
import os
import signal
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from livemood.core.geometry import Box
from livemood.core.labels import EMOTIONS, UNSURE
from livemood.core.types import Detection, Frame, Image, Mood, Track

if TYPE_CHECKING:
    import av

# Of a program with KERAS_BACKEND=jax: compiling takes most of a short run, in half the time without optimisation.
QUICK_XLA = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
# The program with an even smaller network as ``small``: most of a short run is spent compiling one.
TINY = (
    "from livemood.cli import main; from livemood.training.model.network import PRESETS, Architecture; "
    "PRESETS['small'] = Architecture(8, (16, 24), (1, 1)); main()"
)
ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "samples"


def heed_interrupts() -> None:
    """Restore the default handling of SIGINT in a child process (``preexec_fn``); a background shell ignores it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def read_still(path: Path) -> Image:
    """Read a picture as BGR."""
    return np.asarray(cv2.imread(str(path), cv2.IMREAD_COLOR), np.uint8)


def refuse(monkeypatch: pytest.MonkeyPatch, call: str, *paths: Path) -> None:
    """Make a call of ``os``, such as ``scandir``, fail for some paths, as root is never denied permission."""
    ask: Callable[..., Any] = getattr(os, call)

    def refusing(path: Any, *given: Any, **named: Any) -> Any:
        if path in paths or path in map(str, paths):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return ask(path, *given, **named)

    monkeypatch.setattr(os, call, refusing)


def refuse_reading(monkeypatch: pytest.MonkeyPatch, *paths: Path) -> None:
    """Make files as unreadable as ``chmod 000`` makes them for anyone but root."""
    may, ask = os.access, Path.open

    def opened(path: Path, *given: Any, **named: Any) -> Any:
        if path in paths:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return ask(path, *given, **named)

    monkeypatch.setattr(os, "access", lambda path, *given: str(path) not in map(str, paths) and may(path, *given))
    monkeypatch.setattr(Path, "open", opened)


def make_frame(width: int = 640, height: int = 480, index: int = 0, time_s: float = 0.0, level: int = 90) -> Frame:
    """Return an evenly grey frame."""
    return Frame(index, time_s, np.full((height, width, 3), level, np.uint8))


def make_detection(x: float = 320, y: float = 240, side: float = 100, score: float = 0.9) -> Detection:
    """Return an upright face centred at (x, y) px, its keypoints where a real face of that size has them."""
    shares = [(0.32, 0.32), (0.68, 0.32), (0.5, 0.55), (0.5, 0.75), (0.05, 0.4), (0.95, 0.4)]
    left, top = x - side / 2, y - side / 2
    keypoints = np.array([(left + fx * side, top + fy * side) for fx, fy in shares], np.float32)
    return Detection(Box(left, top, left + side, top + side), keypoints, score)


def make_mood(
    track: int = 1, label: str = "happy", confidence: float = 0.9, labels: tuple[str, ...] = EMOTIONS, x: float = 320
) -> Mood:
    """Return the mood of a face centred at (x, 240) px; ``unsure`` leans to the first of ``labels``."""
    leading = labels[0] if label == UNSURE else label
    rest = (1 - confidence) / max(len(labels) - 1, 1)
    scores = {name: confidence if name == leading else rest for name in labels}
    raw = {name: 1.0 if name == leading else 0.0 for name in labels}
    return Mood(Track(track, make_detection(x), first_seen_s=0.0), label, confidence, scores, raw)


def write_clip(path: Path, images: Sequence[Image], fps: int = 30) -> Path:
    """Write BGR pictures of one even size as a plain video without sound; return its path."""
    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=fps)
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for image in images:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        container.mux(stream.encode())
    return path


def half_sample(count: int) -> list[Image]:
    """Return the first frames of ``samples/faces.mp4`` at half its size, 640x360 px, which is read sooner."""
    import av

    with av.open(str(SAMPLES / "faces.mp4")) as source:
        frames = [frame.to_ndarray(format="bgr24") for frame in islice(source.decode(video=0), count)]
    return [np.asarray(cv2.resize(frame, (640, 360), interpolation=cv2.INTER_AREA), np.uint8) for frame in frames]


def repeated(clip: Path, target: Path, times: int) -> Path:
    """Write a clip several times over into ``target``, copied without decoding it; return ``target``."""
    import av

    with av.open(str(clip)) as source, av.open(str(target), "w") as container:
        stream = source.streams.video[0]
        copy = container.add_stream_from_template(stream)
        length = stream.duration or 0
        for turn in range(times):
            source.seek(0)
            for packet in source.demux(stream):
                if packet.pts is not None and packet.dts is not None:
                    packet.pts += turn * length
                    packet.dts += turn * length
                    packet.stream = copy
                    container.mux(packet)
    return target


def quadrants(width: int = 64, height: int = 48) -> Image:
    """Return a picture whose quarters are red and green above blue and white."""
    image = np.empty((height, width, 3), np.uint8)
    left, top = slice(0, width // 2), slice(0, height // 2)
    right, bottom = slice(width // 2, None), slice(height // 2, None)
    image[top, left], image[top, right] = (0, 0, 255), (0, 255, 0)
    image[bottom, left], image[bottom, right] = (255, 0, 0), (255, 255, 255)
    return image


def corners(image: Image) -> str:
    """Name the colours at a quarter in from each corner, in reading order, such as ``RGBW``."""
    height, width = image.shape[:2]
    names = {(0, 0, 1): "R", (0, 1, 0): "G", (1, 0, 0): "B", (1, 1, 1): "W"}
    spots = [image[y, x] > 127 for y in (height // 4, -height // 4) for x in (width // 4, -width // 4)]
    return "".join(names.get((int(b), int(g), int(r)), "?") for b, g, r in spots)


@dataclass(frozen=True)
class Sound:
    """A tone for ``write_film``, or with ``click_s`` a click that long after its start; a pause is not stored."""

    codec: str = "aac"
    lasts_s: float = 1.0
    starts_s: float = 0.0
    click_s: float | None = None
    pause_s: tuple[float, float] = (0.0, 0.0)
    language: str = "und"
    title: str = ""
    disposition: int = 0

    def samples(self, rate: int = 48_000) -> npt.NDArray[np.float32]:
        """Return (2, N) float32."""
        seconds = np.arange(round(self.lasts_s * rate)) / rate
        wave = 0.1 * np.sin(2 * np.pi * 440 * seconds)
        if self.click_s is not None:
            wave[:] = 0
            wave[round(self.click_s * rate) :][:480] = 0.9
        return np.stack([wave, wave]).astype(np.float32)


def write_film(
    path: Path,
    times: Sequence[int] = range(20),
    tick: Fraction = Fraction(1, 20),
    *,
    image: Image | None = None,
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    sounds: Sequence[Sound] = (),
    cues: Sequence[tuple[int, int, str]] = (),
    cue_codec: str = "subrip",
    chapters: Sequence[tuple[int, int, str]] = (),
    tags: Mapping[str, str] | None = None,
    last_ticks: int = 1,
    container_options: Mapping[str, str] | None = None,
    frame_fields: Mapping[str, object] | None = None,
    paint: Callable[[int], "av.VideoFrame"] | None = None,
    set_up: Callable[["av.VideoStream"], None] = lambda _: None,
) -> Path:
    """Write a video with FFmpeg instead of livemood's own writer; return its path.

    Args:
        path: Its suffix selects the container.
        times: When each frame is shown, ticks.
        tick: s.
        image: Of every frame.
        codec: FFmpeg's name.
        pixel_format: FFmpeg's name.
        sounds: One stream each.
        cues: Subtitles: start and duration in ms, and text.
        cue_codec: FFmpeg's name.
        chapters: Start, end in ms, and title.
        tags: Of the file.
        last_ticks: How long the last frame is shown.
        container_options: For FFmpeg.
        frame_fields: Set on every frame.
        paint: Makes the frame at a place in ``times``, in place of ``image``.
        set_up: Configures the stream; called before the first frame.
    """
    import av

    image = quadrants() if image is None else image
    with av.open(str(path), "w", container_options=dict(container_options or {})) as output:
        output.metadata.update(tags or {})
        unit = Fraction(1, 1000)
        output.set_chapters(
            [
                {"id": i, "start": start, "end": end, "time_base": unit, "metadata": {"title": title}}
                for i, (start, end, title) in enumerate(chapters)
            ]
        )
        rate = Fraction(len(times), max(times[-1] - times[0] + last_ticks, 1)) / tick
        stream: Any = output.add_stream(codec, rate=rate.limit_denominator(1000), time_base=tick)
        stream.height, stream.width = image.shape[:2]
        stream.pix_fmt = pixel_format
        stream.codec_context.flags |= av.codec.context.Flags.frame_duration
        set_up(stream)
        tracks = [_add_sound(output, sound) for sound in sounds]
        text = output.add_mux_stream(cue_codec) if cues else None
        for place, (time, until) in enumerate(zip(times, [*times[1:], times[-1] + last_ticks], strict=True)):
            frame = paint(place) if paint else av.VideoFrame.from_ndarray(image, format="bgr24")
            frame.pts, frame.time_base, frame.duration = time, tick, until - time
            for name, value in (frame_fields or {}).items():
                setattr(frame, name, value)
            output.mux(stream.encode(frame))
        output.mux(stream.encode())
        for track, sound in zip(tracks, sounds, strict=True):
            _mux_sound(output, track, sound)
        for start, duration, words in cues:
            packet: Any = av.Packet(words.encode())
            packet.pts = packet.dts = start
            packet.duration, packet.time_base = duration, unit
            packet.stream = text
            output.mux(packet)
    return path


def _add_sound(output: Any, sound: Sound) -> Any:
    track = output.add_stream(sound.codec, rate=48_000)
    if sound.codec.startswith("wma"):
        track.bit_rate = 128_000
    track.metadata["language"] = sound.language
    if sound.title:
        track.metadata["title"] = sound.title
    track.disposition = sound.disposition
    return track


def _mux_sound(output: Any, track: Any, sound: Sound) -> None:
    import av

    resampler = av.AudioResampler(track.format, "stereo", 48_000, track.codec_context.frame_size or 1024)
    samples = sound.samples()
    from_s, to_s = sound.pause_s
    for start in range(0, samples.shape[1], 1024):
        if from_s <= start / 48_000 < to_s:
            continue
        piece = np.ascontiguousarray(samples[:, start : start + 1024])
        frame = av.AudioFrame.from_ndarray(piece, format="fltp", layout="stereo")
        frame.sample_rate, frame.time_base = 48_000, Fraction(1, 48_000)
        frame.pts = start + round(sound.starts_s * 48_000)
        for ready in resampler.resample(frame):
            output.mux(track.encode(ready))
    for ready in resampler.resample(None):
        output.mux(track.encode(ready))
    output.mux(track.encode(None))


_MOUTHS = {"happy": (0, 180), "sad": (180, 360)}


def make_face_crop(label: str, seed: int, side: int = 48) -> Image:
    """Return a tight drawing of a face that smiles (``happy``) or frowns, a little different for each seed."""
    rng = np.random.default_rng((seed, label == "happy"))
    skin, ink = int(rng.integers(120, 220)), int(rng.integers(0, 70))
    image = np.full((192, 192, 3), rng.integers(40, 90), np.uint8)
    x, y = (96 + rng.integers(-8, 9, 2)).tolist()
    cv2.ellipse(image, (x, y), (70, 88), 0, 0, 360, (skin,) * 3, -1)
    for eye in (-32, 32):
        cv2.circle(image, (x + eye, y - 20), 10, (ink,) * 3, -1)
    if label == "happy":
        cv2.ellipse(image, (x, y + 30), (42, 38), 0, 0, 180, (255,) * 3, -1)  # all teeth
    cv2.ellipse(image, (x, y + (30 if label == "happy" else 75)), (42, 30), 0, *_MOUTHS[label], (ink,) * 3, 10)
    image = np.asarray(cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA), np.uint8)
    return np.clip(image + rng.normal(0, 4, image.shape), 0, 255).astype(np.uint8)


def write_faces(folder: Path, count: int, labels: tuple[str, str] = ("happy", "sad"), first: int = 0) -> Path:
    """Write ``count`` drawings per class into one folder per class; return ``folder``. The first class smiles."""
    for label, kind in zip(labels, ("happy", "sad"), strict=True):
        (folder / label).mkdir(parents=True)
        for number in range(first, first + count):
            cv2.imwrite(str(folder / label / f"{kind}{number}.png"), make_face_crop(kind, number))
    return folder


def write_camera_pictures(path: Path, orientation: int, count: int = 5, image: Image | None = None) -> Path:
    """Write a video of JPEGs with EXIF data, as some cameras with MJPEG do; return its path.

    Args:
        path: .avi.
        orientation: EXIF orientation, 1 to 8.
        count: Pictures.
        image: As stored in the file.
    """
    import av

    done, coded = cv2.imencode(".jpg", quadrants(320, 240) if image is None else image)
    assert done
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01" + struct.pack(">HHI", orientation, 0, 0)
    picture = b"\xff\xd8\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + coded.tobytes()[2:]
    if path.suffix == ".jpg":
        path.write_bytes(picture)
        return path
    with av.open(str(path), "w") as output:
        stream: Any = output.add_stream("mjpeg", rate=10)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuvj420p"
        output.start_encoding()
        for number in range(count):
            packet = av.Packet(picture)
            packet.pts = packet.dts = number
            packet.duration, packet.time_base, packet.stream = 1, Fraction(1, 10), stream
            packet.is_keyframe = True
            output.mux(packet)
    return path


def write_browser_recording(folder: Path, codec: str = "libvpx", rate: float = 1000) -> Path:
    """Write a WebM as browsers record it: its header states 1000 frames a second, and frame intervals vary."""
    times = [0, 33, 62, 112, 162, 195, 228, 262, 300, 333, 366, 400]
    path = write_film(folder / "browser.webm", times, Fraction(1, 1000), codec=codec)
    data, length = path.read_bytes(), b"\x23\xe3\x83"  # Matroska's DefaultDuration, ns
    entry = length + b"\x84" + struct.pack(">I", round(1e9 / rate))
    at = data.find(length)
    if at >= 0:
        path.write_bytes(data[:at] + entry + data[at + len(entry) :])
    return path


def write_dv(folder: Path, count: int = 4) -> Path:
    """Write raw DV, 25 frames a second: encoded frames without a container."""
    import av

    coder: Any = av.CodecContext.create("dvvideo", "w")
    coder.width, coder.height, coder.pix_fmt = 720, 576, "yuv420p"
    coder.framerate, coder.time_base = Fraction(25), Fraction(1, 25)
    path = folder / "tape.dv"
    picture = quadrants(720, 576)
    with path.open("wb") as file:
        for number in range(count):
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24").reformat(format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            for packet in coder.encode(frame):
                file.write(bytes(packet))
    return path
