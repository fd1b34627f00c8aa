"""How fast a video is labelled, stage by stage, beside the least that reading, writing and finding faces take."""

import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ParamSpec, TypeVar

import numpy as np

from livemood.apps.session import Session
from livemood.core.settings import ReaderSettings
from livemood.core.types import Frame, Image
from livemood.detection.base import Detector
from livemood.pipeline import follower
from livemood.runtime.queues import WriteBehind, read_ahead
from livemood.sinks.base import Sink
from livemood.sinks.open import Output
from livemood.sources.base import Source

T = TypeVar("T")
P = ParamSpec("P")

STAGES = ("decode", "detect", "track", "crop", "classify", "smooth", "draw", "encode")
_READING = STAGES[1:6]
# Labelled before anything is timed: some things are slow the first time.
_WARM_UP_S = 0.2

# Says so in the moment in which a new process has its first labelled picture; leaving takes time of its own.
_FIRST_FRAME = """
import os, sys
from pathlib import Path
from livemood.apps.reader import MoodReader, annotate
clip, model, detector, engine = sys.argv[1:]
with MoodReader(Path(model) if model else None, detector=detector, engine=engine) as reader:
    annotate(*next(reader.video(Path(clip))))
    os.write(1, b"labelled")
    os._exit(0)
"""


@dataclass(frozen=True, slots=True)
class StageTime:
    """Time that a stage takes for a frame, ms: on average, and what half and 95 of 100 frames stay under."""

    mean_ms: float
    p50_ms: float
    p95_ms: float


@dataclass(frozen=True, slots=True)
class VideoFigures:
    """What labelling a clip came to.

    Attributes:
        width: Of the clip, px.
        height: Of the clip, px.
        frames: In the clip.
        faces: Faces per frame, on average.
        stages: By name, in the order of a frame's life, measured one after the other on one thread.
        fps: Frames per second from file to file, with all threads.
        decode_encode_fps: Floor: the same without finding, reading and drawing faces.
        decode_detect_fps: Floor: reading the file and finding faces, and nothing else.
        detect_classify_fps: What stages from detect to smooth would reach alone.
        search_classify_fps: What searching every whole frame and classifying its faces would reach alone: what
            labelling would be held up by if faces were not followed from frame to frame.
        cpu_ms: CPU time of all threads for a frame from file to file.
        slowdown: Time from file to file, in times of the slowest of the first three of these four.
        search_slowdown: Time from file to file, in times of searching and classifying alone, or of decoding and
            encoding alone if that is slower.
        first_frame_s: From the start of a new process to its first labelled picture.
        peak_rss_mb: Most memory that the run from file to file held, with Python and models; None where the system
            does not tell.
    """

    width: int
    height: int
    frames: int
    faces: float
    stages: dict[str, StageTime]
    fps: float
    decode_encode_fps: float
    decode_detect_fps: float
    detect_classify_fps: float
    search_classify_fps: float
    cpu_ms: float
    slowdown: float
    search_slowdown: float
    first_frame_s: float
    peak_rss_mb: float | None


def measure_video(session: Session, clip: Path, how: ReaderSettings | None = None) -> VideoFigures:
    """Label a clip some times, in different ways, into a scratch folder.

    Args:
        session: Detector and model; stays open.
        clip: Video file.
        how: What a new process opens for its first labelled picture; by default what is shipped.

    Raises:
        VideoUnreadable: The clip cannot be read.
    """
    with TemporaryDirectory() as folder:
        bench = _Bench(session, clip, Path(folder) / "labelled.mp4")
        first_frame_s = time_to_first_frame(clip, how or ReaderSettings())
        bench.label(_WARM_UP_S)
        cpu_began = time.process_time()
        frames, faces, labelled_s = bench.label()
        cpu_s = time.process_time() - cpu_began
        memory = peak_rss_mb()
        copied_s = bench.copy()
        detected_s = bench.detect(follower(session.detector, session.settings))
        times = bench.stages()
        read_s = sum(sum(times[name]) for name in _READING) / 1e3
        searched_s = bench.search(session.detector) + sum(times["classify"]) / 1e3
        return VideoFigures(
            *bench.size,
            frames=frames,
            faces=round(faces / frames, 2),
            stages={name: _summed_up(times[name]) for name in STAGES},
            fps=_rate(frames, labelled_s),
            decode_encode_fps=_rate(frames, copied_s),
            decode_detect_fps=_rate(frames, detected_s),
            detect_classify_fps=_rate(frames, read_s),
            search_classify_fps=_rate(frames, searched_s),
            cpu_ms=round(1e3 * cpu_s / frames, 2),
            slowdown=round(labelled_s / max(copied_s, detected_s, read_s), 2),
            search_slowdown=round(labelled_s / max(copied_s, searched_s), 2),
            first_frame_s=round(first_frame_s, 2),
            peak_rss_mb=memory,
        )


class _Bench:
    """One clip and where to write it, again and again."""

    def __init__(self, session: Session, clip: Path, out: Path) -> None:
        self._session, self._clip, self._out = session, clip, out
        with session.open_video(clip) as source:
            self.size = (source.info.width, source.info.height)

    def label(self, duration_s: float | None = None) -> tuple[int, int, float]:
        """Label the clip, or its beginning, as ``livemood video`` does; return frames, faces and seconds."""
        began = time.perf_counter()
        with self._session.open_video(self._clip, duration_s=duration_s) as source, self._sink(source) as sink:
            summary = self._session.run(source, [sink]).summary()
        return summary.frames, summary.faces, time.perf_counter() - began

    def copy(self) -> float:
        """Decode and encode, each in its thread; return seconds."""
        began = time.perf_counter()
        with ExitStack() as stack:
            source = stack.enter_context(self._session.open_video(self._clip))
            sink = stack.enter_context(self._sink(source))

            def write(frame: Frame) -> None:
                sink.write(frame, (), frame.image)

            frames = stack.enter_context(read_ahead(source.frames()))
            writer = stack.enter_context(WriteBehind(write))
            for frame in frames:
                writer.put(frame)
        return time.perf_counter() - began

    def detect(self, find: Callable[[Frame], object]) -> float:
        """Decode in a thread and find faces; return seconds."""
        began = time.perf_counter()
        with self._session.open_video(self._clip) as source, read_ahead(source.frames()) as frames:
            for frame in frames:
                find(frame)
        return time.perf_counter() - began

    def search(self, detector: Detector) -> float:
        """Search every whole frame, with nothing beside it; return the seconds of that, without decoding."""
        spent_s = 0.0
        with self._session.open_video(self._clip) as source:
            for frame in source.frames():
                began = time.perf_counter()
                detector.detect(frame)
                spent_s += time.perf_counter() - began
        return spent_s

    def stages(self) -> dict[str, list[float]]:
        """Label the clip on one thread; return the ms of every stage in every frame."""
        watch = _Stopwatch()
        pipeline = self._session.pipeline(watch)
        draw = watch("draw", self._session.annotator().draw)
        with self._session.open_video(self._clip) as source, self._sink(source) as sink:
            encode = watch("encode", sink.write)
            frames = source.frames()
            coming: Callable[[], Frame | None] = watch("decode", lambda: next(frames, None))
            while (frame := coming()) is not None:
                moods = pipeline.step(frame)
                image: Image = draw(frame, moods)
                encode(frame, moods, image)
                watch.next_frame()
        return watch.times

    def _sink(self, source: Source) -> Sink:
        return self._session.open_sink(Output("out", str(self._out)), source, force=True)


class _Stopwatch:
    """Times the work that it is given, frame by frame; a ``StageTimer``."""

    def __init__(self) -> None:
        self.times: dict[str, list[float]] = defaultdict(list)
        self._frame: dict[str, float] = defaultdict(float)

    def __call__(self, stage: str, work: Callable[P, T]) -> Callable[P, T]:
        def timed(*args: P.args, **kwargs: P.kwargs) -> T:
            began = time.perf_counter()
            try:
                return work(*args, **kwargs)
            finally:
                self._frame[stage] += 1e3 * (time.perf_counter() - began)

        return timed

    def next_frame(self) -> None:
        """Close the frame at hand; a stage that had no work took no time."""
        for stage in STAGES:
            self.times[stage].append(self._frame[stage])
        self._frame.clear()


def time_to_first_frame(clip: Path, how: ReaderSettings) -> float:
    """Return the seconds from the start of a new process to its first labelled picture."""
    words = str(clip), str(how.model or ""), how.detector, how.engine
    began = time.perf_counter()
    with subprocess.Popen([sys.executable, "-c", _FIRST_FRAME, *words], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.read(1)
        return time.perf_counter() - began


def peak_rss_mb() -> float | None:
    """Return the most memory that this process ever held, MB; None where the system does not tell."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6, 1)


def _rate(frames: int, seconds: float) -> float:
    return round(frames / seconds, 1)


def _summed_up(times: list[float]) -> StageTime:
    p50, p95 = np.percentile(times, [50, 95])
    return StageTime(round(float(np.mean(times)), 2), round(float(p50), 2), round(float(p95), 2))
