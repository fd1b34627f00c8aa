"""Copy every video below a folder with livemood, and compare what was read and written with ffprobe's output.

    python -m tests.tools.corpus FOLDER [--limit-s 60] [--jobs 1] [--out REPORT.csv]

For each file: how many frames came and when, beside those that ffprobe counts; how many packets of sound the copy has,
beside the source; profile and level of the copy; the notes. Moods are not read: pictures go from the source into the
copy as they are. A line for each file, ``DIFFERS`` and why where something does; exit code 1 if anything did.
Without ffprobe on the path only what livemood itself finds is printed.
"""

import argparse
import csv
import json
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av

from livemood.core.errors import LivemoodError
from livemood.sinks.video.writer import VideoSink
from livemood.sources.video.file import VideoSource

_ENDINGS = frozenset(
    [
        ".3gp",
        ".asf",
        ".avi",
        ".dv",
        ".flv",
        ".gif",
        ".h264",
        ".hevc",
        ".ivf",
        ".m2ts",
        ".m2v",
        ".m4v",
        ".mj2",
        ".mkv",
        ".mov",
        ".mp4",
        ".mpeg",
        ".mpg",
        ".mts",
        ".mxf",
        ".nut",
        ".ogv",
        ".ts",
        ".vob",
        ".webm",
        ".wmv",
        ".y4m",
    ]
)
# H.264 levels beyond this are refused by phones and TVs.
_HIGHEST_LEVEL = 52
_TIME_SLACK_S = 0.002


@dataclass(slots=True)
class Found:
    """Results for one file."""

    path: Path
    frames: int = 0
    copied: int = 0
    times: list[float] = field(default_factory=list)
    sound: tuple[int, int] = (0, 0)
    level: int = 0
    error: str = ""
    notes: list[str] = field(default_factory=list)
    differs: list[str] = field(default_factory=list)


def looked_at(path: Path, limit_s: float) -> Found:
    """Read a file, copy it, and compare both with ffprobe's output."""
    found = Found(path)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "copy.mp4"
        try:
            with VideoSource(path, duration_s=limit_s) as source, VideoSink(out, source.info) as sink:
                for frame in source.frames():
                    found.times.append(frame.time_s)
                    sink.write(frame, (), frame.image)
            found.notes = [*source.warnings, *sink.warnings]
        except LivemoodError as error:
            found.error = str(error)
        except Exception as error:  # noqa: BLE001  # an unexpected exception is a result too
            found.differs.append(f"raises {type(error).__name__}: {error}")
        if out.exists():
            _look_at_copy(found, out)
    found.frames = len(found.times)
    if shutil.which("ffprobe"):
        _compare(found, limit_s)
    return found


def _look_at_copy(found: Found, out: Path) -> None:
    with av.open(str(out)) as copy:
        found.copied = sum(1 for _ in copy.decode(video=0))
        head = copy.streams.video[0].codec_context.extradata or b""
        found.level = head[3] if len(head) > 3 else 0
    found.sound = (_sound_packets(found.path), _sound_packets(out))


def _sound_packets(path: Path) -> int:
    with av.open(str(path)) as container:
        streams = container.streams.audio
        return sum(packet.size > 0 for packet in container.demux(*streams)) if streams else 0


def _compare(found: Found, limit_s: float) -> None:
    expected = [time for time in _probed(found.path) if time is None or time < limit_s]
    known = [time for time in expected if time is not None]
    if found.error:
        if expected:
            found.differs.append(f"refused, but ffprobe reads {len(expected)} frames")
        return
    if len(expected) != found.frames:
        found.differs.append(f"{found.frames} frames, ffprobe reads {len(expected)}")
    elif len(known) == found.frames:
        first = known[0] - found.times[0]
        off = max(abs(mine - (theirs - first)) for mine, theirs in zip(found.times, sorted(known), strict=True))
        if off > _TIME_SLACK_S:
            found.differs.append(f"times differ by up to {off:.3f} s")
    if found.copied != found.frames:
        found.differs.append(f"the copy has {found.copied} frames of {found.frames}")
    if found.sound[0] and not found.sound[1]:
        found.differs.append("the copy has no sound")
    if found.level > _HIGHEST_LEVEL:
        found.differs.append(f"the copy has level {found.level / 10}")


def _probed(path: Path) -> list[float | None]:
    """Return ffprobe's time of each frame, s."""
    words = ["ffprobe", "-v", "error", "-select_streams", "V:0", "-show_entries", "frame=best_effort_timestamp_time"]
    done = subprocess.run([*words, "-of", "json", str(path)], capture_output=True, text=True, check=False)
    frames: list[dict[str, Any]] = json.loads(done.stdout or "{}").get("frames", [])
    times = [frame.get("best_effort_timestamp_time", "N/A") for frame in frames]
    return [None if time == "N/A" else float(time) for time in times]


def main() -> int:
    """Check every file and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--limit-s", type=float, default=60, help="of each file")
    parser.add_argument("--jobs", type=int, default=1, help="files at the same time")
    parser.add_argument("--out", type=Path, help="CSV with a row for each file")
    args = parser.parse_args()
    paths = sorted(path for path in args.folder.rglob("*") if path.suffix.lower() in _ENDINGS and path.is_file())
    rows = []
    with ThreadPoolExecutor(args.jobs) as pool:
        for found in pool.map(lambda path: looked_at(path, args.limit_s), paths):
            verdict = f"DIFFERS: {'; '.join(found.differs)}" if found.differs else found.error or "same"
            print(f"{found.path}: {found.frames} frames, {verdict}", flush=True)
            for line in found.notes:
                print(f"    note: {line}")
            rows.append([found.path, found.frames, found.copied, *found.sound, found.level, verdict, *found.notes])
    if args.out:
        with args.out.open("w", newline="", encoding="utf-8", errors="surrogateescape") as file:
            lines = csv.writer(file)
            lines.writerow(["file", "frames", "copied", "sound packets", "copied", "level", "verdict", "notes"])
            lines.writerows(rows)
    wrong = sum(bool(str(row[6]).startswith("DIFFERS")) for row in rows)
    print(f"{len(rows)} files, {wrong} differ")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
