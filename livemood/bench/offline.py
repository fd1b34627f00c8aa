"""Speed of labelling a video, stage by stage, and lower bounds: decoding, encoding and detection alone."""

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
from livemood.pipeline import frame_detector
from livemood.runtime.queues import WriteBehind, read_ahead
from livemood.sinks.base import Sink
from livemood.sinks.open import Output
from livemood.sources.base import Source

T = TypeVar("T")
P = ParamSpec("P")

STAGES = ("decode", "detect", "track", "crop", "classify", "smooth", "draw", "encode")
_READING = STAGES[1:6]
# Labelled before anything is timed, because first calls are slow.
_WARM_UP_S = 0.2

# Reports the moment at which a new process has its first labelled picture; its exit is not timed.
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
    """Time of a stage per frame, ms: mean, median and 95th percentile."""

    mean_ms: float
    p50_ms: float
    p95_ms: float


@dataclass(frozen=True, slots=True)
class VideoFigures:
    """Figures of labelling a clip.

    Attributes:
        width: Of the clip, px.
        height: Of the clip, px.
        frames: In the clip.
        faces: Faces per frame, on average.
        stages: By name, in pipeline order, measured one after the other on one thread.
        fps: Frames per second from file to file, with all threads.
        decode_encode_fps: The same without detecting, classifying and drawing faces.
        decode_detect_fps: Decoding and detecting only.
        detect_classify_fps: The stages from detect to smooth only.
        search_classify_fps: Searching every whole frame and classifying its faces only: the bound without following
            faces from frame to frame.
        cpu_ms: CPU time of all threads per frame from file to file, ms.
        slowdown: Time from file to file over the time of the slowest of decode-and-encode, decode-and-detect and
            detect-to-smooth.
        search_slowdown: Time from file to file over the time of search-and-classify, or of decode-and-encode if that
            is slower.
        first_frame_s: Time from the start of a new process to its first labelled picture, s.
        peak_rss_mb: Peak memory of the run from file to file, with Python and models, MB; None if unknown.
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


def measure_video(session: Session, clip: Path, settings: ReaderSettings | None = None) -> VideoFigures:
    """Label a clip several times, in different ways, into a temporary folder.

    Args:
        session: Detector and model; stays open.
        clip: Video file.
        settings: Detector and model of the new process whose start is timed; by default the shipped ones.

    Raises:
        VideoUnreadable: The clip cannot be read.
    """
    with TemporaryDirectory() as folder:
        bench = _Bench(session, clip, Path(folder) / "labelled.mp4")
        first_frame_s = time_to_first_frame(clip, settings or ReaderSettings())
        bench.label(_WARM_UP_S)
        cpu_began = time.process_time()
        frames, faces, labelled_s = bench.label()
        cpu_s = time.process_time() - cpu_began
        memory = peak_rss_mb()
        copied_s = bench.copy()
        detected_s = bench.detect(frame_detector(session.detector, session.settings))
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
    """One clip and its output file."""

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
        """Search every whole frame; return the seconds without decoding."""
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
    """A ``StageTimer`` that records the time of each stage in each frame."""

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
        """End the current frame; a stage that was not called took no time."""
        for stage in STAGES:
            self.times[stage].append(self._frame[stage])
        self._frame.clear()


def time_to_first_frame(clip: Path, settings: ReaderSettings) -> float:
    """Return the seconds from the start of a new process to its first labelled picture."""
    words = str(clip), str(settings.model or ""), settings.detector, settings.engine
    began = time.perf_counter()
    with subprocess.Popen([sys.executable, "-c", _FIRST_FRAME, *words], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.read(1)
        return time.perf_counter() - began


def peak_rss_mb() -> float | None:
    """Return the peak memory of this process, MB; None if unknown."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6, 1)


def _rate(frames: int, elapsed_s: float) -> float:
    return round(frames / elapsed_s, 1)


def _summed_up(times: list[float]) -> StageTime:
    p50, p95 = np.percentile(times, [50, 95])
    return StageTime(round(float(np.mean(times)), 2), round(float(p50), 2), round(float(p95), 2))
