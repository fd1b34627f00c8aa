"""``livemood image``: moods in photos, as a table, rows, copies, sidecars, a gallery, or sorted into folders."""

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from livemood.cli.bars import counting_bar
from livemood.cli.options import Force, Json, Only, heads_of, opened, option_name, refuse_shared
from livemood.cli.photo_output import JsonList, json_of, phrase, print_summary, print_table
from livemood.cli.terminal import plain
from livemood.core.labels import EMOTION
from livemood.core.settings import DrawStyle, ReaderSettings, SortBy
from livemood.runtime import stopping
from livemood.runtime.processes import usable_cores

if TYPE_CHECKING:
    from livemood.apps.collection import CollectionJob, CollectionSummary
    from livemood.apps.photo import PhotoResult
    from livemood.apps.photo_reader import PhotoReader
    from livemood.records.inputs import Group, Heads
    from livemood.reporting.gallery import Gallery
    from livemood.sources.image.scan import Skipped

_INTERRUPTED = 130
_TABLE = 50  # up to this many photos a table is printed, above it a summary
_ERRORS = 10  # error lines that are printed
_SEVERAL = 100  # from this many photos on, several processes are used by default
_MOST_PROCESSES = 8


def image(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Photos, or folders of photos.")],
    style: Annotated[DrawStyle, Only("panel", "smile_kind")],
    reader: Annotated[ReaderSettings, Only("detector", "emotions", "engine", "model")],
    out: Annotated[Path | None, typer.Option("--out", help="Folder for annotated copies.")] = None,
    records: Annotated[
        Path | None,
        typer.Option("--records", "--csv", help="Write a row per face: .csv, .jsonl or .parquet; see --resume."),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue --records where an earlier run ended.")] = False,
    sort_into: Annotated[
        Path | None, typer.Option("--sort-into", help="Put each photo into a folder named after its emotion.")
    ] = None,
    copy: Annotated[bool, typer.Option("--copy", help="Sort by copying; the default.")] = False,
    move: Annotated[bool, typer.Option("--move", help="Sort by moving; livemood undo moves back.")] = False,
    link: Annotated[bool, typer.Option("--link", help="Sort by hard links, which take no space.")] = False,
    sort_by: Annotated[
        SortBy,
        typer.Option(
            "--sort-by",
            help="most: the emotion of most faces; largest: of the largest face; smile: as most, with happy/open and "
            "happy/closed.",
        ),
    ] = "most",
    xmp: Annotated[
        bool, typer.Option("--xmp", help="Write keywords and face regions into a sidecar beside each photo.")
    ] = False,
    gallery: Annotated[Path | None, typer.Option("--gallery", help="Write a page to look through: .html.")] = None,
    list_skipped: Annotated[
        Path | None, typer.Option("--list-skipped", help="Write a CSV of the files that were not read, and why.")
    ] = None,
    jobs: Annotated[
        int | None, typer.Option("--jobs", min=1, metavar="N", help="Processes; by default all cores for many photos.")
    ] = None,
    json_: Json = False,
    force: Force = False,
) -> None:
    """Read the mood of every face in photos.

    Examples:
      livemood image photo.jpg
      livemood image holiday/ --records moods.csv --gallery moods.html --jobs 4
      livemood image holiday/ --records moods.csv --resume
      livemood image holiday/ --sort-into sorted/ --link --emotions happy,sad
    """
    from livemood.apps.collection import CollectionJob, scan
    from livemood.apps.origins import origin_of_collection
    from livemood.apps.photo import PhotoOptions
    from livemood.runtime.atomic_io import refuse_file_as_folder, refuse_to_overwrite

    placing = _placing(copy, move, link)
    if resume and records is None:
        raise typer.BadParameter("there is no file to go on in; add --records", param_hint="--resume")
    if gallery and gallery.suffix.lower() not in (".html", ".htm"):
        raise typer.BadParameter(f"{gallery} is no page; let it end in .html", param_hint="--gallery")
    if list_skipped:
        refuse_to_overwrite(list_skipped, "list_skipped", force)
    for folder, setting in ((out, "out"), (sort_into, "sort_into")):
        if folder:
            refuse_file_as_folder(folder, setting)
    refuse_shared([("records", records), ("gallery", gallery), ("list_skipped", list_skipped)])
    found = scan(paths, (out, sort_into))
    several = usable_cores() if len(found.photos) >= _SEVERAL else 1
    heads = heads_of(reader)
    # Copies of photos that are not in the records yet are what the earlier run left.
    options = PhotoOptions(reader, replace(style, ids=False), gallery is not None, force or resume)
    job = CollectionJob(
        found.photos,
        options,
        jobs or min(several, _MOST_PROCESSES),
        out,
        records,
        sort_into,
        placing,
        sort_by,
        xmp,
        resume,
        force,
        origin_of_collection(reader) if records else None,
    )
    run = _Run(job, heads, gallery, json_)
    try:
        if job.processes > 1:
            run.read(None)  # each process opens the models itself
        else:
            from livemood.apps.photo_reader import PhotoReader

            with opened(reader) as session:
                run.read(lambda: PhotoReader(session, options))
    except KeyboardInterrupt:
        run.interrupted = True
    run.print_results(found.skipped)
    if list_skipped:
        _write_skipped(list_skipped, found.skipped, force)
    if run.interrupted:
        _say_interrupted(job, run.summary)
        raise typer.Exit(_INTERRUPTED)
    if run.failed:
        raise typer.Exit(1)


class _Run:
    """One run over photos: its progress, and its output at the end."""

    def __init__(self, job: "CollectionJob", heads: "Heads", gallery: Path | None, json_: bool) -> None:
        from livemood.apps.collection import CollectionSummary

        self._job, self._heads, self._page, self._json = job, heads, gallery, json_
        self.summary: CollectionSummary = CollectionSummary()
        self.interrupted = False
        self.failed = 0
        self._errors: list[str] = []
        self._table: list[Group] = []

    def read(self, open_reader: "Callable[[], PhotoReader] | None") -> None:
        """Read the photos; an interrupt ends the run and keeps the results so far."""
        from livemood.apps.collection import read_collection

        with ExitStack() as stack:
            stack.enter_context(stopping.held())  # what a photo leaves in table and page is counted
            page = None
            if self._page:
                from livemood.reporting.gallery import Gallery

                page = stack.enter_context(
                    Gallery(self._page, self._heads[EMOTION], force=self._job.force or self._job.resume)
                )

            def earlier(groups: "Iterator[Group]") -> None:
                bar.advance(_counted(groups, self.summary, page))

            bar = stack.enter_context(counting_bar(len(self._job.photos), "photos"))
            out = stack.enter_context(JsonList("images")) if self._json else None
            try:
                for result in read_collection(self._job, self._heads, phrase, earlier, open_reader):
                    self._take(result, page)
                    if out:
                        out.add(json_of(result))
                    bar.advance(1)
                    stopping.check()
            except KeyboardInterrupt:
                self.interrupted = True
            if page:
                page.write(f"Moods in {self.summary.photos} photos")

    def _take(self, result: "PhotoResult", page: "Gallery | None") -> None:
        error = phrase(result.error) if result.error else None
        group = result.group(error)
        self.summary.add(group)
        if page:
            page.add(group, result.thumbnail, result.fingerprint)
        if len(self._job.photos) <= _TABLE:
            self._table.append(group)
        if error:
            self.failed += 1
            if len(self._errors) < _ERRORS:
                self._errors.append(error)

    def print_results(self, skipped: "Sequence[Skipped]") -> None:
        """Print the results of the run."""
        if not self._json:
            print_table(self._table)
            if len(self._job.photos) > _TABLE:
                print_summary(self.summary)
            files = {"records": self._job.records, "gallery": self._page, "sorted into": self._job.sort_into}
            for name, path in files.items():
                if path and (name != "records" or len(self._job.photos) > _TABLE or self._job.resume):
                    print(f"{name}: {plain(path)}")
        for error in self._errors:
            print(f"livemood: {plain(error)}", file=sys.stderr)
        if self.failed > len(self._errors):
            more = self.failed - len(self._errors)
            where = f"; {plain(self._job.records)} has a row with each" if self._job.records else ""
            print(f"livemood: {more} more photos failed{where}", file=sys.stderr)
        counts = Counter((one.kind, one.why) for one in skipped if one.kind not in ("hidden file", "made by livemood"))
        for (kind, why), count in counts.most_common():
            print(f"livemood: note: {count} x {kind} passed over: {why}", file=sys.stderr)


def _counted(groups: "Iterator[Group]", summary: "CollectionSummary", page: "Gallery | None") -> int:
    """Count the photos of an earlier run, and add them to the page with new thumbnails."""
    from livemood.apps.photo_reader import thumbnail_of

    before = summary.earlier
    for group in groups:
        summary.add(group)
        summary.earlier += 1
        if page:
            page.add(group, *thumbnail_of(Path(group[0].path)))
    return summary.earlier - before


def _placing(copy: bool, move: bool, link: bool) -> Any:
    chosen = [name for name, wanted in (("copy", copy), ("move", move), ("link", link)) if wanted]
    if len(chosen) > 1:
        raise typer.BadParameter(f"choose one of {' and '.join(option_name(one) for one in chosen)}")
    return chosen[0] if chosen else "copy"


def _write_skipped(path: Path, skipped: "Sequence[Skipped]", force: bool) -> None:
    import csv

    from livemood.core.text_tables import NOT_UTF8
    from livemood.runtime.atomic_io import atomic_write

    with (
        atomic_write(path, "list_skipped", force) as part,
        part.open("w", newline="", encoding="utf-8", errors=NOT_UTF8) as stream,
    ):
        rows = csv.writer(stream, lineterminator="\n")
        rows.writerow(["path", "kind", "why"])
        rows.writerows([str(one.path), one.kind, one.why] for one in skipped)


def _say_interrupted(job: "CollectionJob", summary: "CollectionSummary") -> None:
    kept = ""
    if job.records and summary.photos:
        kept = f"; {plain(job.records)} has them, the same command with --resume goes on"
    print(f"livemood: {summary.photos} of {len(job.photos)} photos are done{kept}", file=sys.stderr)
