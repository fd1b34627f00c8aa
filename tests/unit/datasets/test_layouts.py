"""Layouts of data sets: which labels are read, and the notes on files that are not."""

import re
import shutil
import unicodedata
from collections import Counter
from pathlib import Path

import cv2
import pytest

from livemood.core.errors import DatasetError
from livemood.core.labels import EMOTIONS
from livemood.datasets import files
from livemood.datasets.class_names import ClassNames, usual
from livemood.datasets.open import open_collection
from livemood.datasets.samples import FER2013_HEAD, SPLITS, Collection
from tests.support.builders import make_face_crop, write_faces


def write(folder: Path, *names: str) -> Path:
    """Write a picture under each name."""
    for number, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / name), make_face_crop("happy", number))
    return folder


def write_table(file: Path, numbers: range) -> None:
    """Write a table that calls pictures of a number happy and sad in turn."""
    file.write_text("".join(["file,label\n", *(f"{n}.jpg,{('happy', 'sad')[n % 2]}\n" for n in numbers)]))


def label_of(collection: Collection) -> dict[str, str]:
    return {Path(s.file).name: collection.labels[s.votes.index(1)] for s in collection.samples}


class TestRafDb:
    NAMES = [f"train_{n:05}" for n in range(1, 9)] + [f"test_{n:04}" for n in range(1, 9)]

    @pytest.mark.parametrize("zipped", [False, True])
    def test_read_when_the_list_lies_beside_the_pictures_then_labels_and_splits_are_its(self, tmp_path, zipped):
        folder = write(tmp_path / "basic", *(f"Image/aligned/{name}_aligned.jpg" for name in self.NAMES))
        write(folder, *(f"Image/original/{name}.jpg" for name in self.NAMES))
        (folder / "EmoLabel").mkdir()
        lines = [f"{name}.jpg {4 + place % 2}" for place, name in enumerate(self.NAMES)]
        (folder / "EmoLabel" / "list_patition_label.txt").write_text("\n".join(lines))
        path = Path(shutil.make_archive(str(folder), "zip", tmp_path, "basic")) if zipped else folder
        collection = open_collection(path)
        assert collection.labels == ("happy", "sad")
        assert Counter(sample.split for sample in collection.samples) == {"train": 8, "test": 8}
        assert label_of(collection)["train_00002_aligned.jpg"] == "sad"
        assert all("aligned" in sample.file for sample in collection.samples)
        assert collection.read(collection.samples[0]) is not None
        assert collection.notes[0] == "labels were read from RAF-DB's list"
        assert collection.skipped == ()

    def test_read_when_only_the_original_photos_are_there_then_the_list_labels_these(self, tmp_path):
        folder = write(tmp_path / "basic", *(f"Image/original/{name}.jpg" for name in self.NAMES))
        (folder / "label.txt").write_text("\n".join(f"{name}.jpg {4 + n % 2}" for n, name in enumerate(self.NAMES)))
        assert label_of(open_collection(folder)) == {
            f"{name}.jpg": ("happy", "sad")[n % 2] for n, name in enumerate(self.NAMES)
        }

    def test_read_when_another_text_file_is_called_after_labels_then_it_is_no_list_of_raf_db(self, tmp_path):
        folder = write_faces(tmp_path / "faces", 4)
        (folder / "labels.txt").write_bytes("glücklich, traurig\n".encode("latin-1"))
        collection = open_collection(folder)
        assert collection.labels == ("happy", "sad")
        assert collection.skipped == ("labels.txt: not a picture",)

    def test_read_when_folders_are_numbers_and_files_are_called_as_raf_db_s_then_its_classes(self, tmp_path):
        names = [f"{name.split('_')[0]}/{1 + n % 7}/{name}_aligned.jpg" for n, name in enumerate(self.NAMES * 4)]
        folder = write(tmp_path / "raf", *(n.replace("_aligned", f"{i}_aligned") for i, n in enumerate(names)))
        collection = open_collection(folder)
        assert set(collection.labels) == {"surprise", "fear", "disgust", "happy", "sad", "angry", "neutral"}
        assert {label_of(collection)[Path(name).name] for name in folder_names(folder, "1")} == {"surprise"}

    def test_read_when_folders_are_numbers_of_an_unknown_set_then_asks_and_shows_how_to_say_it(self, tmp_path):
        folder = write(tmp_path / "set", *(f"{kind}/{n}.png" for kind in "12" for n in range(4)))
        with pytest.raises(DatasetError, match=r"classes are numbers \(1, 2\).* in RAF-DB they are 1=surprise 2=fear"):
            open_collection(folder)
        named = open_collection(folder, names=ClassNames(renamed={"1": "happy", "2": "wink"}))
        assert named.labels == ("happy", "wink")

    @pytest.mark.parametrize(
        ("numbers", "sets"),
        [("1234567", ["RAF-DB", "AffectNet", "CK+"]), ("0123456", ["FER2013", "AffectNet", "CK+"]), ("89", [])],
    )
    def test_read_when_numbers_may_be_those_of_several_sets_then_each_is_shown(self, tmp_path, numbers, sets):
        folder = write(tmp_path / "set", *(f"{kind}/{kind}{n}.png" for kind in numbers for n in range(4)))
        with pytest.raises(DatasetError, match=r"rename them, or say what each number is") as caught:
            open_collection(folder)
        told = str(caught.value)
        assert [name for name in ("RAF-DB", "FER2013", "AffectNet", "CK+") if f"in {name} they are" in told] == sets
        assert ("7=contempt" in told) == ("7" in numbers)

    def test_read_when_folders_are_numbers_and_labels_lie_elsewhere_then_told_that_they_were_not_read(self, tmp_path):
        folder = write(
            tmp_path / "ck", *(f"images/S1/{kind}/{kind}_{n}.png" for kind in ("001", "002") for n in "1234")
        )
        (folder / "Emotion" / "S1").mkdir(parents=True)
        (folder / "Emotion" / "S1" / "001_4_emotion.txt").write_text("  3.0000000e+00")
        with pytest.raises(DatasetError, match=r"numbers \(001, 002\).*; Emotion/S1/001_4_emotion\.txt was not read"):
            open_collection(folder)

    def test_read_when_pandas_wrote_numbers_as_floats_then_asks_as_for_whole_ones(self, tmp_path):
        folder = write(tmp_path / "set", *(f"{n}.png" for n in range(8)))
        (folder / "labels.csv").write_text("file,label\n" + "".join(f"{n}.png,{3 + n % 2}.0\n" for n in range(8)))
        with pytest.raises(DatasetError, match=r"classes are numbers \(3\.0, 4\.0\).* are 3\.0=disgust 4\.0=happy"):
            open_collection(folder)
        assert open_collection(folder, names=ClassNames(renamed={"3.0": "fear", "4.0": "sad"})).labels == (
            "sad",
            "fear",
        )


def folder_names(folder: Path, name: str) -> list[str]:
    return [file.name for file in folder.rglob("*.jpg") if file.parent.name == name]


class TestTables:
    @pytest.mark.parametrize("columns", ["image,emotion", "Label;File name", "pic\tusage\tExpression"])
    def test_read_when_a_table_names_files_and_labels_then_taken(self, tmp_path, columns):
        folder = write(tmp_path / "set", *(f"images/{n}.jpg" for n in range(9)))
        separator = next(mark for mark in ",;\t" if mark in columns)
        names = columns.split(separator)
        cells = {"image": "{n}.jpg", "File name": "images/{n}.jpg", "pic": "{n}.jpg", "usage": "x"}
        rows = [
            separator.join(cells.get(name, "anger" if n % 2 else "HAPPINESS").format(n=n) for name in names)
            for n in range(8)
        ]
        (folder / "legend.csv").write_text("\n".join([columns, *rows]))
        collection = open_collection(folder)
        assert collection.labels == ("happy", "angry")
        assert label_of(collection) == {f"{n}.jpg": "angry" if n % 2 else "happy" for n in range(8)}
        assert "images/8.jpg: legend.csv does not name it" in collection.skipped
        assert "labels were read from legend.csv" in collection.notes

    def test_read_when_class_folders_say_it_then_a_table_is_not_read_and_that_is_told(self, tmp_path):
        folder = write_faces(tmp_path / "faces", 4)
        rows = [f"{file.name},happy" for file in folder.rglob("*.png")]
        (folder / "guesses.csv").write_text("\n".join(["file,label", *rows]))
        collection = open_collection(folder)
        assert label_of(collection)["sad0.png"] == "sad"
        assert "guesses.csv was not read: the class folders say what the pictures show" in collection.notes

    @pytest.mark.parametrize(
        ("row", "says"),
        [
            ("0.jpg,sad", r"legend\.csv line 10: 0\.jpg has the label happy above, here sad; keep one"),
            ("images/0.jpg,sad", r"legend\.csv line 10: images/0\.jpg has the label happy above, here sad"),
            (
                "two.jpg,sad",
                r"legend\.csv line 10: 2 pictures are called two\.jpg, such as images/a/two\.jpg and images/b",
            ),
        ],
    )
    def test_read_when_a_row_is_ambiguous_then_its_line_is_named(self, tmp_path, row, says):
        folder = write(tmp_path / "set", *(f"images/{n}.jpg" for n in range(8)), "images/a/two.jpg", "images/b/two.jpg")
        rows = [f"./images/{n}.jpg,{('happy', 'sad')[n % 2]}" for n in range(8)]
        (folder / "legend.csv").write_text("\n".join(["file,label", *rows, row]))
        with pytest.raises(DatasetError, match=says):
            open_collection(folder)
        (folder / "legend.csv").write_text("\n".join(["file,label", *rows, "0.jpg,Happiness"]))
        assert open_collection(folder).labels == ("happy", "sad")

    @pytest.mark.parametrize("name", ["/data/{n}.jpg", "{n}", "{n}.JPG"])
    def test_read_when_a_table_names_none_of_the_pictures_then_the_error_says_so(self, tmp_path, name):
        folder = write(tmp_path / "set", *(f"images/{n}.jpg" for n in range(8)))
        rows = [f"{name.format(n=n)},{('happy', 'sad')[n % 2]}" for n in range(8)]
        (folder / "truth.csv").write_text("\n".join(["file,label", *rows]))
        told = rf"its first file is '{name.format(n=0)}', a picture here 'images/0\.jpg'"
        with pytest.raises(DatasetError, match=rf"1 class: .*; truth\.csv was not read: it names none .* \({told}\)"):
            open_collection(folder)

    @pytest.mark.parametrize("cuts", [(8, 12, 14), (6, 10, 14), (4, 8, 12)])
    def test_read_when_each_split_has_a_table_then_all_are_read_and_say_the_splits(self, tmp_path, cuts):
        folder = write(tmp_path / "set", *(f"images/{n}.jpg" for n in range(14)))
        for name, first, last in zip(("train_labels", "val-labels", "test"), (0, *cuts), cuts, strict=False):
            write_table(folder / f"{name}.csv", range(first, last))
        collection = open_collection(folder)
        names = [f"{name}.csv" for name in ("train_labels", "val-labels", "test")]
        assert sorted(collection.notes[0].removeprefix("labels were read from ").split(", ")) == sorted(names)
        sizes = [last - first for first, last in zip((0, *cuts), cuts, strict=False)]
        assert Counter(sample.split for sample in collection.samples) == dict(zip(SPLITS, sizes, strict=True))
        assert len(collection.skipped) == 14 - cuts[-1]

    def test_read_when_the_only_table_is_that_of_train_then_splits_are_drawn(self, tmp_path):
        folder = write(tmp_path / "set", *(f"{n}.jpg" for n in range(8)))
        write_table(folder / "train.csv", range(8))
        assert {sample.split for sample in open_collection(folder).samples} == {None}

    def test_read_when_tables_name_the_same_pictures_then_one_is_read_and_the_other_told(self, tmp_path):
        folder = write(tmp_path / "set", *(f"{n}.jpg" for n in range(12)))
        write_table(folder / "all.csv", range(11))
        write_table(folder / "again.csv", range(4))
        collection = open_collection(folder)
        assert collection.notes == (
            "labels were read from all.csv",
            "again.csv was not read: labels were read from all.csv",
        )
        assert collection.skipped == ("again.csv: not a picture", "11.jpg: all.csv does not name it")

    @pytest.mark.parametrize("column", ["split", "Usage"])
    def test_read_when_a_column_says_the_split_then_taken(self, tmp_path, column):
        folder = write(tmp_path / "set", *(f"{n}.jpg" for n in range(8)))
        words = ("train", "Training", "val", "PrivateTest", "?", "train", "PublicTest", "test")
        rows = [f"{n}.jpg,{('happy', 'sad')[n % 2]},{word}" for n, word in enumerate(words)]
        (folder / "labels.csv").write_text("\n".join([f"file,label,{column}", *rows]))
        found = {sample.file: sample.split for sample in open_collection(folder).samples}
        splits = ("train", "train", "valid", "test", None, "train", "valid", "test")
        assert found == {f"{n}.jpg": split for n, split in enumerate(splits)}
        (folder / "labels.csv").write_text("\n".join([f"file,label,{column}", *rows, "0.jpg,happy,test"]))
        with pytest.raises(
            DatasetError, match=r"labels\.csv line 10: 0\.jpg is in train above, here in test; keep one"
        ):
            open_collection(folder)

    @pytest.mark.parametrize("column", ["pth", "subDirectory_filePath"])
    def test_read_when_a_table_has_the_end_of_the_paths_then_taken(self, tmp_path, column):
        folder = write(tmp_path / "set", *(f"images/all/{n % 2}/{n}.jpg" for n in range(8)), "images/all/3/0.jpg")
        rows = [f"{n % 2}/{n}.jpg,{('happy', 'sad')[n % 2]}" for n in range(8)]
        (folder / "lists").mkdir()
        (folder / "lists" / "labels.csv").write_text("\n".join([f"{column},expression", *rows]))
        collection = open_collection(folder)
        assert len(collection.samples) == 8
        assert "images/all/3/0.jpg: lists/labels.csv does not name it" in collection.skipped
        write(folder, "others/0/0.jpg")
        with pytest.raises(
            DatasetError, match=r"2 pictures are called 0/0\.jpg, such as images/all/0/0\.jpg and other"
        ):
            open_collection(folder)

    @pytest.mark.parametrize("zipped", [False, True])
    @pytest.mark.parametrize("pictures", [False, True])
    def test_read_when_a_table_in_the_data_holds_pixels_then_told_to_give_it_itself(self, tmp_path, zipped, pictures):
        folder = write_faces(tmp_path / "set", 4) if pictures else tmp_path / "set"
        folder.mkdir(exist_ok=True)
        (folder / "fer2013.csv").write_text("emotion, pixels, Usage\n" + "0,1 2 3 4,Training\n" * 3)
        path = Path(shutil.make_archive(str(folder), "zip", folder)) if zipped else folder
        here = "fer2013.csv unpacked" if zipped else f"{folder / 'fer2013.csv'}"
        told = f"fer2013.csv was not read: it holds pictures as pixels; to use it, give {here} in place of {path}"
        if pictures:
            assert told in open_collection(path).notes
        else:
            with pytest.raises(DatasetError, match=re.escape(told)):
                open_collection(path)

    def test_read_when_there_is_no_picture_then_no_file_is_taken_for_their_labels(self, tmp_path):
        (tmp_path / "manifest.json").write_text("{}")
        with pytest.raises(DatasetError, match=r"0 classes; [^;]* file,label$"):
            open_collection(tmp_path)

    @pytest.mark.parametrize("name", ["train.zip", "faces.tar.gz"])
    def test_read_when_the_data_holds_only_an_archive_then_told_to_unpack_it(self, tmp_path, name):
        (tmp_path / name).write_bytes(b"x")
        with pytest.raises(DatasetError, match=f"0 classes; .*; {name} was not read: it is an archive; unpack it"):
            open_collection(tmp_path)

    def test_read_when_a_table_of_pixels_is_larger_than_what_is_read_then_told_all_the_same(
        self, tmp_path, monkeypatch
    ):
        (tmp_path / "fer2013.csv").write_text("emotion,pixels,Usage\n" + "0,1 2 3 4,Training\n" * 3)
        monkeypatch.setattr(files, "MAX_FILE_BYTES", 16)
        with pytest.raises(DatasetError, match=r"fer2013\.csv was not read: it holds pictures as pixels"):
            open_collection(tmp_path)

    @pytest.mark.parametrize(
        ("names", "told"),
        [
            (["labels.txt", "a.txt"], "labels.txt"),
            (["label/label.lst"], "label/label.lst"),
            (["labels.json", "README.txt"], "labels.json"),
            (["Annotations/Annotations.mat"], "Annotations/Annotations.mat"),
            (["annotations/0_exp.npy", "annotations/1_exp.npy"], "annotations/0_exp.npy"),
            (["list.xlsx"], "list.xlsx"),
        ],
    )
    def test_read_when_only_a_file_that_is_no_table_has_labels_then_told_how_to_make_one(self, tmp_path, names, told):
        folder = write(tmp_path / "set", *(f"images/{n}.jpg" for n in range(8)))
        for name in names:
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(b"0.jpg happy\n")
        with pytest.raises(
            DatasetError, match=rf"1 class: images; .*; {told} was not read; to use it, save it as a .csv"
        ):
            open_collection(folder)
        (folder / "labels.csv").write_text("file,label\n" + "".join(f"{n}.jpg,{'ab'[n % 2]}\n" for n in range(8)))
        assert open_collection(folder).labels == ("a", "b")

    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("labels.txt", "0: happy\n1: sad\n"),
            ("l.csv", ""),
            ("l.tsv", "sep=;\nfile;label\nhappy0.png;happy\n"),
            ("l.csv", "x" * 200_000),
        ],
    )
    def test_read_when_a_label_file_is_not_understood_then_told_how_to_write_it_unless_folders_go_first(
        self, tmp_path, name, text
    ):
        folder = write_faces(tmp_path / "faces", 4)
        (folder / name).write_text(text)
        assert open_collection(folder).notes == (f"{name} was not read: the class folders say what the pictures show",)
        folder = write_faces(tmp_path / "own", 4, ("wink", "frown"))
        (folder / name).write_text(text)
        (note, _) = open_collection(folder).notes
        how = "save it as a .csv of file,label" if name == "labels.txt" else "name its columns file and label in its"
        assert note.startswith(f"{name} was not read; to use it, {how}")

    def test_read_when_a_pixel_table_has_no_splits_then_they_are_drawn_from_fer2013_s_numbers(self, tmp_path):
        pixels = " ".join(map(str, make_face_crop("sad", 1)[..., 0].ravel()))
        (tmp_path / "train.csv").write_text("pixels,emotion\n" + "".join(f"{pixels},{n % 7}\n" for n in range(21)))
        collection = open_collection(tmp_path / "train.csv")
        assert {sample.split for sample in collection.samples} == {None}
        first = [sample.others[FER2013_HEAD] for sample in collection.samples[:4]]
        assert first == ["angry", "disgust", "fear", "happy"]
        assert collection.read(collection.samples[3]) is not None

    def test_read_when_a_pixel_table_has_words_then_those_are_the_classes(self, tmp_path):
        pixels = " ".join(map(str, make_face_crop("sad", 1)[..., 0].ravel()))
        rows = [f"{word},{pixels}\n" for word in ("Anger", "wink") * 4]
        (tmp_path / "own.csv").write_text("emotion,pixels\n" + "".join(rows))
        assert open_collection(tmp_path / "own.csv").heads == {"emotion": ("angry", "wink")}

    @pytest.mark.parametrize(
        ("row", "says"),
        [
            ("7,1 2 3 4,Test", "expected an emotion 0..6 .* got '7'"),
            ("-1,1 2 3 4,Test", "expected an emotion 0..6 .* got '-1'"),
            ("3,1 2 3 4,My Test", "expected Training, PublicTest or PrivateTest, got 'My Test'"),
        ],
    )
    def test_read_when_a_cell_means_nothing_then_its_line_is_named(self, tmp_path, row, says):
        (tmp_path / "own.csv").write_text(f"\nemotion,pixels,Usage\n3,1 2 3 4,Test\n\n{row}\n")
        with pytest.raises(DatasetError, match=f"line 5: {says}"):
            open_collection(tmp_path / "own.csv")


class TestFileNames:
    @pytest.mark.parametrize(
        ("one", "other", "labels"),
        [
            ("anger_{n}.jpg", "smile_{n}_happiness.jpg", ("happy", "angry")),
            ("P{n}.AN1.39.tiff", "P{n}.HA1.40.tiff", ("angry", "happy")),
            ("AF0{n}ANS.png", "BM0{n}HAHL.png", ("happy", "angry")),
            ("AF0{n}/AF0{n}ANS.png", "BM0{n}/BM0{n}HAHL.png", ("happy", "angry")),
            ("train/angry-{n}.png", "test/Happy {n}.png", ("happy", "angry")),
        ],
    )
    def test_read_when_names_say_the_emotion_then_taken(self, tmp_path, one, other, labels):
        people = "ABCD"
        names = [pattern.format(n=person if "P{n}" in pattern else n + 1) for n, person in enumerate(people)
                 for pattern in (one, other)]  # fmt: skip
        collection = open_collection(write(tmp_path / "set", *names, "odd.png"))
        assert set(collection.labels) == set(labels)
        assert Counter(label_of(collection).values()) == {"happy": 4, "angry": 4}
        assert "odd.png: its name says no class" in collection.skipped
        assert "labels were read from the names of the files" in collection.notes

    def test_read_when_names_say_the_person_then_pictures_of_one_belong_together(self, tmp_path):
        people = ("KA", "YM", "KL", "MK")
        names = [f"{person}.{code}1.{n}.tiff" for n, person in enumerate(people) for code in ("AN", "HA")]
        collection = open_collection(write(tmp_path / "jaffe", *names))
        assert Counter(sample.group for sample in collection.samples) == {f"person {name}": 2 for name in people}


class TestClassFolders:
    @pytest.mark.parametrize(
        "form", ["{label}/S{person}/{n}.png", "S{person}/{label}/{n}.png", "{label}/a/S{person}/{n}.png"]
    )
    @pytest.mark.parametrize("top", ["", "Train/", "faces/test/"])
    def test_read_when_people_have_folders_too_then_classes_are_the_emotions(self, tmp_path, form, top):
        names = [
            top + form.format(label=label, person=n % 3, n=f"{label}{n}")
            for label in ("Happiness", "sad")
            for n in range(6)
        ]
        collection = open_collection(write(tmp_path / "faces", *names))
        assert Counter(label_of(collection).values()) == {"happy": 6, "sad": 6}
        split = {"Train/": "train", "faces/test/": "test"}.get(top)
        assert {sample.split for sample in collection.samples} == {split}

    def test_read_when_splits_lie_in_the_classes_then_both_are_read(self, tmp_path):
        names = [
            f"{label}/{split}/{n}.png" for label in ("happy", "sad") for split in ("train", "val") for n in range(4)
        ]
        collection = open_collection(write(tmp_path / "faces", *names))
        assert Counter(collection.labels[s.votes.index(1)] for s in collection.samples) == {"happy": 8, "sad": 8}
        assert Counter(sample.split for sample in collection.samples) == {"train": 8, "valid": 8}

    @pytest.mark.parametrize(
        ("train", "other", "split"),
        [
            ("Training", "PublicTest", "valid"),
            ("Training", "PrivateTest", "test"),
            ("train_set", "val_set", "valid"),
            ("Train_Aligned_Faces", "Val_Aligned_Faces_new", "valid"),
            ("train", "test_smiles", None),
            ("train", "train-test", None),
        ],
    )
    def test_read_when_splits_have_other_names_then_taken_where_these_say_nothing_else(
        self, tmp_path, train, other, split
    ):
        names = [f"{top}/{label}/{n}.png" for top in (train, other) for label in ("wink", "sad") for n in range(4)]
        collection = open_collection(write(tmp_path / "faces", *names))
        assert Counter(sample.split for sample in collection.samples) == {"train": 8, split: 8}

    def test_read_when_class_folders_repeat_the_folder_above_then_classes_are_the_emotions(self, tmp_path):
        names = [
            f"{who}/{who}_{word}/{who}_{word}_{n}.png"
            for who in ("aia", "joy_b")
            for word in ("anger", "joy")
            for n in (1, 2)
        ]
        collection = open_collection(write(tmp_path / "ferg", *names))
        assert Counter(label_of(collection).values()) == {"angry": 4, "happy": 4}
        assert label_of(collection)["joy_b_anger_1.png"] == "angry"

    def test_read_when_all_folders_lie_in_one_emotion_then_they_are_the_classes(self, tmp_path):
        names = [f"happy/{kind}/{n}.png" for kind in ("closed", "open") for n in range(4)]
        assert open_collection(write(tmp_path / "faces", *names)).labels == ("closed", "open")


class TestPassedOver:
    def test_read_when_folders_hold_no_picture_then_skipped_and_listed(self, tmp_path):
        folder = write_faces(tmp_path / "faces", 4)
        for name in ("__pycache__", "thumbnails", "happy/.ipynb_checkpoints", "notes"):
            (folder / name).mkdir()
        (folder / "__pycache__" / "a.pyc").write_bytes(b"x")
        shutil.copy(folder / "happy" / "happy0.png", folder / "thumbnails" / "small.png")
        collection = open_collection(folder)
        assert collection.labels == ("happy", "sad")
        assert collection.skipped == (
            "__pycache__/a.pyc: lies in __pycache__",
            "thumbnails/small.png: lies in thumbnails",
            "notes: an empty folder",
        )


class TestClassNames:
    @pytest.mark.parametrize(
        ("names", "labels"),
        [
            (("happiness", "Anger"), ("happy", "angry")),
            (("SADNESS", "surprised"), ("surprise", "sad")),
            (("wink", "Frown"), ("Frown", "wink")),
        ],
    )
    def test_read_when_folders_have_other_words_for_emotions_then_taken_and_told(self, tmp_path, names, labels):
        collection = open_collection(write_faces(tmp_path / "faces", 4, names))
        assert collection.labels == labels
        for name in names:
            if emotion := usual(name):
                assert f"{name} as {emotion}" in collection.notes[0]

    def test_read_when_names_differ_in_how_accents_are_stored_then_one_class(self, tmp_path):
        one, other = (unicodedata.normalize(form, "müde") for form in ("NFC", "NFD"))
        folder = write(tmp_path / "faces", *(f"{name}/{n}{name}.png" for name in (one, other, "sad") for n in range(4)))
        collection = open_collection(folder)
        assert collection.labels == ("sad", one)
        assert Counter(label_of(collection).values()) == {one: 8, "sad": 4}
        assert collection.notes == (f"new classes beside {', '.join(EMOTIONS)}: {one}",)
        assert open_collection(folder, names=ClassNames(("sad", other))).labels == ("sad", other)
        assert open_collection(folder, names=ClassNames(renamed={one: "happy"})).labels == ("happy", "sad")

    def test_read_when_two_folders_mean_the_same_then_one_class(self, tmp_path):
        write_faces(tmp_path / "faces", 4, ("Happy", "sad"))
        write(tmp_path / "faces", *(f"happy/more{n}.png" for n in range(4)))
        collection = open_collection(tmp_path / "faces")
        assert collection.labels == ("happy", "sad")
        assert Counter(label_of(collection).values()) == {"happy": 8, "sad": 4}

    @pytest.mark.parametrize(("slip", "meant"), [("suprise", "surprise"), ("hapy", "happy"), ("Angery", "angry")])
    def test_read_when_a_name_looks_like_a_slip_then_asked_about(self, tmp_path, slip, meant):
        folder = write_faces(tmp_path / "faces", 4, (slip, "fear"))
        with pytest.raises(DatasetError, match=f"class {slip} looks like {meant}; rename it, or .* {slip}={meant}, or"):
            open_collection(folder)
        for label in (meant, slip):
            assert label in open_collection(folder, names=ClassNames(renamed={slip: label})).labels

    def test_read_when_several_names_look_like_slips_then_all_are_asked_about(self, tmp_path):
        folder = write_faces(tmp_path / "faces", 4, ("suprise", "0_happy"))
        write(folder, *(f"Suprise/more{n}.png" for n in range(4)))
        with pytest.raises(
            DatasetError, match=r"classes 0_happy, Suprise, suprise look like happy, surprise; rename"
        ) as told:
            open_collection(folder)
        assert (
            "class: 0_happy=happy Suprise=surprise suprise=surprise, or 0_happy=0_happy for a class of its own"
            in str(told.value)
        )

    def test_read_when_several_classes_have_too_few_pictures_then_all_are_named(self, tmp_path):
        folder = write(tmp_path / "faces", "fear/a.png", "sad/a.png", "sad/b.png", *(f"happy/{n}.png" for n in "1234"))
        with pytest.raises(
            DatasetError, match=r"class fear has 1 picture, sad 2, too few .* at least 4, .* leave it out"
        ):
            open_collection(folder)

    def test_read_when_the_model_has_its_own_word_then_that_is_taken(self, tmp_path):
        folder = write_faces(tmp_path / "faces", 4, ("Happy", "angry"))
        known = ClassNames(("happiness", "anger", "wink"))
        assert set(open_collection(folder, names=known).labels) == {"happiness", "anger"}

    def test_read_when_classes_are_new_then_named(self, tmp_path):
        (note,) = open_collection(write_faces(tmp_path / "faces", 4, ("happy", "wink"))).notes
        assert note.startswith("new classes beside neutral, happy, ")
        assert note.endswith(": wink")

    def test_read_when_a_name_can_be_no_label_then_it_can_be_renamed_and_spaces_around_it_do_not_count(self, tmp_path):
        folder = write_faces(tmp_path / "faces", 4, ("what?", "wink "))
        with pytest.raises(DatasetError, match=r"class 'what\?' cannot be a label"):
            open_collection(folder)
        assert open_collection(folder, names=ClassNames(renamed={"what?": "surprise"})).labels == ("surprise", "wink")
        with pytest.raises(DatasetError, match=r"class 'why\?' cannot be a label"):
            open_collection(folder, names=ClassNames(renamed={"what?": "why?"}))

    def test_read_when_a_name_that_is_not_there_is_renamed_then_says_which_are(self, tmp_path):
        folder = write_faces(tmp_path / "faces", 4)
        with pytest.raises(DatasetError, match="no class is called joy; class takes names that are there: happy, sad"):
            open_collection(folder, names=ClassNames(renamed={"joy": "happy"}))
