"""A folder or zip of labelled pictures, in any layout that ``layouts`` recognises."""

from livemood.core.errors import DatasetError
from livemood.core.labels import EMOTION
from livemood.datasets.class_names import FEWEST, ClassNames, check_counts, in_order, usual
from livemood.datasets.files import Files, decode
from livemood.datasets.layouts import read_layout
from livemood.datasets.samples import Collection, Sample, split_of_folder


def from_folders(files: Files, names: ClassNames, fewest: int = FEWEST) -> Collection:
    """Read pictures and their labels.

    Args:
        files: A data set.
        names: How class names are mapped to labels.
        fewest: See ``check_counts``.

    Raises:
        DatasetError: Too few classes, a class with too few pictures, an empty folder named after an emotion, or class
            names that look misspelt or are numbers.
    """
    layout = read_layout(files)
    labels_of, label_notes = names.labels({picture.name for picture in layout.found}, layout.unread)
    _check_empty(files, {picture.file.rpartition("/")[0] for picture in layout.found}, set(labels_of.values()))
    labels = [labels_of[picture.name] for picture in layout.found]
    check_counts(labels, str(files.path), fewest, layout.unread)
    classes = in_order(labels)
    above = folder_above(files)
    samples = tuple(
        Sample(picture.file.removeprefix(above), picture.split, tuple(int(c == label) for c in classes), picture.group)
        for picture, label in zip(layout.found, labels, strict=True)
    )
    return Collection(
        {EMOTION: classes},
        samples,
        lambda sample: decode(files.read(above + sample.file)),
        layout.skipped,
        (*layout.notes, *layout.unread, *label_notes),
        fewest,
    )


def folder_above(files: Files) -> str:
    """Return the top folder of a zip, such as ``faces/``; it is not part of the pictures' names, as for a folder."""
    tops = {name.partition("/")[0] for name in files.names}
    top = tops.pop() if len(tops) == 1 and not files.path.is_dir() else ""
    return f"{top}/" if top and not split_of_folder(top) else ""


def _check_empty(files: Files, full: set[str], found: set[str]) -> None:
    """Raise if a folder without pictures is named after an emotion that no other has; others are listed as skipped."""
    for folder in files.folders:
        name = folder.rpartition("/")[2]
        inner = any(other.startswith(f"{folder}/") for other in files.folders)
        if folder not in full and not inner and (emotion := usual(name)) and emotion not in found:
            if why := files.closed.get(folder):
                raise DatasetError(
                    f"class folder {files.path / folder} was not searched: {why}", "copy it, or remove it"
                )
            raise DatasetError(f"class folder {files.path / folder} contains no picture", "put some in, or remove it")
