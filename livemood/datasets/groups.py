"""Which pictures belong together (a clip, a person, a sequence), so that they stay in one split."""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from livemood.core.errors import DatasetError
from livemood.datasets.crop_index import INDEX, read_index
from livemood.datasets.dedup import Fingerprints, clusters, near_pairs
from livemood.datasets.files import Files
from livemood.datasets.picture_names import PictureNames
from livemood.datasets.samples import Collection, Sample

_SOURCE = "source"
_LAST_NUMBER = re.compile(r"[\s_.-]*\d+$", re.ASCII)
# With fewer runs of numbered names, they are not taken for sequences; nor is a run with a fifth of all pictures.
_FEWEST_RUNS, _LONGEST_RUN = 6, 0.2


def with_groups(collection: Collection, files: Files | None, above: str, group_by: str | None) -> Collection:
    """Return the collection with the group of every picture.

    Args:
        collection: Its own groups are kept if no others are given.
        files: May hold an ``index.csv``; None if there cannot be one.
        above: The folder in it that holds the pictures, such as ``faces/``.
        group_by: A column of ``index.csv``, or a regular expression whose first group (or whole match) in a picture's
            path names the group. None takes the column ``source`` of an existing index.

    Raises:
        DatasetError: The index lacks a column, or a row of it names several pictures or a picture a second time; the
            expression is invalid, or no picture has a group by it.
    """
    column = _SOURCE if group_by is None else group_by
    needed = ("file", _SOURCE) if group_by is None else ("file",)
    rows = read_index(files, above, needed) if files else []
    if rows and column in rows[0]:
        found = _by_index(collection.samples, [(row["file"], row[column]) for row in rows])
    elif group_by is None:
        return collection
    else:
        found = _by_pattern(collection.samples, group_by, bool(rows))
    samples = tuple(
        replace(sample, group=group or sample.group) for sample, group in zip(collection.samples, found, strict=True)
    )
    return replace(collection, samples=samples)


def _by_index(samples: Sequence[Sample], rows: Sequence[tuple[str, str]]) -> list[str]:
    """Return the group of each sample by the index's file and group; files may have moved to other folders since."""
    names = PictureNames([sample.file for sample in samples])
    named = [(names.by_path(file), file, group) for file, group in rows]
    in_place = {picture for picture, _, _ in named if picture}
    group_of: dict[str, str] = {}
    for here, file, group in named:
        picture = here or names.by_name(file, INDEX, in_place)
        if picture and group_of.setdefault(picture, group) != group:
            raise DatasetError(f"{INDEX} puts {picture} into {group_of[picture]} and {group}", "keep one of the rows")
    return [group_of.get(sample.file, "") for sample in samples]


def _by_pattern(samples: Sequence[Sample], pattern: str, has_index: bool) -> list[str]:
    try:
        expression = re.compile(pattern)
    except re.error as error:
        raise DatasetError(
            f"{pattern!r} is not a pattern ({error})", "give {group_by} a regular expression, or a column of index.csv"
        ) from error
    matches = [expression.search(sample.file) for sample in samples]
    if not any(matches):
        where = f"no column of {INDEX} and no part of any file's path" if has_index else "no part of any file's path"
        raise DatasetError(
            f"{pattern!r} is {where}",
            "give {group_by} a pattern that finds the group in names such as {0}",
            samples[0].file,
        )
    return ["" if match is None else match[(match.lastindex and 1) or 0] or "" for match in matches]


def joined(samples: Sequence[Sample], prints: Fingerprints) -> tuple[Sample, ...]:
    """Return the samples with merged groups: near-copies and frames of one sequence are in one group.

    Frames of a sequence often differ more than near-copies do. So if most runs of numbered names
    (``S010_004_00000017``) hold near-copies, each run is taken for a sequence and becomes one group.

    A group keeps its name, or else is named after its alphabetically first file, so that the order of reading does not
    matter, and few groups get another name when pictures are added.

    Args:
        samples: N pictures.
        prints: Their fingerprints, (N, 4) uint64.
    """
    by_group: dict[str, list[int]] = defaultdict(list)
    for place, sample in enumerate(samples):
        if sample.group:
            by_group[sample.group].append(place)
    pairs = [(one, other) for one, other in near_pairs(prints, prints).tolist() if one < other]
    together = (*by_group.values(), *_sequences(samples, pairs), *pairs)
    found = list(samples)
    for places in clusters(len(samples), together):
        given = {samples[place].group for place in places} - {""}
        name = min(given or {samples[place].file for place in places})
        for place in places:
            found[place] = replace(samples[place], group=name if given or len(places) > 1 else "")
    return tuple(found)


def kept_together(samples: Sequence[Sample]) -> int:
    """Return the number of pictures that are in one split with all others of their group."""
    homes, sizes = _homes(samples), Counter(sample.group for sample in samples)
    return sum(sizes[group] for group, splits in homes.items() if sizes[group] > 1 and len(splits) == 1)


def scattered(samples: Sequence[Sample]) -> tuple[int, int]:
    """Return the number of groups that have pictures in several splits, and that of all groups of several pictures."""
    homes, sizes = _homes(samples), Counter(sample.group for sample in samples)
    several = [splits for group, splits in homes.items() if sizes[group] > 1]
    return sum(len(splits) > 1 for splits in several), len(several)


def _homes(samples: Sequence[Sample]) -> dict[str, set[str | None]]:
    """Return the splits of each group."""
    found: dict[str, set[str | None]] = defaultdict(set)
    for sample in samples:
        if sample.group:
            found[sample.group].add(sample.split)
    return found


def _sequences(samples: Sequence[Sample], pairs: Sequence[tuple[int, int]]) -> list[list[int]]:
    """Return runs of names that differ in their last number only, if they are frames of sequences."""
    runs: dict[str, list[int]] = defaultdict(list)
    for place, sample in enumerate(samples):
        runs[_LAST_NUMBER.sub("", PurePosixPath(sample.file).with_suffix("").as_posix())].append(place)
    several = {name: places for name, places in runs.items() if len(places) > 1}
    run_of = {place: name for name, places in several.items() for place in places}
    alike = {run_of[one] for one, other in pairs if one in run_of and run_of[one] == run_of.get(other)}
    longest = max(map(len, several.values()), default=0)
    are_frames = 2 * len(alike) >= max(len(several), _FEWEST_RUNS) and longest <= _LONGEST_RUN * len(samples)
    return list(several.values()) if are_frames else []
