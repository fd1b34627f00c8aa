"""Pictures of one group stay in one split, whether the groups are given or recognised."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from livemood.core.crop_spec import CROP
from livemood.core.errors import DatasetError
from livemood.datasets.dataset import Dataset
from livemood.datasets.files import Files
from livemood.datasets.groups import joined, with_groups
from livemood.datasets.load import load
from livemood.datasets.open import open_collection
from livemood.datasets.samples import Collection, Sample
from livemood.testing import ScriptedDetector
from tests.support.builders import write_faces


def cut(path: Path, work: Path, group_by: str | None = None) -> Dataset:
    return load(open_collection(path, group_by=group_by), CROP, ScriptedDetector(), work)


def homes(data: Dataset, group_of: Callable[[str], str]) -> dict[str, set[str]]:
    """Return in which splits each group has pictures."""
    found: dict[str, set[str]] = {}
    for name, split in data.splits.items():
        for file in split.files.tolist():
            found.setdefault(group_of(file), set()).add(name)
    return found


def write_sequences(folder: Path, people: int = 16, frames: int = 3, name: str = "S{:03}") -> Path:
    """Write pictures of a few frames of each person, one after another, as CK+ has them."""
    for label in ("happy", "sad"):
        (folder / label).mkdir(parents=True)
        for person in range(people):
            rng = np.random.default_rng((person, label == "sad"))
            face = cv2.GaussianBlur(rng.integers(0, 256, (60, 60, 3), np.uint8), (0, 0), 3)
            face = cv2.normalize(face, face, 0, 255, cv2.NORM_MINMAX)
            for frame in range(frames):
                # The last frame has moved too far to be recognised as a near-copy.
                moved = np.roll(face, 6, axis=1) if frame == frames - 1 else face
                worse = np.clip(moved + rng.normal(0, 0.5, face.shape) + 3 * frame, 0, 255).astype(np.uint8)
                cv2.imwrite(str(folder / label / f"{name.format(person)}_{frame:08}.png"), worse[:48, :48])
    return folder


def test_sequences_when_no_groups_are_given_then_they_are_recognised_and_kept_together(tmp_path):
    data = cut(write_sequences(tmp_path / "ck"), tmp_path / "work")
    assert all(len(splits) == 1 for splits in homes(data, lambda file: file.rpartition("_")[0]).values())
    assert data.near_copies == ()
    assert data.grouped == 96
    assert all(len(split) for split in data.splits.values())


def test_sequences_when_names_count_on_from_person_to_person_then_only_what_looks_alike_is_joined(tmp_path):
    folder = write_sequences(tmp_path / "ck")
    for label in ("happy", "sad"):
        for number, file in enumerate(sorted((folder / label).iterdir())):
            file.rename(folder / label / f"image-{number}.png")
    data = cut(folder, tmp_path / "work")
    assert data.grouped == 64
    numbers = {file: int(Path(file).stem.partition("-")[2]) for split in data.splits.values() for file in split.files}
    first_two = homes(data, lambda file: f"{file[:3]}{numbers[file] // 3}" if numbers[file] % 3 < 2 else file)
    assert all(len(splits) == 1 for splits in first_two.values())


def test_sequences_when_a_pattern_names_the_person_then_all_of_one_person_stay_together(tmp_path):
    data = cut(write_sequences(tmp_path / "ck"), tmp_path / "work", r"(S\d+)_")
    assert all(len(splits) == 1 for splits in homes(data, lambda file: Path(file).name[:4]).values())


def test_pictures_when_a_column_of_the_index_names_the_person_then_that_is_taken(tmp_path):
    folder = write_faces(tmp_path / "faces", 30)
    rows = [f"{file.name},p{int(file.stem[-1])}" for file in folder.rglob("*.png")]
    (folder / "index.csv").write_text("\n".join(["file,person", *rows]))
    data = cut(folder, tmp_path / "work", "person")
    assert all(len(splits) == 1 for splits in homes(data, lambda file: file[-5]).values())


@pytest.mark.parametrize("above", ["", "raw/"])
def test_pictures_when_names_repeat_in_class_folders_then_the_index_goes_by_path(tmp_path, above):
    # The index says where the pictures were; those of one class may have moved to another folder since.
    people = {
        f"{above}{label}/{n:02}.png": f"p{(n + place) % 9}" for place, label in enumerate("ab") for n in range(40)
    }
    samples = [Sample(f"{label}/{n:02}.png", None, (1,)) for label in "ab" for n in range(40)]
    (tmp_path / "index.csv").write_text("\n".join(["file,person", *(f"{f},{p}" for f, p in people.items())]))
    collection = Collection({"emotion": ("x",)}, tuple(samples), lambda sample: None)
    if above:
        with pytest.raises(
            DatasetError, match=r"index\.csv: 2 pictures are called 00\.png, such as a/00\.png and b/00"
        ):
            with_groups(collection, Files(tmp_path), "", "person")
    else:
        grouped = with_groups(collection, Files(tmp_path), "", "person")
        assert {sample.file: sample.group for sample in grouped.samples} == people


def test_pictures_when_moved_since_the_index_was_written_then_found_by_a_name_of_their_own(tmp_path):
    rows = ["happy/1.png,p1", "happy/2.png,p2", "sad/3.png,p3", "gone/3.png,p4", "4.png,p5"]
    (tmp_path / "index.csv").write_text("\n".join(["file,person", *rows]))
    files = ("sad/1.png", "happy/2.png", "sad/3.png", "sad/4.png")
    collection = Collection({"emotion": ("x",)}, tuple(Sample(file, None, (1,)) for file in files), lambda sample: None)
    grouped = with_groups(collection, Files(tmp_path), "", "person").samples
    assert [sample.group for sample in grouped] == ["p1", "p2", "p3", "p5"]
    (tmp_path / "index.csv").write_text("\n".join(["file,person", *rows, "4.png,p6"]))
    with pytest.raises(DatasetError, match=r"index\.csv puts sad/4\.png into p5 and p6; keep one of the rows"):
        with_groups(collection, Files(tmp_path), "", "person")


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (("train", "valid", "test"), "1 of 4 groups"),
        (("train", "test"), "1 of 3 groups"),
        (("train", "test", "dev"), "1 of 4 groups"),
    ],
)
def test_groups_when_the_data_gives_splits_then_those_that_lie_in_several_are_told(tmp_path, names, says):
    people: dict[str, str] = {}
    for place, name in enumerate(names):
        write_faces(tmp_path / "faces" / name, 12, first=20 * place)
        for file in (tmp_path / "faces" / name).rglob("*.png"):
            people[file.relative_to(tmp_path / "faces").as_posix()] = ("everywhere", name, "")[int(file.stem[-1]) % 3]
    rows = [f"{file},{person}" for file, person in people.items()]
    (tmp_path / "faces" / "index.csv").write_text("\n".join(["file,person", *rows]))
    data = cut(tmp_path / "faces", tmp_path / "work", "person")
    note = (
        f"the data gives splits, which stay as they are: {says} of pictures that belong together lie in more than one"
    )
    assert note in data.notes[-1]
    assert data.grouped <= sum(person != "everywhere" for person in people.values())
    assert (data.grouped > 0) == ("valid" not in names)
    found = homes(data, people.__getitem__)
    assert {person for person, splits in found.items() if len(splits) > 1} - {""} == {"everywhere"}


def test_groups_when_pictures_of_two_are_near_copies_then_all_of_both_are_one_group():
    people = ["anna", "anna", "bert", "bert", "carl"]
    samples = [Sample(f"{place}-{name}.png", None, (1,), name) for place, name in enumerate(people)]
    prints = np.random.default_rng(0).integers(0, 2**63, (5, 4), np.uint64)
    prints[2] = prints[1]  # of anna and of bert
    assert [sample.group for sample in joined(samples, prints)] == ["anna"] * 4 + ["carl"]


@pytest.mark.parametrize(
    ("group_by", "says"),
    [
        ("(S", r"'\(S' is not a pattern .*; give group_by a regular expression"),
        ("person", "'person' is no part of any file's path; .* in names such as happy/happy0.png"),
    ],
)
def test_group_by_when_it_groups_nothing_then_one_clear_line(tmp_path, group_by, says):
    with pytest.raises(DatasetError, match=says):
        open_collection(write_faces(tmp_path / "faces", 4), group_by=group_by)


def test_groups_when_pictures_are_read_in_another_order_then_dealt_out_alike(tmp_path):
    folder = write_sequences(tmp_path / "ck", people=12)
    collection = open_collection(folder)
    turned = type(collection)(collection.heads, collection.samples[::-1], collection.read)
    one, other = (load(c, CROP, ScriptedDetector(), tmp_path / n) for c, n in ((collection, "a"), (turned, "b")))
    for name, split in one.splits.items():
        assert set(split.files.tolist()) == set(other.splits[name].files.tolist())


def test_splits_when_given_then_near_copies_stay_where_they_are_and_are_told(tmp_path):
    for name, first in (("train", 0), ("valid", 40), ("test", 80)):
        write_faces(tmp_path / "faces" / name, 6, first=first)
    photo = cv2.GaussianBlur(np.random.default_rng(5).integers(0, 256, (96, 96, 3), np.uint8), (0, 0), 4)
    photo = cv2.convertScaleAbs(photo, alpha=4.0, beta=-380)
    cv2.imwrite(str(tmp_path / "faces/train/sad/photo.png"), photo)
    cv2.imwrite(str(tmp_path / "faces/test/sad/photo.jpg"), photo)
    data = cut(tmp_path / "faces", tmp_path / "work")
    assert data.near_copies == (("train/sad/photo.png", "test/sad/photo.jpg"),)
    assert data.grouped == 0
