"""``livemood markers``: records to markers for editing programs and annotation tools."""

from fractions import Fraction
from pathlib import Path
from typing import Annotated

import typer

from livemood.cli.options import Force, seconds
from livemood.cli.terminal import plain

_RATES = {"23.976": "24000/1001", "23.98": "24000/1001", "29.97": "30000/1001", "59.94": "60000/1001"}


def _rate(text: str) -> Fraction:
    try:
        rate = Fraction(_RATES.get(text, text))
    except (ValueError, ZeroDivisionError):
        rate = Fraction(0)
    if not 0 < rate <= 1000:
        raise typer.BadParameter(f"{text!r} is not a frame rate; write 25, 23.976 or 30000/1001")
    return rate


def markers(
    records: Annotated[
        Path,
        typer.Argument(metavar="RECORDS", readable=False, help=".jsonl, .csv or .parquet written by livemood."),
    ],
    out: Annotated[
        Path, typer.Option("--out", help="File to write: .edl, .csv, .fcpxml, .otio, .eaf, .TextGrid, .boris.")
    ],
    video: Annotated[
        Path | None, typer.Option("--video", help="The video of the records: its rate, timecode and name are used.")
    ] = None,
    fps: Annotated[
        Fraction | None, typer.Option("--fps", parser=_rate, metavar="RATE", help="Frames per second: 25, 29.97.")
    ] = None,
    timecode: Annotated[
        str | None,
        typer.Option("--timecode", metavar="TC", help="Timecode of the first frame: 01:00:00:00; 01:00:00;00."),
    ] = None,
    start: Annotated[
        float, typer.Option("--start", parser=seconds, metavar="TIME", help="Where a cut begins in the records.")
    ] = 0,
    force: Force = False,
) -> None:
    """Turn records into markers of label changes for an editing program, ELAN, Praat or BORIS.

    Examples:
      livemood markers moods.jsonl --out moods.edl --video clip.mov
      livemood markers moods.jsonl --out moods.eaf --video clip.mp4
      livemood markers moods.csv --out moods.TextGrid
      livemood markers moods.jsonl --out moods.edl --timecode 01:00:00:00
    """
    from livemood.apps.markers import write_markers

    write_markers(records, out, video=video, rate=fps, timecode=timecode, start_s=start, force=force)
    print(f"markers: {plain(out)}")
