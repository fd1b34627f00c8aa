"""The summary of a run, on stdout; notes on stderr."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from livemood.cli.options import console_for_tables, option_name, print_json
from livemood.cli.terminal import plain, tell
from livemood.core.counts import counted
from livemood.core.errors import LivemoodError

if TYPE_CHECKING:
    from rich.table import Table

    from livemood.apps.tally import Summary
    from livemood.apps.video_batch import Outcome
    from livemood.sources.image.scan import Skipped


_EXPECTED: Final = ("hidden file", "sidecar", "made by livemood")


def note(text: str) -> None:
    """Print one note on stderr."""
    tell(f"note: {text}")


def note_skipped(skipped: "Iterable[Skipped]") -> None:
    """Print how many files of folders were not read, and why; hidden ones, sidecars and livemood's own are left out."""
    counts = Counter((one.kind, one.why) for one in skipped if one.kind not in _EXPECTED)
    for (kind, why), count in counts.most_common():
        note(f"{count} x {kind} skipped: {why}")


def print_summary(summary: "Summary", files: Mapping[str, Path | None]) -> None:
    """Print the summary of a run, and the paths of its files."""
    console = console_for_tables()
    speed = summary.frames / summary.elapsed_s if summary.elapsed_s else 0.0
    frames, faces = counted(summary.frames, "frame"), counted(summary.faces, "face")
    people = counted(summary.tracks, "person", "people")
    console.print(
        f"{frames} in {summary.elapsed_s:.1f} s ({speed:.0f} fps), {faces} of {people}",
        highlight=False,
    )
    if summary.shares:
        console.print(shares_table(summary.shares))
    else:
        console.print("No face was found.")
    for name, path in files.items():
        if path:
            print(f"{name}: {plain(path)}")


def shares_table(shares: Mapping[str, float]) -> "Table":
    """Return the share of faces that each label has, as a table."""
    from rich.markup import escape
    from rich.table import Table

    table = Table("label", "share of faces", box=None, header_style="dim")
    for label, share in shares.items():
        table.add_row(escape(label), f"{share:6.1%}")
    return table


def line_about_many(error: LivemoodError) -> str:
    """Return the message of an error about one of many videos, whose copies are named by their folder."""
    return error.line(lambda setting: option_name("out_dir" if setting == "out" else setting))


def _files(outcome: "Outcome") -> dict[str, Path | None]:
    job = outcome.job
    files = {"out": job.out, "records": job.file("records"), "report": job.report}
    return {name: path if path in outcome.files else None for name, path in files.items()}


def print_outcomes(outcomes: Sequence["Outcome"], json_: bool) -> None:
    """Print the outcomes of many videos: a line each, or all as JSON."""
    if json_:
        files = [
            {
                "source": str(outcome.job.source),
                **{name: str(path) if path else None for name, path in _files(outcome).items()},
                "error": outcome.error and line_about_many(outcome.error),
                "skipped": outcome.summary is None and outcome.error is None,
                **(outcome.summary.to_json() if outcome.summary else {}),
            }
            for outcome in outcomes
        ]
        print_json({"files": files})
        return
    from rich.markup import escape
    from rich.table import Table

    table = Table("video", "frames", "faces", "people", "made", box=None, header_style="dim")
    for outcome in outcomes:
        made = next(iter(outcome.job.files), None)
        name, copy = escape(plain(outcome.job.source)), escape(plain(made or ""))
        if outcome.summary:
            counts = [str(n) for n in (outcome.summary.frames, outcome.summary.faces, outcome.summary.tracks)]
            table.add_row(name, *counts, copy)
        else:
            table.add_row(name, "", "", "", "failed" if outcome.error else f"{copy} (there already)")
    console_for_tables().print(table)
