"""``livemood image``: moods in photos, as a table, rows, copies, sidecars, a gallery, or sorted into folders."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from livemood.cli.bars import Count, counting_bar
from livemood.cli.options import Force, Json, Only, heads_of, opened, option_name, refuse_idle, refuse_shared
from livemood.cli.photo_output import JsonList, json_of, phrase, print_photo_summary, print_photos
from livemood.cli.summary import note_skipped
from livemood.cli.terminal import INTERRUPTED, plain, tell
from livemood.core.counts import counted
from livemood.core.errors import SinkError
from livemood.core.labels import EMOTION
from livemood.core.settings import DrawStyle, ReaderSettings, SortBy
from livemood.runtime import stopping
from livemood.runtime.paths import is_there, real_path
from livemood.runtime.processes import usable_cores
from livemood.sources.image.formats import PICTURE_SUFFIXES

if TYPE_CHECKING:
    from livemood.apps.collection import CollectionJob
    from livemood.apps.photo import PhotoResult
    from livemood.apps.photo_reader import PhotoReader
    from livemood.records.inputs import Group, Heads
    from livemood.reporting.gallery import Gallery
    from livemood.sources.image.scan import Skipped

_TABLE = 50  # up to this many photos a table is printed, above it a summary
_ERRORS = 10  # error lines that are printed
_SEVERAL = 100  # from this many photos on, several processes are used by default
_MOST_PROCESSES = 8


def image(
    context: typer.Context,
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH...", readable=False, help="Photos, or folders of photos.")
    ],
    style: Annotated[DrawStyle, Only("panel", "smile_kind")],
    reader: Annotated[ReaderSettings, Only("detector", "emotions", "prior", "engine", "model")],
    out: Annotated[Path | None, typer.Option("--out", help="Folder for annotated copies.")] = None,
    records: Annotated[
        Path | None,
        typer.Option("--records", "--csv", help="Write a row per face: .jsonl, .csv or .parquet; see --resume."),
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
    gallery: Annotated[
        Path | None, typer.Option("--gallery", help="Write a page of all photos with filters: .html.")
    ] = None,
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
    from livemood.apps.collection import CollectionJob, no_pictures, scan
    from livemood.apps.origins import origin_of_collection
    from livemood.apps.photo import PhotoOptions
    from livemood.runtime.atomic_io import refuse_file_as_folder, refuse_other_suffix, refuse_to_overwrite
    from livemood.sinks.collection_records import holds_photos

    placing = _placing(copy, move, link)
    if sort_into is None:
        refuse_idle(context, ("copy", "move", "link", "sort_by"), "there is no folder to sort into; add --sort-into")
    if resume and records is None:
        raise typer.BadParameter("there is no file to continue; add --records", param_hint="--resume")
    if gallery:
        from livemood.reporting.page import PAGES

        refuse_other_suffix(gallery, "gallery", *PAGES)
    targets = _targets(records, gallery, list_skipped, sort_into)
    for folder, setting in ((out, "out"), (sort_into, "sort_into")):
        if folder:
            refuse_file_as_folder(folder, setting)
    found = scan(paths, (out, sort_into))
    _refuse_photos(targets, found.photos)
    if list_skipped and list_skipped.suffix.lower() in {*PICTURE_SUFFIXES, ".xmp"}:  # it might be an output too
        raise typer.BadParameter(f"{list_skipped} is named as a photo or a sidecar", param_hint="--list-skipped")
    resumed = resume and records is not None and holds_photos(records)
    replaced = force or resumed  # without photos in the records, no earlier run made what is there
    if list_skipped:
        refuse_to_overwrite(list_skipped, "list_skipped", replaced)
    if not found.photos and not resumed:
        if list_skipped:
            _write_skipped(list_skipped, found.skipped, replaced)
        raise no_pictures(paths, found.skipped)
    several = usable_cores() if len(found.photos) >= _SEVERAL else 1
    heads = heads_of(reader)
    options = PhotoOptions(reader, replace(style, ids=False), gallery is not None, replaced)
    job = CollectionJob(
        found.photos,
        options,
        processes=jobs or min(several, _MOST_PROCESSES),
        copies=out,
        records=records,
        sort_into=sort_into,
        how=placing,
        by=sort_by,
        xmp=xmp,
        resume=resume,
        force=force,
        origin=origin_of_collection(reader) if records else None,
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
        _write_skipped(list_skipped, found.skipped, replaced)
    if run.interrupted:
        run.say_interrupted()
        raise typer.Exit(INTERRUPTED)
    if run.summary.failed:
        raise typer.Exit(1)


class _Run:
    """One run over photos: its progress, and its output at the end."""

    def __init__(self, job: "CollectionJob", heads: "Heads", gallery: Path | None, json_: bool) -> None:
        from livemood.apps.collection import CollectionSummary

        self._job, self._heads, self._page, self._json = job, heads, gallery, json_
        self.summary: CollectionSummary = CollectionSummary()
        self.interrupted = False
        self._written: Path | None = None  # the page
        self._sorted = False
        self._total = len(job.photos)
        self._failed = 0
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

                page = stack.enter_context(Gallery(self._page, self._heads[EMOTION], force=self._job.options.force))

            def earlier(photos: "Iterator[tuple[Group, Path]]") -> None:
                self._count_earlier(photos, page, bar)

            bar = stack.enter_context(counting_bar(self._total, "photos"))
            out = stack.enter_context(JsonList("images")) if self._json else None
            results = stack.enter_context(
                closing(read_collection(self._job, self._heads, phrase, earlier, open_reader))
            )
            try:
                for result in results:
                    self._take(result, page)
                    if out:
                        out.add(json_of(result))
                    bar.advance(1)
                    stopping.check()
            except KeyboardInterrupt:
                self.interrupted = True
            if page and page.count == self.summary.photos:
                page.write(f"Moods in {self.summary.photos} photos")
                self._written = self._page

    def _count_earlier(self, photos: "Iterator[tuple[Group, Path]]", page: "Gallery | None", bar: Count) -> None:
        """Count the photos of an earlier run, and add them to the page with new thumbnails.

        After an interrupt, those left are counted only, which takes little time.
        """
        from livemood.apps.photo_reader import thumbnail_of

        listed = set(map(str, self._job.photos))
        for group, place in photos:
            self.summary.add(group)
            self.summary.earlier += 1
            if group[0].path not in listed:  # it was moved
                self._total += 1
                bar.expect(self._total)
            if page and not self.interrupted:
                page.add(group, *thumbnail_of(place), place)
            bar.advance(1)
            try:
                stopping.check()
            except KeyboardInterrupt:
                self.interrupted = True
        if self.interrupted:
            raise KeyboardInterrupt

    def _take(self, result: "PhotoResult", page: "Gallery | None") -> None:
        error = phrase(result.error) if result.error else None
        group = result.group(error)
        self.summary.add(group)
        self._sorted = self._sorted or result.place is not None
        if page:
            page.add(group, result.thumbnail, result.fingerprint, result.place)
        if self._total <= _TABLE:
            self._table.append(group)
        if error:
            self._failed += 1
            if len(self._errors) < _ERRORS:
                self._errors.append(error)

    def print_results(self, skipped: "Sequence[Skipped]") -> None:
        """Print the results of the run."""
        if not self._json:
            print_photos(self._table)
            if self._total > _TABLE:
                print_photo_summary(self.summary)
            sorted_into = self._job.sort_into if self._sorted else None
            files = {"records": self._job.records, "gallery": self._written, "sorted into": sorted_into}
            for name, path in files.items():
                if path and (name != "records" or self._total > _TABLE or self._job.resume):
                    print(f"{name}: {plain(path)}")
        for error in self._errors:
            tell(error)
        if more := self._failed - len(self._errors):
            where = f"; {self._job.records} has a row with each" if self._job.records else ""
            tell(f"{counted(more, 'more photo')} failed{where}")
        if before := self.summary.failed - self._failed:
            tell(f"{counted(before, 'photo')} failed before; {self._job.records} says why")
        note_skipped(skipped)

    def say_interrupted(self) -> None:
        """Print how far the run came, and how to go on."""
        kept = ""
        if self._job.records and self.summary.photos:
            kept = f"; {self._job.records} has them, run the same command with --resume to continue"
        tell(f"{self.summary.photos} of {self._total} photos are done{kept}")


def _placing(copy: bool, move: bool, link: bool) -> Any:
    chosen = [name for name, wanted in (("copy", copy), ("move", move), ("link", link)) if wanted]
    if len(chosen) > 1:
        raise typer.BadParameter(f"choose one of {' and '.join(option_name(one) for one in chosen)}")
    return chosen[0] if chosen else "copy"


def _targets(
    records: Path | None, gallery: Path | None, list_skipped: Path | None, sort_into: Path | None
) -> dict[Path, str]:
    """Return the resolved paths of the files to be written, with the setting of each; none may be of two settings."""
    from livemood.runtime.atomic_io import refuse_device
    from livemood.sinks.collection_records import files_of
    from livemood.sinks.sorted_folder import MANIFEST

    files = [("records", file) for file in (files_of(records) if records else ())]
    files += [(name, file) for name, file in (("gallery", gallery), ("list_skipped", list_skipped)) if file]
    files += [("sort_into", sort_into / MANIFEST)] if sort_into else []
    refuse_shared(files)
    for name, file in files:
        refuse_device(file, name)
    return {real_path(file): name for name, file in files}


def _refuse_photos(targets: "Mapping[Path, str]", photos: "Sequence[Path]") -> None:
    """Refuse to replace a photo that is to be read."""
    if any(map(is_there, targets)):
        for photo in photos:
            if setting := targets.get(real_path(photo)):
                raise SinkError(f"{photo} is one of the inputs", f"choose another {{{setting}}}")


def _write_skipped(path: Path, skipped: "Sequence[Skipped]", force: bool) -> None:
    from livemood.core.text_tables import NOT_UTF8, table_line
    from livemood.runtime.atomic_io import atomic_write

    with (
        atomic_write(path, "list_skipped", force) as part,
        part.open("w", newline="", encoding="utf-8", errors=NOT_UTF8) as stream,
    ):
        stream.write(table_line(["path", "kind", "why"]))
        stream.writelines(table_line([one.path, one.kind, one.why]) for one in skipped)
