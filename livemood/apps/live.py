"""The live loop: process, draw and show the newest frame of a source, and handle keys in between."""

import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Protocol

import cv2

from livemood.apps.inference_stride import InferenceStride
from livemood.apps.recorder import Recorder
from livemood.apps.session import Session
from livemood.apps.tally import Tally
from livemood.core.counts import counted
from livemood.core.errors import SinkError
from livemood.core.geometry import Box
from livemood.core.keys import KEYS, View
from livemood.core.settings import DrawStyle
from livemood.core.types import Frame, Image, Mood
from livemood.overlay.history_strip import HistoryStrips
from livemood.overlay.mirror import mirrored
from livemood.runtime.queues import read_newest
from livemood.sources.base import Source

# Poll interval for keys while no frame comes, and redraw interval of a paused picture, s.
_IDLE_S = 0.03
_REDRAW_S = 0.2
_METER_FRAMES = 30
_NOTICE_S = 3.0
_WHITE, _RED = (245, 245, 245), (48, 48, 230)


class Screen(Protocol):
    """The window interface of the loop; ``livemood.sinks.window.Window`` implements it."""

    @property
    def is_open(self) -> bool:
        """Whether the user has not closed it."""
        ...

    def show(self, image: Image) -> None:
        """Set the picture, (H, W, 3) uint8 BGR."""
        ...

    def key(self) -> str | None:
        """Display the picture and return the key that was pressed, if any."""
        ...

    def toggle_full_screen(self) -> None:
        """Fill the screen, or go back."""
        ...


class Live:
    """One live run.

    Args:
        session: Detector and model.
        source: Open source; closed at the end of the run.
        recorder: Entered; gets every frame that was read.
        screen: The window; without one the run lasts until the source ends, or for ``duration_s``.
        view: Initial view; keys change it.
        engine: Name for the status line.
        calibrate_s: Calibrate to resting faces at the start, for this long, s.
        duration_s: Stop after this time, s.
        on_trouble: Called with each new problem of the source.
        markers: Returns the names of events that other programs marked since its last call; never blocks.
        stride: Decides which frames to classify.

    Attributes:
        view: Current view.
        dropped: Number of frames that were captured and never read.
    """

    def __init__(
        self,
        session: Session,
        source: Source,
        recorder: Recorder,
        screen: Screen | None = None,
        *,
        view: View | None = None,
        engine: str = "",
        calibrate_s: float | None = None,
        duration_s: float | None = None,
        on_trouble: Callable[[str], None] = lambda _: None,
        markers: Callable[[], Sequence[str]] = tuple,
        stride: InferenceStride | None = None,
    ) -> None:
        self.view = view or View()
        self.dropped = 0
        self._session = session
        self._pipeline = session.pipeline()
        self._source, self._recorder, self._screen = source, recorder, screen
        self._engine, self._duration_s = engine, duration_s
        self._on_trouble, self._markers = on_trouble, markers
        self._tally, self._stride = Tally(), stride or InferenceStride()
        self._sparklines = HistoryStrips(session.labels)
        self._current: tuple[Frame, tuple[Mood, ...]] | None = None
        self._marked: Frame | None = None
        self._taken_at: deque[float] = deque(maxlen=_METER_FRAMES)
        self._drawn_at = 0.0
        self._notice, self._notice_until = "", 0.0
        self._trouble = ""
        self._quit = False
        if calibrate_s is not None:
            self._calibrate(calibrate_s)

    def run(self) -> Tally:
        """Run until the source ends, the user quits, or the time is over; return the counts.

        Raises:
            SourceError: The source was lost for good.
            SinkError: Something could not be written.
        """
        began, last = time.monotonic(), None
        with ExitStack() as stack:
            frames = stack.enter_context(read_newest(self._source.frames(), _IDLE_S))
            stack.callback(self._source.close)  # before waiting for the reader, so that it ends
            for frame in frames:
                taken = time.monotonic()
                self._watch_source()
                if frame is not None and not self.view.paused:
                    self._take(frame, taken)
                elif taken - self._drawn_at > _REDRAW_S:
                    self._show()
                if frame is not None:
                    self._mark_for_others(frame)
                self._handle_key()
                if frame is not None:
                    if last is None:
                        self.dropped = frame.index
                    elif not self.view.paused:
                        gap = frame.index - last.index
                        self.dropped += gap - 1
                        self._stride.note(time.monotonic() - taken, (frame.time_s - last.time_s) / gap)
                    last = frame
                if self._quit or (self._duration_s is not None and time.monotonic() - began >= self._duration_s):
                    break
        return self._tally

    def _take(self, frame: Frame, now: float) -> None:
        """Process, show and record one frame."""
        moods = self._pipeline.step(frame, self._stride.due())
        self._current = frame, moods
        self._taken_at.append(now)
        self._sparklines.add(moods, frame.time_s)
        self._show()
        self._recorder.put(frame, moods, self._style())
        self._tally.add(frame, moods)

    def _mark_for_others(self, frame: Frame) -> None:
        """Record what other programs marked, at the newest frame, also while the picture is paused."""
        for name in self._markers():
            self._recorder.mark(frame, name)
            self._marked = frame

    def _show(self) -> None:
        """Draw and show the current frame according to the view."""
        self._drawn_at = time.monotonic()
        if self._screen is None or self._current is None:
            return
        frame, moods = mirrored(*self._current) if self.view.mirror else self._current
        annotator = self._session.annotator(self._style())
        kept: list[Box] = []
        if self.view.sparklines:  # drawn first; labels and panels avoid them where possible
            under = frame.image.copy()
            kept = self._sparklines.draw(under)
            frame = replace(frame, image=under)
        image = annotator.draw(frame, moods, kept)
        if self._recorder.recording:
            _draw_red_dot(image)
        annotator.hud(image, self._lines(len(moods)))
        self._screen.show(image)

    def _style(self) -> DrawStyle:
        view = self.view
        return DrawStyle(view.ids, view.panel, view.blur, view.smile_kind)

    def _lines(self, faces: int) -> list[str]:
        """Return the status lines, the permanent one last."""
        lines = [f"{key}   {what}" for key, what in KEYS] if self.view.help else []
        if time.monotonic() < self._notice_until:
            lines.append(self._notice)
        if self._trouble:
            lines.append(self._trouble)
        if (left_s := self._pipeline.baseline.remaining_s) > 0:
            lines.append(f"calibrating: keep a resting face for {left_s:.0f} s")
        elif calibrated := self._pipeline.baseline.calibrated:
            lines.append(f"calibrated to {', '.join(f'#{i}' for i in sorted(calibrated))}")
        if self._stride.every > 1:
            lines.append(f"slow: moods are read on 1 of {self._stride.every} frames")
        fps = "paused" if self.view.paused else f"{self._fps():.0f} fps"
        count = counted(faces, "face")
        lines.append(f"{fps}   {count}   {self.dropped} dropped   {self._engine}".rstrip())
        return lines

    def _fps(self) -> float:
        times = self._taken_at
        return (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 else 0.0

    def _watch_source(self) -> None:
        trouble = self._source.trouble
        if trouble and trouble != self._trouble:
            self._on_trouble(trouble)
        self._trouble = trouble

    def _show_notice(self, notice: str) -> None:
        self._notice, self._notice_until = notice, time.monotonic() + _NOTICE_S

    def _handle_key(self) -> None:
        """Handle the pressed key, if any."""
        if self._screen is None:
            return
        key = self._screen.key()
        if key in ("q", "esc") or not self._screen.is_open:
            self._quit = True
        elif key == "f":
            self._screen.toggle_full_screen()
        elif key == "c":
            self._calibrate()
        elif key in ("r", "s", "e") and self._current is not None:
            try:
                self._keep(key, *self._current)
            except SinkError as error:
                self._show_notice(error.what)  # its remedy is for a setting, and no setting names this file
        elif key is not None and self.view.switch(key):
            self._show()

    def _calibrate(self, duration_s: float | None = None) -> None:
        baseline = self._pipeline.baseline
        if baseline.obstacle:
            self._show_notice(f"cannot calibrate: {baseline.obstacle}")
        elif baseline.calibrated or baseline.remaining_s:
            baseline.stop()
            self._show_notice("calibration off")
        else:
            baseline.begin(duration_s)

    def _keep(self, key: str, frame: Frame, moods: tuple[Mood, ...]) -> None:
        """Record, take a snapshot, or mark an event."""
        if key == "r" and self._recorder.recording:
            self._recorder.stop()
        elif key == "r":
            self._show_notice(f"recording {self._recorder.start()}")
        elif key == "s":
            self._show_notice(f"saved {self._recorder.snapshot(frame, moods, self._style())}")
        else:
            if self._marked and self._marked.index > frame.index:  # records are in order, also those of a pause
                frame = self._marked
            event = self._recorder.mark(frame)
            marked = f"event {event} marked at {frame.time_s:.1f} s"
            self._show_notice(marked if event else "no records to mark an event in")


def _draw_red_dot(image: Image) -> None:
    """Draw the sign of a running recording into the top left corner."""
    radius = max(4, round(min(image.shape[:2]) / 60))
    cv2.circle(image, (3 * radius, 3 * radius), radius + max(1, radius // 4), _WHITE, -1, cv2.LINE_AA)
    cv2.circle(image, (3 * radius, 3 * radius), radius, _RED, -1, cv2.LINE_AA)
