"""Where the files lie that are made of many videos."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from livemood.apps.video_job import VideoJob
from livemood.core.errors import LivemoodError
from livemood.reporting.page import PAGES
from livemood.runtime.paths import is_file, real_path
from livemood.sinks.open import STDOUT, Output, suffixes_of
from livemood.sources.video.scan import Clip

# Suffixes of the files of many videos, where only their folder is given.
_SUFFIXES: Final = {"records": ".csv", "subtitles": ".srt", "report": ".html"}


class PlanConflict(LivemoodError, ValueError):
    """What is asked for cannot be made of many videos.

    Attributes:
        setting: The setting at fault.
    """

    def __init__(self, setting: str, what: str, remedy: str = "", *values: object) -> None:
        super().__init__(what, remedy, *values)
        self.setting = setting

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.setting, self.what, self._remedy, *self._values)


def spread(
    job: VideoJob, clips: Sequence[Clip], folders: Sequence[Path], out_dir: Path | None, summary: Path | None
) -> list[VideoJob]:
    """Spread one job over many videos: what is made of each is named after it, in the same folders again.

    Args:
        job: What to make of each; its outputs name a folder, or an ending such as ``.csv``.
        clips: The videos.
        folders: Those among the inputs, in which the videos were found.
        out_dir: Folder of the copies.
        summary: Table about all of them.

    Raises:
        PlanConflict: The outputs of two videos would be one file, one would replace an input or be read as a video by
            the next run, or an output is not for many videos.
    """
    taken: dict[Path, Path] = {summary.absolute(): summary} if summary else {}
    read = {real_path(clip.path) for clip in clips}
    tops = [real_path(folder) for folder in folders]
    found = []
    for clip in clips:
        outputs = [Output(output.name, str(_placed(output, clip.place, out_dir))) for output in job.outputs]
        if out_dir:
            outputs.insert(0, Output("out", str(out_dir / clip.place.with_suffix(".mp4"))))
        report = _placed(Output("report", str(job.report)), clip.place, out_dir) if job.report else None
        one = replace(job, source=clip.path, outputs=tuple(outputs), report=report)
        for file in one.files:
            if real_path(file) in read:
                raise PlanConflict("out_dir", f"{file} is one of the inputs", "use another folder")
            if (other := taken.setdefault(file.absolute(), clip.path)) != clip.path:
                raise PlanConflict("inputs", f"{clip.path} and {other} would both become {file}")
        if one.out and (top := _around(one.out, tops, out_dir)):
            raise PlanConflict("out_dir", f"{one.out} would lie among the videos of {top}", "use another folder")
        found.append(one)
    return found


def _around(copy: Path, tops: Sequence[Path], out_dir: Path | None) -> Path | None:
    """Return the folder of videos among which a copy would lie, to be read by the next run."""
    place, folder = real_path(copy), real_path(out_dir) if out_dir else None
    for top in tops:
        if top in place.parents and (folder is None or folder == top or folder in top.parents):
            return top
    return None


def _placed(output: Output, place: Path, out_dir: Path | None) -> Path:
    """Return where a file of one of many videos lies: beside its copy, or in a folder of its own kind."""
    target = Path(output.target)
    if output.target == STDOUT:
        raise PlanConflict(output.name, "many videos need files, not stdout", "give a folder")
    if target.name.startswith(".") and target.name != "..":
        folder, ending = target.parent, target.name
        if target.name == output.target:
            if out_dir is None:
                what = f"{ending} lies beside each copy, or in a folder given as DIR/{ending}"
                raise PlanConflict(output.name, what, "add {out_dir} or such a folder")
            folder = out_dir
        return folder / place.with_suffix(ending)
    if target.suffix.lower() in _known_suffixes() or is_file(target):
        raise PlanConflict(output.name, f"many videos need a folder, or an ending such as .csv, got {output.target}")
    if output.name not in _SUFFIXES:
        raise PlanConflict(output.name, f"{target} names no format", "end it in one, such as {0}", target / ".edl")
    return target / place.with_suffix(_SUFFIXES[output.name])


def _known_suffixes() -> frozenset[str]:
    """Return the suffixes by which a file is distinguished from a folder."""
    return frozenset(
        [*PAGES, *(suffix for kind in ("records", "subtitles", "markers") for suffix in suffixes_of(kind))]
    )
