"""What ``livemood image`` prints: a table, a summary, or JSON."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from livemood.cli.options import console_for_tables, option_name
from livemood.cli.summary import shares_table
from livemood.cli.terminal import plain
from livemood.core.counts import counted
from livemood.core.errors import LivemoodError

if TYPE_CHECKING:
    from livemood.apps.collection import CollectionSummary
    from livemood.apps.photo import PhotoResult
    from livemood.records.inputs import Group


def phrase(error: LivemoodError) -> str:
    """Return an error in one line, with the names of options."""
    return " ".join(error.line(option_name).split())


def print_photos(groups: "Sequence[Group]") -> None:
    """Print a row for every face."""
    from rich.table import Table
    from rich.text import Text

    rows = []
    for entry, faces in groups:
        photo = plain(entry.path)
        if not faces and not entry.error:
            rows.append((photo, "-", "no face found", ""))
        for number, face in enumerate(faces, 1):
            label = f"{face.label} ({face.reason})" if face.reason else str(face.label)
            label += f" · {face.smile_kind} smile" if face.smile_kind else ""
            rows.append((photo, str(number), label, f"{face.confidence or 0.0:.0%}"))
    if not rows:
        return
    table = Table("photo", box=None, header_style="dim")
    for name in ("face", "label", "confidence"):
        table.add_column(name, no_wrap=True)
    # One row of cells of many lines takes a quarter of the time. On a narrow screen names are cut, not wrapped.
    cells = ("\n".join(column) for column in zip(*rows, strict=True))
    table.add_row(*(Text(cell, no_wrap=True, overflow="ellipsis") for cell in cells))
    console_for_tables().print(table)


def print_photo_summary(summary: "CollectionSummary") -> None:
    """Print counts, the share of each label, and the strongest faces."""
    from rich.markup import escape
    from rich.table import Table

    console = console_for_tables()
    earlier = f" ({summary.earlier} of them before)" if summary.earlier else ""
    console.print(
        f"{counted(summary.photos, 'photo')}{earlier}, {counted(summary.faces, 'face')}; "
        f"{summary.faceless} without a face, {summary.failed} failed",
        highlight=False,
    )
    if not summary.faces:
        return
    console.print(shares_table(summary.shares))
    if summary.strongest:
        table = Table("strongest", "label", "confidence", box=None, header_style="dim")
        for one in summary.strongest:
            table.add_row(escape(plain(one.path)), escape(one.label), f"{one.confidence:.0%}")
        console.print(table)


def json_of(result: "PhotoResult") -> dict[str, Any]:
    """Return a photo as ``--json`` shows it."""
    return {
        "path": str(result.path),
        "width": result.width,
        "height": result.height,
        "faces": [
            {
                "box": [round(side, 1) for side in (m.box.left, m.box.top, m.box.right, m.box.bottom)],
                "label": m.label,
                "reason": m.reason,
                "confidence": round(m.confidence, 4),
                "scores": {name: round(p, 4) for name, p in m.scores.items()},
                **{
                    name: {"label": head.label, "scores": {label: round(p, 4) for label, p in head.scores.items()}}
                    for name, head in m.others.items()
                },
            }
            for m in result.moods
        ],
        "error": phrase(result.error) if result.error else None,
    }


class JsonList:
    """Prints ``{NAME: [...]}`` on stdout item by item, in the format of ``json.dumps`` with an indent of two."""

    def __init__(self, name: str) -> None:
        self._name, self._count = name, 0

    def add(self, thing: dict[str, Any]) -> None:
        """Print one more item."""
        lines = json.dumps(thing, ensure_ascii=False, indent=2).splitlines()
        print(",\n" if self._count else f'{{\n  "{self._name}": [\n', end="")
        print("\n".join(f"    {line}" for line in lines), end="")
        self._count += 1

    def __enter__(self) -> "JsonList":
        return self

    def __exit__(self, *_: object) -> None:
        print("\n  ]\n}" if self._count else f'{{\n  "{self._name}": []\n}}', flush=True)
