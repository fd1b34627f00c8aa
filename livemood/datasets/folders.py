"""One folder per class, with or without ``train/ valid/ test/`` above: the layout people make by hand."""

from collections import Counter
from pathlib import PurePosixPath

from livemood.bundles.manifest import MAX_LABEL, is_label
from livemood.core.errors import DatasetError
from livemood.core.labels import EMOTION, EMOTIONS
from livemood.datasets.crop_index import INDEX, read_index
from livemood.datasets.files import Files, decode
from livemood.datasets.head_labels import HEADS
from livemood.datasets.samples import Collection, Sample, SplitName
from livemood.sources.image.formats import PICTURE_SUFFIXES

_FEWEST = 4
# In lower case; people also write Train and TEST.
_SPLIT_FOLDERS: dict[str, SplitName] = {
    **{"train": "train", "training": "train"},
    **{"valid": "valid", "validation": "valid", "val": "valid"},
    **{"test": "test", "testing": "test"},
}


def from_folders(files: Files) -> Collection:
    """Read classes from folder names.

    Raises:
        DatasetError: Fewer than two classes, an empty class folder, a class with hardly any picture, or an index.csv
            with other columns than ``livemood crop`` writes.
    """
    found: list[tuple[str, SplitName | None, str]] = []
    skipped = []
    for name in files.names:
        parts = PurePosixPath(name).parts
        if PurePosixPath(name).suffix.lower() not in PICTURE_SUFFIXES:
            if parts[-1] not in (INDEX, HEADS):
                skipped.append(f"{name}: not a picture")
        elif len(parts) < 2 or parts[-2].lower() in _SPLIT_FOLDERS:
            skipped.append(f"{name}: lies in no class folder")
        else:
            found.append((parts[-2], _SPLIT_FOLDERS.get(parts[-3].lower()) if len(parts) > 2 else None, name))
    _check(files, found)
    classes = {label for label, _, _ in found}
    order = {label: place for place, label in enumerate(EMOTIONS)}
    labels = tuple(sorted(classes, key=lambda label: (order.get(label, len(order)), label)))  # type: ignore[call-overload]
    above = _folder_above(files)
    groups = {PurePosixPath(row["file"]).name: row["source"] for row in read_index(files, above)}
    samples = (
        Sample(
            name.removeprefix(above),
            split,
            tuple(int(other == label) for other in labels),
            group=groups.get(PurePosixPath(name).name, ""),
        )
        for label, split, name in found
    )
    return Collection(
        {EMOTION: labels},
        tuple(samples),
        lambda sample: decode(files.read(above + sample.file)),
        tuple(skipped),
    )


def _check(files: Files, found: list[tuple[str, SplitName | None, str]]) -> None:
    full = {name.rpartition("/")[0] for _, _, name in found}
    inner = {folder.rpartition("/")[0] for folder in files.folders}
    for folder in files.folders:
        if folder not in full | inner and folder.rpartition("/")[2].lower() not in _SPLIT_FOLDERS:
            raise DatasetError(f"class folder {files.path / folder} holds no picture; put some in, or remove it")
    counts = Counter(label for label, _, _ in found)
    if odd := next((label for label in counts if not is_label(label)), None):
        raise DatasetError(
            f"class folder {odd[:MAX_LABEL]!r} cannot be a label; take a plain name of at most {MAX_LABEL} characters"
        )
    if len(counts) < 2:
        raise DatasetError(
            f"{files.path} holds {len(counts)} class folder(s) with pictures"
            f"{': ' + next(iter(counts)) if counts else ''}; expected two or more, such as happy/ sad/"
        )
    label, fewest = min(counts.items(), key=lambda item: item[1])
    if fewest < _FEWEST:
        raise DatasetError(
            f"class {label} has {fewest} picture(s), too few to learn and to check; "
            f"give each class at least {_FEWEST}, better 50"
        )


def _folder_above(files: Files) -> str:
    """Return the folder that was zipped, such as ``faces/``: pictures are called, and dealt out, as they were in it."""
    tops = {name.partition("/")[0] for name in files.names}
    top = tops.pop() if len(tops) == 1 and not files.path.is_dir() else ""
    return f"{top}/" if top and top.lower() not in _SPLIT_FOLDERS else ""
