"""``livemood image``: moods in photos, as a table, annotated copies, or photos sorted into folders."""

import csv
import shutil
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from livemood.cli.options import Force, Json, Only, opened, option_name, print_json
from livemood.core.errors import ImageUnreadable, SinkError
from livemood.core.settings import DrawStyle, ReaderSettings

if TYPE_CHECKING:
    from livemood.apps.session import Session
    from livemood.core.types import Image, Mood


def image(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Photos, or folders of photos.")],
    style: Annotated[DrawStyle, Only("panel")],
    how: ReaderSettings,
    out: Annotated[Path | None, typer.Option("--out", help="Folder for annotated copies.")] = None,
    csv_: Annotated[Path | None, typer.Option("--csv", help="Write one row per face.")] = None,
    sort_into: Annotated[
        Path | None, typer.Option("--sort-into", help="Copy each photo into a folder named after its top emotion.")
    ] = None,
    json_: Json = False,
    force: Force = False,
) -> None:
    """Read the mood of every face in photos.

    [bold]Examples[/bold]

      livemood image photo.jpg
      livemood image holiday/ --out labeled/ --csv moods.csv
      livemood image holiday/ --sort-into sorted/ --emotions happy,sad
    """
    from livemood.runtime.atomic_io import refuse_to_overwrite
    from livemood.sources.image.decode import image_paths

    if csv_:
        refuse_to_overwrite(csv_, "csv", force)
    photos = image_paths(paths)
    with opened(how) as session:
        desk = _Desk(session, photos, out, sort_into, style, force)
        results = [desk.read(path) for path in photos]
    if csv_:
        _write_csv(csv_, results, session.labels, force)
    if json_:
        print_json({"images": results})
    else:
        _print_table(results)
    failed = [result["error"] for result in results if result["error"]]
    for error in failed:
        print(f"livemood: {error}", file=sys.stderr)
    if failed:
        raise typer.Exit(1)


class _Desk:
    """Reads one photo after another; what cannot be read or written is noted and does not stop the rest."""

    def __init__(
        self,
        session: "Session",
        photos: Sequence[Path],
        out: Path | None,
        sort_into: Path | None,
        style: DrawStyle,
        force: bool,
    ) -> None:
        self._session, self._out, self._sort_into, self._force = session, out, sort_into, force
        self._annotator = session.annotator(replace(style, ids=False))
        self._originals = {path.resolve() for path in photos}
        self._made: set[Path] = set()

    def read(self, path: Path) -> dict[str, Any]:
        from livemood.sources.image.decode import read_image

        try:
            image = read_image(path)
        except ImageUnreadable as error:
            return {"path": str(path), "width": None, "height": None, "faces": [], "error": error.line(option_name)}
        moods = self._session.read_photo(image)
        return {
            "path": str(path),
            "width": int(image.shape[1]),
            "height": int(image.shape[0]),
            "faces": [
                {
                    "box": [round(side, 1) for side in (m.box.left, m.box.top, m.box.right, m.box.bottom)],
                    "label": m.label,
                    "confidence": round(m.confidence, 4),
                    "scores": {name: round(p, 4) for name, p in m.scores.items()},
                    **{
                        name: {"label": head.label, "scores": {k: round(p, 4) for k, p in head.scores.items()}}
                        for name, head in m.others.items()
                    },
                }
                for m in moods
            ],
            "error": self._keep(path, image, moods),
        }

    def _keep(self, path: Path, image: "Image", moods: "Sequence[Mood]") -> str | None:
        """Write whatever is wanted of a photo, and return what went wrong."""
        try:
            if self._out:
                self._write_copy(self._place(self._out / path.name, "--out"), image, moods)
            if self._sort_into:
                # The largest face decides.
                name = max(moods[0].scores, key=moods[0].scores.__getitem__) if moods else "no-face"
                self._sort(path, self._place(self._sort_into / name / path.name, "--sort-into"))
        except SinkError as error:
            return error.line(option_name)
        return None

    def _place(self, target: Path, option: str) -> Path:
        """Return where a file goes: numbered if this run has made one of that name, and never onto a photo it reads."""
        place, count = target, 1
        while place in self._made:
            count += 1
            place = target.with_stem(f"{target.stem}-{count}")
        if place.resolve() in self._originals:
            raise SinkError(f"{place} is a photo to be read; choose another {option}")
        self._made.add(place)
        return place

    def _write_copy(self, target: Path, image: "Image", moods: "Sequence[Mood]") -> None:
        from livemood.core.types import Frame
        from livemood.runtime.atomic_io import refuse_to_overwrite
        from livemood.sinks.image import write_image

        refuse_to_overwrite(target, "out", self._force)
        write_image(target, self._annotator.draw(Frame(0, 0.0, image), moods))

    def _sort(self, path: Path, target: Path) -> None:
        from livemood.runtime.atomic_io import atomic_write

        with atomic_write(target, "sort_into", self._force) as part:
            shutil.copy2(path, part)


def _write_csv(path: Path, results: Sequence[dict[str, Any]], labels: tuple[str, ...], force: bool) -> None:
    from livemood.runtime.atomic_io import atomic_write

    header = ["path", "face", "left", "top", "right", "bottom", "label", "confidence", *labels]
    with (
        atomic_write(path, "csv", force) as part,
        part.open("w", newline="", encoding="utf-8", errors="surrogateescape") as stream,
    ):
        rows = csv.writer(stream)
        rows.writerow(header)
        for result in results:
            for number, face in enumerate(result["faces"], 1):
                scores = [face["scores"][name] for name in labels]
                rows.writerow([result["path"], number, *face["box"], face["label"], face["confidence"], *scores])


def _print_table(results: Sequence[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table("photo", "face", "label", "confidence", box=None, header_style="dim")
    for result in results:
        photo = escape(result["path"])
        if not result["faces"] and not result["error"]:
            table.add_row(photo, "-", "no face found", "")
        for number, face in enumerate(result["faces"], 1):
            table.add_row(photo, str(number), escape(face["label"]), f"{face['confidence']:.0%}")
    if table.row_count:
        Console().print(table)
