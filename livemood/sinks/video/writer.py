"""Annotated frames to a video file that keeps the source's times, sound, subtitles and chapters."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.container import OutputContainer

from livemood.core.errors import SinkError
from livemood.core.settings import Codec, EncodingSettings
from livemood.core.types import Frame, Image, Mood
from livemood.core.video_info import VideoInfo
from livemood.runtime.atomic_io import atomic_write, refuse_other_suffix, unwritable
from livemood.sinks.base import SinkContext
from livemood.sinks.file_sink import FileSink, live_file
from livemood.sinks.video.encoder import PictureEncoder, takes_options
from livemood.sinks.video.formats import ENCODERS, FORMATS, Encoder, Format
from livemood.sinks.video.stream_copy import StreamCopy

SUFFIXES = tuple(FORMATS)
"""Of the files that it writes."""
_SETTING = "out"
# Finer clocks make MP4's 32-bit durations overflow within minutes.
_FINEST_TICK, _FINE_TICK = Fraction(1, 10_000_000), Fraction(1, 1_000_000)

# Attempts in order: types of streams to copy, whether sound is copied without encoding, and what is then left out.
_ATTEMPTS: tuple[tuple[tuple[str, ...], bool, str], ...] = (
    (("audio", "subtitle"), True, ""),
    (("audio", "subtitle"), False, ""),
    (("audio",), True, "subtitles"),
    (("audio",), False, "subtitles"),
    (("subtitle",), True, "sound"),
    ((), True, "sound and subtitles"),
)


class VideoSink(FileSink):
    """Writes a video; a context manager.

    Each frame has the time and duration that it has in the source, within one unit of the container's clock. From a
    source with a file, sound, subtitles, chapters and tags are copied without encoding where the container can hold
    them. H.264 and H.265 need even sides: the last column or row of an odd picture is repeated. Colours are BT.709, and
    tagged so.

    The file appears under its name when it is complete. Leaving the context with an error removes it; leaving it by an
    interrupt (KeyboardInterrupt, SystemExit) finishes it with the frames so far. The recording of a live source is
    written under its own name from the start, so that little is lost if the process is killed, and is kept after an
    error too. A file without frames is removed.

    Args:
        path: Ends in .mp4, .mov, .mkv, .webm or .gif.
        info: Size and times of the frames to come, and the file to copy sound from.
        codec: By default H.264 (VP9 in .webm).
        crf: Constant-quality factor: lower values are better and larger; by default one suited to the codec.
        preset: Name of the encoder's speed preset; by default a fast one.
        strip_metadata: Copy no tags of the source, such as place and date, and no titles of chapters and tracks.
        force: Replace a file that is there.
        live: Whether frames come in real time; by default true if there is no file to copy sound from.

    Attributes:
        path: As given.
        warnings: One line for each thing that could not be preserved; complete after ``close``.

    Raises:
        SinkError: An unknown suffix, a codec that the container cannot hold, an invalid setting, a file that is there
            already, or a folder that cannot be written to.
    """

    needs_image = True

    def __init__(
        self,
        path: Path,
        info: VideoInfo,
        *,
        codec: Codec | None = None,
        crf: int | None = None,
        preset: str | None = None,
        strip_metadata: bool = False,
        force: bool = False,
        live: bool | None = None,
    ) -> None:
        super().__init__(path, info.path is None if live is None else live)
        self.warnings: list[str] = []
        self._info = info
        self._strip_metadata = strip_metadata
        self._kind, self._encoder = _chosen(path, codec)
        self._tick = self._kind.tick or (info.time_base if info.time_base >= _FINEST_TICK else _FINE_TICK)
        self._zero_s = None if self._live else info.start_s
        self._usual_gap = self._gap = max(round(1 / (info.average_rate * self._tick)), 1)
        self._written = self._left_out = 0
        self._failure: SinkError | None = None
        given = {"{codec}": codec, "{crf}": crf, "{preset}": preset}
        chosen = [setting for setting, value in given.items() if value is not None]
        self._remedy = f"try another {' or '.join(chosen) or '{out}'}"
        options = _options(self._encoder, crf, preset, self._live)
        with ExitStack() as stack:
            opened = live_file if self._live else atomic_write
            part = stack.enter_context(opened(path, _SETTING, force))
            with self._failures():
                self._begin(part, options, stack)
            self._open = stack.pop_all()
        if self._pictures.note:
            self.warnings.append(f"{path}: {self._pictures.note}")

    def write(self, frame: Frame, moods: Sequence[Mood], image: Image | None = None) -> None:
        """Write the picture of a frame.

        Args:
            frame: Gives the time; later than the one before.
            moods: Not used: they are in the picture.
            image: (height, width, 3) uint8 BGR, annotated, of the size given by ``info``.

        Raises:
            SinkError: The disk is full or gone.
            ValueError: A picture of another size, or the sink is closed.
        """
        self._begin_frame()
        if image is None or image.shape != (self._info.height, self._info.width, 3):
            got = "none" if image is None else image.shape
            raise ValueError(f"{self.path} takes pictures of {self._info.width} x {self._info.height} px, got {got}")
        if self._zero_s is None:
            self._zero_s = frame.time_s
        time = round((frame.time_s - self._zero_s) / float(self._tick))
        last = self._pictures.last
        if last is not None:
            if self._kind.least_ticks > max(time - last, 0):
                self._left_out += 1
                return
            time = max(time, last + 1)
            self._gap = min(time - last, self._usual_gap)  # a longer one: the frame in between may be missing
        self._written += 1
        with self._failures():
            if self._copied_streams:
                self._copied_streams.pump(time * self._tick)
            for packet in self._pictures.put(time, image):
                self._output.mux(packet)

    def _begin(self, part: Path, options: Mapping[str, str], opened: ExitStack) -> None:
        """Open the file and write its header, without subtitles or sound if the container refuses them.

        Args:
            part: The file.
            options: Of the encoder.
            opened: Is to close what this opens.
        """
        for wanted, copies_sound, left_out in _ATTEMPTS:
            with ExitStack() as stack:
                self._output = av.open(
                    f"file:{part}",
                    "w",
                    format=self._kind.muxer,
                    container_options=dict(self._kind.live_options if self._live else self._kind.options),
                )
                stack.callback(_close_quietly, self._output)
                try:
                    self._pictures = PictureEncoder(
                        self._output, self._info, self._kind, self._encoder, self._tick, options
                    )
                except av.FFmpegError as error:
                    raise SinkError(_refusal(self._encoder, self._info, options), self._remedy) from error
                self._copied_streams = None
                if self._info.path is not None:
                    self._copied_streams = StreamCopy(
                        self._info, self._output, self._kind, wanted, copies_sound, self._strip_metadata
                    )
                    stack.callback(self._copied_streams.close)
                try:
                    self._output.start_encoding()
                except ValueError:  # av.ArgumentError and its like
                    if not wanted:
                        raise
                    continue
                if left_out:
                    self.warnings.append(
                        f"{self._kind.name} refuses the {left_out} of {self._info.name or self._info.path}"
                    )
                opened.push(stack.pop_all())
                return

    def _finish(self, whole: bool) -> None:
        if self._closed:
            return
        self._closed = True
        if self._pictures.first is None:
            self.abandon()
            self.warnings.append(f"{self.path} was not written: no frame came")
            return
        try:
            with self._failures():
                self._write_rest(whole)
                self._output.close()
        except BaseException:
            if not self._live:
                self.abandon()
            raise
        finally:
            super()._finish(whole)

    def abandon(self) -> None:
        """Remove the file, whatever was written."""
        if self._live and self._pictures.first is None:
            self._drop_empty()
        super().abandon()

    def _drop_empty(self) -> None:
        """Remove a recording without a frame; FFmpeg crashes at the end of a fragmented MP4 that has no packet."""
        with suppress(SinkError), self._failures():
            for packet in self._pictures.put(0, np.zeros((self._info.height, self._info.width, 3), np.uint8)):
                self._output.mux(packet)
            for packet in self._pictures.finish(1):
                self._output.mux(packet)
        self.path.unlink(missing_ok=True)

    def _write_rest(self, whole: bool) -> None:
        end = max(self._end(whole), (self._pictures.last or 0) + self._kind.least_ticks)
        for packet in self._pictures.finish(end):
            self._output.mux(packet)
        if self._copied_streams:
            self._copied_streams.finish((self._pictures.first or 0) * self._tick, end * self._tick, whole)
            self.warnings += self._copied_streams.warnings
        if self._left_out:
            self.warnings.append(f"{self.path}: {self._left_out} frames came too fast for a GIF and were left out")

    def _end(self, whole: bool) -> int:
        """Return the end of the last picture, ticks: the source's own end if all its frames were written."""
        last = self._pictures.last or 0
        usual = last + self._gap
        if not whole or self._info.picture_end_s is None or self._zero_s is None:
            return usual
        end = round((self._info.picture_end_s - self._zero_s) / float(self._tick))
        all_came = self._written + self._left_out == self._info.frame_count
        return end if last < end and (all_came or end <= usual + self._gap) else usual

    @contextmanager
    def _failures(self) -> Iterator[None]:
        """Turn FFmpeg's errors into ``SinkError``; after a full disk, FFmpeg calls further writes invalid arguments."""
        try:
            yield
        except SinkError:
            raise
        except OSError as error:
            self._failure = self._failure or unwritable(self.path, _SETTING, error)
            raise self._failure from error
        except av.FFmpegError as error:
            what = f"{self.path} could not be written ({error.strerror})"
            self._failure = self._failure or SinkError(what, self._remedy)
            raise self._failure from error


def open_sink(target: str, context: SinkContext) -> VideoSink:
    """Open the labelled copy of a run."""
    return VideoSink(Path(target), context.info, **asdict(context.encoding), force=context.force, live=context.live)


def check_encoding(path: Path, encoding: EncodingSettings) -> None:
    """Refuse settings with which no video of any size could be written.

    Raises:
        SinkError: An unknown suffix, a codec that the container cannot hold, or a setting that the encoder refuses.
    """
    _, encoder = _chosen(path, encoding.codec)
    options = _options(encoder, encoding.crf, encoding.preset, live=False)
    if encoding.preset is not None and not takes_options(encoder, options):
        raise SinkError(f"{encoder.name} has no preset {encoding.preset}", "choose another {preset}, or leave it out")


def _chosen(path: Path, codec: Codec | None) -> tuple[Format, Encoder]:
    refuse_other_suffix(path, _SETTING, *FORMATS)
    kind = FORMATS[path.suffix.lower()]
    chosen = codec or kind.codecs[0]
    if chosen not in kind.codecs:
        raise SinkError(
            f"{kind.name} does not support {chosen}",
            "use {codec} {0}, or another ending than {1}",
            " or ".join(kind.codecs),
            path.suffix,
        )
    encoder = ENCODERS[chosen]
    if encoder.name not in av.codecs_available:
        raise SinkError(f"this build of PyAV has no {encoder.name}", "use another {codec} than {0}", chosen)
    return kind, encoder


def _options(encoder: Encoder, crf: int | None, preset: str | None, live: bool) -> dict[str, str]:
    if crf is not None and encoder.max_crf is None:
        raise SinkError(f"{encoder.name} has no crf, got {crf}", "leave {crf} out")
    if crf is not None and encoder.max_crf is not None and not 0 <= crf <= encoder.max_crf:
        raise SinkError(f"{encoder.name} has a crf from 0 to {encoder.max_crf}, got {crf}", "choose another {crf}")
    if preset is not None and encoder.preset is None:
        raise SinkError(f"{encoder.name} has no presets, got {preset}", "leave {preset} out")
    options = {**encoder.options, **(encoder.live_options if live else {})}
    crf = encoder.crf if crf is None else crf
    if crf is not None:
        options["crf"] = str(crf)
    speed = preset or options.get(encoder.preset_option, encoder.preset)
    if speed is not None:
        options[encoder.preset_option] = speed
    if preset is None and speed == encoder.preset:
        options.update(encoder.preset_options)
    return options


def _refusal(encoder: Encoder, info: VideoInfo, options: Mapping[str, str]) -> str:
    given = ", ".join(f"{name} {options[name]}" for name in ("crf", encoder.preset_option) if name in options)
    return f"{encoder.name} does not take {info.width} x {info.height} px with {given}"


def _close_quietly(output: OutputContainer) -> None:
    with suppress(av.FFmpegError, OSError):
        output.close()
