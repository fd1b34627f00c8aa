"""Data sets of every kind: which are read or refused, and the split of each picture."""

import csv
import os
import shutil
import zipfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
import pytest

from livemood.core.crop_spec import CROP
from livemood.core.errors import DatasetError
from livemood.core.labels import EMOTION, EMOTIONS
from livemood.datasets.class_names import ClassNames
from livemood.datasets.dataset import Dataset, restore
from livemood.datasets.dedup import fingerprint, near_pairs
from livemood.datasets.groups import joined
from livemood.datasets.load import load
from livemood.datasets.open import open_collection
from livemood.datasets.samples import FER2013_HEAD, Sample
from livemood.datasets.split import ALIGNED, RAW
from livemood.datasets.splits import draw
from livemood.sources.image.decode import read_image
from livemood.testing import ScriptedDetector
from tests.support.builders import make_detection, make_face_crop, write_faces

VOTES = "neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"


def cut(path: Path, work: Path, votes: Path | None = None, **options) -> Dataset:
    return load(open_collection(path, votes), CROP, ScriptedDetector(), work, **options)


def write_ferplus(folder: Path, rows: dict[str, list[str]]) -> Path:
    """Write FER+ folders with a made picture for each row of votes."""
    for place, (split, lines) in enumerate(rows.items()):
        (folder / split).mkdir(parents=True)
        table = [f'{split}{n}.png,"(0, 0, 48, 48)",{votes}' for n, votes in enumerate(lines)]
        (folder / split / "label.csv").write_text("\n".join(table) + "\n")
        for n in range(len(lines)):
            cv2.imwrite(str(folder / split / f"{split}{n}.png"), make_face_crop("happy", 100 * place + n))
    return folder


def write_zip(folder: Path) -> Path:
    """Zip a folder with the folder itself inside, as archive programs do."""
    return Path(shutil.make_archive(str(folder), "zip", folder.parent, folder.name))


def write_csv(folder: Path, labels: list[int], usages: list[str]) -> Path:
    with (folder / "fer2013.csv").open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["emotion", "pixels", "Usage"])
        for n, (label, usage) in enumerate(zip(labels, usages, strict=True)):
            rows.writerow([label, " ".join(map(str, make_face_crop("sad", n)[..., 0].ravel())), usage])
    return folder / "fer2013.csv"


class TestFolders:
    def test_read_when_one_folder_per_class_then_our_order_and_stratified_splits(self, tmp_path):
        data = cut(write_faces(tmp_path / "faces", 20, ("sad", "happy")), tmp_path / "work")
        assert data.labels == ("happy", "sad")
        counts = {name: Counter(split.top_vote.tolist()) for name, split in data.splits.items()}
        assert sum(counts.values(), Counter()) == {0: 20, 1: 20}
        # A hash deals out each picture by itself, so the shares of so few are not exact.
        assert all(counts[name][label] >= 1 for name in counts for label in (0, 1))
        assert min(counts["train"].values()) >= 10

    def test_read_when_classes_are_ones_own_then_they_follow_in_alphabetical_order(self, tmp_path):
        assert open_collection(write_faces(tmp_path / "faces", 4, ("wink", "bored"))).labels == ("bored", "wink")

    @pytest.mark.parametrize(("train", "test"), [("train", "test"), ("Train", "TEST")])
    def test_read_when_splits_are_given_then_kept_and_valid_is_drawn_from_train_only(self, tmp_path, train, test):
        write_faces(tmp_path / "faces" / train, 12)
        write_faces(tmp_path / "faces" / test, 5, first=100)
        data = cut(tmp_path / "faces", tmp_path / "work")
        assert len(data.splits["train"]) + len(data.splits["valid"]) == 24
        assert len(data.splits["test"]) == 10
        assert set(data.splits["valid"].top_vote.tolist()) == {0, 1}
        assert all(file.startswith(f"{test}/") for file in data.splits["test"].files)
        assert all(file.startswith(f"{train}/") for file in data.splits["valid"].files)

    def test_read_when_a_zip_then_the_same_as_the_folder(self, tmp_path):
        folder = write_faces(tmp_path / "faces", 20)
        one, other = cut(folder, tmp_path / "a"), cut(write_zip(folder), tmp_path / "b")
        assert one.labels == other.labels
        for name, split in one.splits.items():
            assert other.splits[name].files.tolist() == split.files.tolist()
            assert (other.splits[name].crops(RAW) == split.crops(RAW)).all()

    @pytest.mark.parametrize("train", ["train", "Training"])
    def test_read_when_a_zip_holds_nothing_but_its_train_folder_then_dealt_out_as_the_folder(self, tmp_path, train):
        folder = write_faces(tmp_path / "faces" / train, 12).parent
        one, other = (draw(open_collection(path).samples) for path in (folder, write_zip(folder / train)))
        assert one == other
        assert {sample.split for sample in one} == {"train", "valid"}

    def test_read_when_files_are_no_pictures_then_skipped_and_listed_with_the_reason(self, tmp_path):
        folder = write_faces(tmp_path / "faces", 8)
        (folder / "happy" / "notes.txt").write_text("hello")
        (folder / "sad" / "broken.png").write_bytes(b"\x89PNG and no more")
        (folder / "happy" / ".DS_Store").write_bytes(b"hidden")
        data = cut(folder, tmp_path / "work")
        assert sorted(data.skipped) == [
            "happy/notes.txt: not a picture",
            "sad/broken.png: cannot be read as a picture",
        ]
        assert sum(map(len, data.splits.values())) == 16

    def test_read_when_a_picture_is_see_through_then_as_image_reads_it(self, tmp_path):
        folder = write_faces(tmp_path / "faces", 4)
        sticker = cv2.cvtColor(make_face_crop("happy", 0), cv2.COLOR_BGR2BGRA)
        sticker[:20, :, 3] = 0
        cv2.imwrite(str(folder / "happy" / "happy0.png"), sticker)
        collection = open_collection(folder)
        for sample in collection.samples:
            read = collection.read(sample)
            assert read is not None
            assert np.array_equal(read, read_image(folder / sample.file))

    def test_read_when_a_name_is_no_utf8_then_the_picture_is_taken_and_comes_back(self, tmp_path):
        folder = write_faces(tmp_path / "faces", 4)
        name = os.fsdecode(b"caf\xe9.png")
        (folder / "happy" / "happy0.png").rename(folder / "happy" / name)
        cut(folder, tmp_path / "work")
        files = {file for split in restore(tmp_path / "work").splits.values() for file in split.files.tolist()}
        assert f"happy/{name}" in files

    def test_read_when_a_class_folder_is_empty_then_named(self, tmp_path):
        (write_faces(tmp_path / "faces", 4) / "angry").mkdir()
        with pytest.raises(DatasetError, match=r"class folder .*angry contains no picture"):
            open_collection(tmp_path / "faces")

    def test_read_when_a_class_folder_is_a_link_then_told(self, tmp_path):
        write_faces(tmp_path / "elsewhere", 4, ("angry", "wink"))
        folder = write_faces(tmp_path / "faces", 4)
        (folder / "wink").symlink_to(tmp_path / "elsewhere" / "wink")
        assert open_collection(folder).skipped == ("wink: it is a link to a folder, which is not followed",)
        (folder / "angry").symlink_to(tmp_path / "elsewhere" / "angry")
        with pytest.raises(
            DatasetError, match=r"angry was not searched: it is a link to a folder, .*; copy it, or remove"
        ):
            open_collection(folder)

    @pytest.mark.parametrize("spoilt", ["class", "all"])
    def test_read_when_a_folder_may_not_be_read_then_told(self, tmp_path, monkeypatch, spoilt):
        folder = write_faces(tmp_path / "faces", 4)
        closed = {"class": folder / "sad", "all": folder}[spoilt]
        real = os.scandir

        def scandir(path):
            if Path(path) == closed:
                raise PermissionError(13, "Permission denied", str(path))
            return real(path)

        monkeypatch.setattr(os, "scandir", scandir)
        says = {"class": "sad was not searched: it cannot be read", "all": "faces cannot be read"}[spoilt]
        with pytest.raises(DatasetError, match=rf"{says} \(Permission denied\)"):
            open_collection(folder)

    def test_read_when_only_to_be_measured_then_one_class_of_one_picture_is_enough(self, tmp_path):
        folder = write_faces(tmp_path / "faces", 1)
        assert open_collection(folder, fewest=0).labels == ("happy", "sad")
        shutil.rmtree(folder / "sad")
        assert open_collection(folder, fewest=0).labels == ("happy",)
        shutil.rmtree(folder / "happy")
        with pytest.raises(DatasetError, match=r"faces has pictures of 0 classes; expected one or more"):
            open_collection(folder, fewest=0)

    def test_read_when_only_one_class_then_says_so(self, tmp_path):
        write_faces(tmp_path / "faces", 4)
        for file in (tmp_path / "faces" / "sad").iterdir():
            file.unlink()
        (tmp_path / "faces" / "sad").rmdir()
        with pytest.raises(DatasetError, match=r"faces has pictures of 1 class: happy; expected two or more"):
            open_collection(tmp_path / "faces")

    def test_read_when_one_picture_per_class_then_asks_for_more(self, tmp_path):
        with pytest.raises(DatasetError, match=r"has 1 picture, .*at least 4"):
            open_collection(write_faces(tmp_path / "faces", 1))

    @pytest.mark.parametrize(("name", "content"), [("missing", None), ("text.txt", "hello")])
    def test_read_when_path_is_nothing_known_then_one_clear_line(self, tmp_path, name, content):
        if content:
            (tmp_path / name).write_text(content)
        with pytest.raises(DatasetError, match=r"give a FER\+ folder, fer2013\.csv or one folder per class"):
            open_collection(tmp_path / name)

    @pytest.mark.parametrize("start", ["./", "faces//", "./faces/./"])
    def test_read_when_a_zip_has_names_with_needless_parts_then_they_are_left_out(self, tmp_path, start):
        folder = write_faces(tmp_path / "faces", 4)
        with zipfile.ZipFile(tmp_path / "faces.zip", "w") as archive:
            for file in folder.rglob("*.png"):
                archive.writestr(f"{start}{file.relative_to(folder).as_posix()}", file.read_bytes())
        collection = open_collection(tmp_path / "faces.zip")
        assert {sample.file for sample in collection.samples} == {s.file for s in open_collection(folder).samples}
        assert collection.read(collection.samples[0]) is not None

    @pytest.mark.parametrize(
        ("spoil", "says"),
        [("cut off", r"d\.zip is a damaged zip \("), ("encrypted", r"d\.zip is protected by a password; unpack it")],
    )
    def test_read_when_a_zip_cannot_be_opened_then_the_reason_is_told(self, tmp_path, spoil, says):
        path = tmp_path / "d.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("happy/0.png", b"x")
        data = bytearray(path.read_bytes())
        data[data.index(b"PK\x01\x02") + 8] |= spoil == "encrypted"
        path.write_bytes(data[: -30 if spoil == "cut off" else None])
        with pytest.raises(DatasetError, match=says):
            open_collection(path)

    def test_read_when_a_file_of_a_zip_has_no_name_then_it_is_left_out(self, tmp_path):
        path = tmp_path / "d.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for name in ("happy", "sad"):
                for number in range(4):
                    archive.writestr(f"{name}/{number}.png", b"x")
            archive.writestr("nameless", b"x")
        path.write_bytes(path.read_bytes().replace(b"nameless", b"\0ameless"))
        assert len(open_collection(path).samples) == 8

    @pytest.mark.parametrize("separator", [",", ";"])
    @pytest.mark.parametrize("zipped", [False, True])
    def test_read_when_index_names_sources_then_one_source_stays_in_one_split(self, tmp_path, separator, zipped):
        folder = write_faces(tmp_path / "faces", 30)
        lines = [f"file{separator}source"]
        lines += [f"{f.name}{separator}clip{int(f.stem[-1])}.mp4" for f in sorted(folder.rglob("*.png"))]
        (folder / "index.csv").write_text("\n".join(lines))
        data = cut(write_zip(folder) if zipped else folder, tmp_path / "work")
        homes = {name: {file[-5] for file in split.files} for name, split in data.splits.items()}
        assert all(homes.values())
        assert not (homes["train"] & homes["valid"] | homes["train"] & homes["test"] | homes["valid"] & homes["test"])

    @pytest.mark.parametrize("cells", ["happy/happy0.png", "happy/happy0.png,a.mp4,"])
    def test_read_when_a_row_of_the_index_has_other_cells_then_its_line_is_named(self, tmp_path, cells):
        folder = write_faces(tmp_path / "faces", 4)
        (folder / "index.csv").write_text(f"file,source\nsad/sad0.png,a.mp4\n\n{cells}\n")
        with pytest.raises(DatasetError, match=r"index\.csv in .*faces line 4: expected 2 cells, file, source, got "):
            open_collection(folder)

    @pytest.mark.parametrize("text", ["", "file,clip\nhappy0.png,a.mp4\n"])
    def test_read_when_index_names_no_sources_then_refused(self, tmp_path, text):
        folder = write_faces(tmp_path / "faces", 4)
        (folder / "index.csv").write_text(text)
        with pytest.raises(DatasetError, match=r"index\.csv in .*faces has no column .*source.* livemood crop wrote"):
            open_collection(folder)


class TestFurtherHeads:
    def write(self, folder: Path, *rows: str, columns: str = "file,head,label") -> Path:
        (write_faces(folder / "faces", 8) / "heads.csv").write_text("\n".join([columns, *rows]))
        return folder / "faces"

    def test_read_when_some_pictures_have_a_label_of_another_head_then_targets_by_head(self, tmp_path):
        rows = [f"happy{n}.png,smile,{'open' if n % 2 else 'closed'}" for n in range(8)]
        folder = self.write(tmp_path, *rows, "sad/sad0.png,smile,none")
        saved = cut(folder, tmp_path / "work")
        assert saved.skipped == ()
        for data in (saved, restore(tmp_path / "work")):
            assert data.heads == {EMOTION: ("happy", "sad"), "smile": ("closed", "none", "open")}
            for split in data.splits.values():
                emotions, smiles = split.targets[EMOTION], split.targets["smile"]
                for file, emotion, smile in zip(split.files, emotions, smiles, strict=True):
                    number, happy = int(Path(file).stem[-1]), "happy" in file
                    assert emotion.tolist() == [happy, not happy]
                    assert smile.tolist() == ([1 - number % 2, 0, number % 2] if happy else [0, number == 0, 0])

    def test_read_when_ferplus_pictures_have_a_label_of_another_head_then_it_joins_fer2013_s(self, tmp_path):
        folder = write_ferplus(tmp_path / "fer", {"FER2013Train": ["0,9,0,0,0,0,0,0,1,0"] * 2})
        rows = ["file,head,label", "FER2013Train0.png,smile,open", "FER2013Train/FER2013Train1.png,smile,closed"]
        (folder / "heads.csv").write_text("\n".join(rows))
        collection = open_collection(folder)
        assert list(collection.heads) == [EMOTION, FER2013_HEAD, "smile"]
        assert [sample.others for sample in collection.samples] == [{"smile": "open"}, {"smile": "closed"}]

    @pytest.mark.parametrize(
        ("rows", "says"),
        [
            (["happy0.png,emotion,x", "happy1.png,emotion,y"], "line 2: 'emotion' cannot be a head of its own"),
            (["happy0.png,a/b,x"], "line 2: 'a/b' cannot be a head of its own"),
            (["happy0.png,track,x"], "line 2: 'track' cannot be a head of its own.* nor the records use"),
            (["happy0.png,smile,a\tb"], "line 2: .* cannot be a label"),
            (["happy0.png,smile"], "line 2: expected file, head, label"),
            (["happy0.png,smile,open", "happy0.png,smile,closed"], r"line 3: happy0\.png has another label"),
            (
                ["happy0.png,smile,open", "happy/happy0.png,smile,closed"],
                r"line 3: happy/happy0\.png has another label",
            ),
            ([], r"heads\.csv in .*faces has no row below its header; add rows of file, head, label, or leave it out"),
            (["happy0.png,smile,open"], r"1 class of head smile; expected two or more"),
            (["other.png,smile,open", "more.png,smile,closed"], r"0 classes of head smile.* named as the pictures"),
        ],
    )
    def test_read_when_the_table_is_wrong_then_one_clear_line(self, tmp_path, rows, says):
        with pytest.raises(DatasetError, match=says):
            open_collection(self.write(tmp_path, *rows))

    def test_read_when_the_table_lies_elsewhere_then_it_is_taken_in_place_of_the_own_one(self, tmp_path):
        folder = self.write(tmp_path, "happy0.png,mouth,up", "happy1.png,mouth,down")
        (tmp_path / "smiles.csv").write_text("file,head,label\nhappy0.png,smile,open\nhappy1.png,smile,closed\n")
        for path in (folder, write_zip(folder)):
            heads = open_collection(path, heads=tmp_path / "smiles.csv").heads
            assert heads == {EMOTION: ("happy", "sad"), "smile": ("closed", "open")}

    @pytest.mark.parametrize(
        ("name", "why"), [("none.csv", "none.csv cannot be read (No such"), ("faces", "faces cannot be read (")]
    )
    def test_read_when_a_table_that_lies_elsewhere_cannot_be_read_then_the_reason_is_told(self, tmp_path, name, why):
        folder = self.write(tmp_path)
        with pytest.raises(DatasetError) as caught:
            open_collection(folder, heads=tmp_path / name)
        assert why in str(caught.value)
        assert str(caught.value).endswith("; give heads a table of file, head, label")

    @pytest.mark.parametrize("zipped", [False, True])
    def test_read_when_several_tables_lie_deeper_then_the_uppermost_is_read_beside_its_pictures(self, tmp_path, zipped):
        folder = self.write(tmp_path / "data", "happy/happy0.png,smile,open", "happy/happy1.png,smile,closed").parent
        (folder / "faces" / "happy" / "heads.csv").write_text("not read")
        collection = open_collection(write_zip(folder) if zipped else folder)
        assert [sample.others for sample in collection.samples[:3]] == [{"smile": "open"}, {"smile": "closed"}, {}]
        top = "data/faces" if zipped else "faces"
        assert f"{top}/happy/heads.csv was not read: labels of heads were read from {top}/heads.csv" in collection.notes

    def test_read_when_several_pictures_have_the_name_then_the_path_is_needed(self, tmp_path):
        folder = self.write(tmp_path, "a.png,smile,open", "sad/sad0.png,smile,none")
        for label in ("happy", "sad"):
            (folder / label / f"{label}1.png").rename(folder / label / "a.png")
        with pytest.raises(DatasetError, match=r"line 2: 2 pictures are called a\.png, such as happy/a\.png and sad/a"):
            open_collection(folder)
        (folder / "heads.csv").write_text("file,head,label\nhappy/a.png,smile,open\nsad/sad0.png,smile,none\n")
        found = {sample.file: sample.others for sample in open_collection(folder).samples if sample.others}
        assert found == {"happy/a.png": {"smile": "open"}, "sad/sad0.png": {"smile": "none"}}

    def test_read_when_a_table_of_ones_own_is_hidden_or_only_a_header_then_read_all_the_same(self, tmp_path):
        folder = self.write(tmp_path, "happy0.png,mouth,up", "happy1.png,mouth,down")
        table = tmp_path / ".smiles.csv"
        table.write_text("file,head,label\n")
        with pytest.raises(DatasetError, match=r"\.smiles\.csv has no row below its header"):
            open_collection(folder, heads=table)
        table.write_text("file,head,label\nhappy0.png,smile,open\nhappy1.png,smile,closed\n")
        assert open_collection(folder, heads=table).heads["smile"] == ("closed", "open")

    def test_read_when_a_column_is_missing_then_named(self, tmp_path):
        with pytest.raises(DatasetError, match="has no column head and label"):
            open_collection(self.write(tmp_path, columns="file,smile"))


def samples_of(count: int, classes: int = 2, name: str = "{label}/{n}.png", group: str = "") -> list[Sample]:
    """Return as many samples of each class, without splits."""
    return [
        Sample(name.format(label=label, n=n), None, tuple(int(label == k) for k in range(classes)), group.format(n=n))
        for label in range(classes)
        for n in range(count)
    ]


def homes(samples: Iterable[Sample]) -> dict[str, str | None]:
    return {sample.file: sample.split for sample in samples}


class TestSplits:
    def test_draw_when_there_are_many_then_70_15_15_of_each_class(self):
        counts = Counter((s.votes, s.split) for s in draw(samples_of(4000)))
        for votes in ((1, 0), (0, 1)):
            shares = [counts[votes, split] / 4000 for split in ("train", "valid", "test")]
            assert shares == pytest.approx([0.7, 0.15, 0.15], abs=0.02)

    @pytest.mark.parametrize("seed", range(5))
    def test_draw_when_pictures_are_added_then_none_leaves_train(self, seed):
        for count, more in ((40, 5), (6, 3)):
            before = samples_of(count, 3, f"{seed}-{{label}}-{{n}}.png")
            old = homes(draw(before))
            new = homes(draw([*samples_of(more, 3, f"{seed}-{{label}}-new{{n}}.png"), *before]))
            assert not [file for file in old if old[file] == "train" and new[file] == "test"]
            if count == 40:
                assert {file: new[file] for file in old} == old

    def test_draw_when_a_near_copy_is_added_then_all_stay_where_they_were(self):
        rng = np.random.default_rng(3)
        before = samples_of(30)
        prints = rng.integers(0, 1 << 63, (60, 4)).astype(np.uint64)
        copies = [Sample(f"z{n}.png", None, before[n].votes) for n in range(10)]
        old = homes(draw(joined(before, prints)))
        new = homes(draw(joined([*before, *copies], np.concatenate([prints, prints[:10]]))))
        assert {file: new[file] for file in old} == old
        assert all(new[f"z{n}.png"] == new[before[n].file] for n in range(10))

    @pytest.mark.parametrize("count", [3, 4, 5, 8])
    @pytest.mark.parametrize("group", ["", "person {n}"])
    def test_draw_when_there_are_few_then_each_split_has_each_class_and_train_half(self, count, group):
        for seed in range(20):
            name = f"{seed}{{label}}{{n}}.png"
            drawn = draw(samples_of(count, 3, name, group and f"{group} of {seed}"))
            counts = Counter((s.votes, s.split) for s in drawn)
            for votes in {s.votes for s in drawn}:
                train, valid, test = (counts[votes, split] for split in ("train", "valid", "test"))
                assert min(valid, test) >= 1
                assert train >= count // 2 if count > 3 else train == 1
            together = {s.group: s.split for s in drawn if s.group}
            assert all(together[s.group] == s.split for s in drawn if s.group)

    def test_draw_when_one_clip_has_most_of_the_pictures_then_it_is_for_training(self):
        for seed in range(20):
            sizes = {f"{seed}-a": 100, f"{seed}-b": 10, f"{seed}-c": 10}
            clips = [Sample(f"{c}{n}.png", None, (1, 0), c) for c, size in sizes.items() for n in range(size)]
            assert Counter(s.split for s in draw(clips)) == {"train": 100, "valid": 10, "test": 10}

    def test_draw_when_some_of_a_group_have_a_split_then_the_others_join_them(self):
        rest = [Sample(f"dev/{n}.png", None, (n % 2, 1 - n % 2), f"p{n % 10}") for n in range(40)]
        given = [Sample("test/0.png", "test", (1, 0), "p0"), Sample("train/0.png", "train", (1, 0), "p1")]
        given += [Sample("test/1.png", "test", (1, 0), "p2"), Sample("train/1.png", "train", (1, 0), "p2")]
        drawn = draw([*given, *rest])
        splits = {p: {s.split for s in drawn if s.group == p and s.file.startswith("dev")} for p in ("p0", "p1", "p2")}
        assert splits == {"p0": {"test"}, "p1": {"train"}, "p2": {"train"}}
        assert [s.split for s in drawn[:4]] == ["test", "train", "test", "train"]

    def test_draw_when_repeated_in_another_order_then_the_same(self):
        samples = [Sample(f"{n}.png", None, (1, 0) if n % 3 else (0, 1)) for n in range(50)]
        once = {s.file: s.split for s in draw(samples)}
        assert once == {s.file: s.split for s in draw(samples[::-1])}

    def test_draw_when_a_class_is_rare_then_each_split_has_some(self):
        samples = [Sample(f"{n}.png", None, (int(n >= 6), int(n < 6))) for n in range(200)]
        assert {s.split for s in draw(samples) if s.votes[1]} == {"train", "valid", "test"}


class TestFerPlus:
    def test_read_when_folders_then_votes_targets_and_both_protocols(self, tmp_path):
        folder = write_ferplus(
            tmp_path / "fer",
            {
                "FER2013Train": ["0,9,0,0,0,0,0,0,1,0", "4,1,0,5,0,0,0,0,0,0"],
                "FER2013Valid": ["0,0,0,4,3,3,0,0,0,0"],
                "FER2013Test": ["1,0,0,2,0,0,0,0,7,0"],
            },
        )
        data = cut(folder, tmp_path / "work")
        train = data.splits["train"]
        assert data.labels == EMOTIONS
        assert train.top_vote.tolist() == [1, 3]
        told = train.targets[EMOTION]
        assert np.allclose(told[0], np.eye(8)[1])  # the single vote for unknown is not a class
        assert np.allclose(told[1][[0, 3]], [4 / 9, 5 / 9])  # the single vote for happy is dropped
        assert data.splits["valid"].majority.tolist() == [-1]
        assert data.splits["test"].top_vote.tolist() == [-1]

    def test_majority_when_single_votes_are_dropped_then_it_is_of_the_others(self, tmp_path):
        votes = ["0,5,0,0,1,1,1,1,1,0", "0,4,0,0,0,2,2,2,0,0"]
        folder = write_ferplus(tmp_path / "fer", {"FER2013Train": votes[:1] * 4, "FER2013Test": votes})
        assert cut(folder, tmp_path / "work").splits["test"].majority.tolist() == [1, -1]

    def test_read_when_fer2013_s_own_labels_lie_beside_then_they_are_a_head(self, tmp_path):
        votes = "0,9,0,0,0,0,0,0,1,0"
        folder = write_ferplus(tmp_path / "fer", {"FER2013Train": [votes] * 3})
        rows = ["FER2013Train0.png,Training,angry", "FER2013Train1.png,Training,contempt", "FER2013Train2.png"]
        (folder / "fer2013_labels.csv").write_text("\n".join(rows))
        others = [sample.others for sample in open_collection(folder).samples]
        assert others == [{FER2013_HEAD: "angry"}, {}, {}]

    @pytest.mark.parametrize("line", ["1,2,3", "1,2,3,4,5,6,7,8,x,10", "0,0,0,0,0,0,0,0,0,0"])
    def test_read_when_a_table_is_wrong_then_line_is_named(self, tmp_path, line):
        folder = write_ferplus(tmp_path / "fer", {"FER2013Train": ["0,9,0,0,0,0,0,0,1,0", line]})
        with pytest.raises(DatasetError, match=r"FER2013Train/label.csv line 2: expected name, box and ten vote"):
            open_collection(folder)

    def test_read_when_a_table_has_blank_lines_then_those_are_skipped(self, tmp_path):
        folder = write_ferplus(tmp_path / "fer", {"FER2013Train": ["0,9,0,0,0,0,0,0,1,0"] * 2})
        table = folder / "FER2013Train" / "label.csv"
        table.write_text(table.read_text().replace("\n", "\n\n"))
        assert len(open_collection(folder).samples) == 2

    def test_read_when_a_class_is_renamed_then_refused(self, tmp_path):
        folder = write_ferplus(tmp_path / "fer", {"FER2013Train": ["0,9,0,0,0,0,0,0,1,0"]})
        with pytest.raises(
            DatasetError, match=r"happy cannot be renamed: the classes of FER\+ are fixed; leave class out"
        ):
            open_collection(folder, names=ClassNames(renamed={"happy": "joy"}))

    def test_read_when_pictures_are_of_another_set_then_votes_do_not_match(self, tmp_path):
        folder = write_ferplus(tmp_path / "fer", {"FER2013Train": ["0,9,0,0,0,0,0,0,1,0"] * 3})
        for file in folder.rglob("*.png"):
            file.rename(file.with_name(f"other-{file.name}"))
        with pytest.raises(DatasetError, match="votes do not match the pictures, 3 of 3"):
            open_collection(folder)


class TestFer2013Csv:
    USAGES = ("Training", "Training", "PublicTest", "PrivateTest")

    def test_read_when_no_votes_then_seven_classes_and_its_own_splits(self, tmp_path):
        data = cut(write_csv(tmp_path, [3, 4, 3, 4], list(self.USAGES)), tmp_path / "work")
        assert data.labels == ("neutral", "happy", "surprise", "sad", "angry", "disgust", "fear")
        assert [len(data.splits[name]) for name in ("train", "valid", "test")] == [2, 1, 1]
        assert data.splits["train"].top_vote.tolist() == [1, 3]
        assert (data.splits["train"].crops(RAW)[1] == make_face_crop("sad", 1)[..., :1]).all()

    def test_read_when_votes_then_eight_classes_and_rows_without_a_face_are_skipped(self, tmp_path):
        file = write_csv(tmp_path, [3, 4, 3, 4], list(self.USAGES))
        names = ["a.png", "", "c.png", "d.png"]
        lines = [f"{u},{n},0,9,0,0,0,0,0,1,0,0" for u, n in zip(self.USAGES, names, strict=True)]
        (tmp_path / "new.csv").write_text(f"Usage,Image name,{VOTES}\n" + "\n".join(lines))
        data = cut(file, tmp_path / "work", tmp_path / "new.csv")
        assert data.labels == EMOTIONS
        assert data.splits["train"].files.tolist() == ["a.png"]
        assert data.skipped == ("row 2: FER+ does not count it as a face",)
        assert data.splits["test"].top(FER2013_HEAD).tolist() == [4]

    def test_read_when_a_class_is_renamed_then_refused_for_numbers(self, tmp_path):
        file = write_csv(tmp_path, [3, 4, 3, 4], list(self.USAGES))
        with pytest.raises(DatasetError, match="3 cannot be renamed: the classes of FER2013's numbers are fixed"):
            open_collection(file, names=ClassNames(renamed={"3": "joy"}))

    def test_read_when_there_are_votes_and_a_class_is_renamed_then_refused(self, tmp_path):
        file = write_csv(tmp_path, [3, 4, 3, 4], list(self.USAGES))
        with pytest.raises(DatasetError, match=r"happy cannot be renamed: the classes of FER\+ are fixed"):
            open_collection(file, tmp_path / "new.csv", ClassNames(renamed={"happy": "joy"}))

    def test_read_when_pandas_wrote_the_numbers_then_the_same(self, tmp_path):
        file = write_csv(tmp_path, [3, 4, 3, 4], list(self.USAGES))
        before = open_collection(file).samples
        file.write_text(file.read_text().replace("\n3,", "\n3.0,").replace("\n4,", "\n4.0,"))
        assert open_collection(file).samples == before

    def test_read_when_a_column_is_missing_then_named(self, tmp_path):
        (tmp_path / "fer2013.csv").write_text("name,pixels\n3,1 2 3 4\n")
        with pytest.raises(DatasetError, match=r"has no column emotion, only name, pixels; a fer2013\.csv has emotion"):
            open_collection(tmp_path / "fer2013.csv")

    @pytest.mark.parametrize(
        ("usages", "match"),
        [
            (
                ("Training", "Training", "PublicTest"),
                "3 lines of votes for 4 pictures: votes .*; give the fer2013new",
            ),
            (("Training", "PublicTest", "Training", "PrivateTest"), "line 4 says publictest .* votes do not match"),
        ],
    )
    def test_read_when_votes_are_of_another_set_then_refused(self, tmp_path, usages, match):
        file = write_csv(tmp_path, [3, 4, 3, 4], list(self.USAGES))
        lines = [f"{usage},{n}.png,0,9,0,0,0,0,0,1,0,0" for n, usage in enumerate(usages)]
        (tmp_path / "new.csv").write_text(f"Usage,Image name,{VOTES}\n\n" + "\n".join(lines))
        with pytest.raises(DatasetError, match=match):
            open_collection(file, tmp_path / "new.csv")

    @pytest.mark.parametrize("votes", ["0,9,0", "0,9,0,0,0,0,0,x,0,0"])
    def test_read_when_a_row_of_votes_is_damaged_then_its_line_is_named(self, tmp_path, votes):
        file = write_csv(tmp_path, [3, 4, 3, 4], list(self.USAGES))
        lines = [f"{usage},{n}.png,0,9,0,0,0,0,0,1,0,0" for n, usage in enumerate(self.USAGES)]
        lines[2] = f"PublicTest,2.png,{votes}"
        (tmp_path / "new.csv").write_text(f"Usage,Image name,{VOTES}\n" + "\n".join(lines))
        with pytest.raises(DatasetError, match=r"new\.csv line 4: expected ten vote counts, got 'PublicTest,2\.png"):
            open_collection(file, tmp_path / "new.csv")

    def test_read_when_a_table_has_labels_of_a_further_head_then_its_pictures_have_them(self, tmp_path):
        file = write_csv(tmp_path, [3, 4, 3, 4], list(self.USAGES))
        first, second, *_ = (sample.file for sample in open_collection(file).samples)
        rows = ["file,head,label", f"{first},smile,open", f"{second},smile,closed"]
        (tmp_path / "smiles.csv").write_text("\n".join(rows))
        collection = open_collection(file, heads=tmp_path / "smiles.csv")
        assert collection.heads["smile"] == ("closed", "open")
        assert [sample.others.get("smile") for sample in collection.samples] == ["open", "closed", None, None]

    def test_read_when_pixels_are_damaged_then_that_row_is_skipped(self, tmp_path):
        file = write_csv(tmp_path, [3, 4, 3, 4, 4], [*self.USAGES, "Training"])
        text = file.read_text().splitlines()
        file.write_text("\n".join([*text[:-1], "4,1 2 three,Training"]))
        assert cut(file, tmp_path / "work").skipped == ("row 5: cannot be read as a picture",)

    def test_read_when_votes_come_with_a_folder_then_refused(self, tmp_path):
        with pytest.raises(DatasetError, match="belongs to a fer2013"):
            open_collection(write_faces(tmp_path / "faces", 4), tmp_path / "new.csv")


class TestCopies:
    def test_load_when_a_picture_stands_in_train_and_test_then_it_leaves_train(self, tmp_path):
        write_faces(tmp_path / "f" / "train", 8)
        write_faces(tmp_path / "f" / "test", 4, first=100)
        twin = (tmp_path / "f/train/happy/happy3.png").read_bytes()
        (tmp_path / "f/test/happy/again.png").write_bytes(twin)
        data = cut(tmp_path / "f", tmp_path / "work")
        assert data.copies_removed == 1
        assert data.copied == ("test/happy/again.png",)
        assert "train/happy/happy3.png" not in data.splits["train"].files.tolist()
        assert "test/happy/again.png" in data.splits["test"].files.tolist()

    def test_load_when_a_picture_was_resaved_brighter_then_reported_as_near_copy(self, tmp_path):
        write_faces(tmp_path / "f" / "train", 8)
        write_faces(tmp_path / "f" / "test", 4, first=100)
        rng = np.random.default_rng(5)
        photo = cv2.GaussianBlur(rng.integers(0, 256, (96, 96, 3), np.uint8), (0, 0), 4)
        photo = cv2.convertScaleAbs(photo, alpha=4.0, beta=-380)
        cv2.imwrite(str(tmp_path / "f/train/sad/photo.png"), photo)
        again = cv2.convertScaleAbs(cv2.resize(photo, (80, 80), interpolation=cv2.INTER_AREA), alpha=0.9, beta=20)
        cv2.imwrite(str(tmp_path / "f/test/sad/photo.jpg"), again)
        pairs = [set(pair) for pair in cut(tmp_path / "f", tmp_path / "work").near_copies]
        assert {"train/sad/photo.png", "test/sad/photo.jpg"} in pairs or {
            "valid/sad/photo.png",
            "test/sad/photo.jpg",
        } in pairs

    def test_near_pairs_when_pictures_differ_then_none(self):
        rng = np.random.default_rng(1)
        prints = np.array([fingerprint(rng.integers(0, 256, (48, 48, 3), np.uint8)) for _ in range(600)])
        assert len(near_pairs(prints[:300], prints[300:])) == 0
        assert near_pairs(prints[:300], prints[299:]).tolist() == [[299, 0]]


class TestLoad:
    def test_load_when_a_picture_is_too_small_to_show_a_face_then_listed_and_not_learnt(self, tmp_path):
        folder = write_faces(tmp_path / "faces", 8)
        cv2.imwrite(str(folder / "sad" / "dot.png"), np.zeros((2, 2, 3), np.uint8))
        data = cut(folder, tmp_path / "work")
        assert data.skipped == ("sad/dot.png: 2x2 px, too small to show a face",)
        assert sum(map(len, data.splits.values())) == 16

    @pytest.mark.parametrize("broken", [8, 6])
    def test_load_when_too_few_pictures_of_a_class_can_be_used_then_refused_but_for_measuring(self, tmp_path, broken):
        folder = write_faces(tmp_path / "faces", 8)
        for number in range(broken):
            (folder / "sad" / f"sad{number}.png").write_bytes(b"\x89PNG and no more")
        says = (
            rf"class sad has {8 - broken} usable .* {broken} files skipped, such as sad/sad.*read.*; give .* at least 4"
        )
        with pytest.raises(DatasetError, match=says):
            cut(folder, tmp_path / "work")
        measured = load(open_collection(folder, fewest=0), CROP, ScriptedDetector(), tmp_path / "work")
        assert sum(map(len, measured.splits.values())) == 16 - broken

    def test_load_when_faces_of_a_class_are_not_found_then_refused(self, tmp_path):
        folder = write_faces(tmp_path / "faces", 8)
        for file in (folder / "sad").iterdir():
            cv2.imwrite(str(file), np.zeros((80, 80, 3), np.uint8))
        finder = ScriptedDetector(lambda frame: [make_detection(24, 24, 40)] if frame.height < 80 else [])
        with pytest.raises(DatasetError, match=r"class sad has 0 usable .* no face found"):
            load(open_collection(folder), CROP, finder, tmp_path / "work", find_faces=True)

    @pytest.mark.parametrize(("given", "told"), [(["test"], "test"), (["test", "valid"], "valid and test")])
    def test_load_when_the_data_gives_no_training_pictures_then_says_so(self, tmp_path, given, told):
        for place, name in enumerate(given):
            write_faces(tmp_path / "faces" / name, 4, first=50 * place)
        with pytest.raises(DatasetError, match=f"the data has no pictures for train: it gives all of them to {told}; "):
            cut(tmp_path / "faces", tmp_path / "work")

    @pytest.mark.parametrize("side", [160, 60])
    def test_load_when_faces_are_found_then_their_share_of_the_pictures_is_reported(self, tmp_path, side):
        folder = write_faces(tmp_path / "faces", 8)
        finder = ScriptedDetector(lambda frame: [make_detection(128, 128, side)])
        data = load(open_collection(folder), CROP, finder, tmp_path / "work")
        assert data.face_share == restore(tmp_path / "work").face_share == pytest.approx(side / 192)

    def test_load_when_a_split_has_no_picture_of_a_class_then_named(self, tmp_path):
        write_faces(tmp_path / "faces" / "train", 12)
        write_faces(tmp_path / "faces" / "valid", 4, first=50)
        write_faces(tmp_path / "faces" / "test", 4, ("happy", "angry"), first=100)
        data = cut(tmp_path / "faces", tmp_path / "work")
        assert data.lacking == {"train": ("angry",), "valid": ("angry",), "test": ("sad",)}

    def test_load_when_find_faces_then_the_face_is_cut_and_photos_without_are_skipped(self, tmp_path):
        folder = write_faces(tmp_path / "faces", 8)
        for number, file in enumerate(sorted(folder.rglob("*.png"))):
            photo = np.random.default_rng(number).integers(0, 256, (200 + number, 300, 3), np.uint8)
            cv2.imwrite(str(file), photo)
        found = make_detection(150, 100, 80)
        finder = ScriptedDetector(lambda frame: [found] if frame.height > 200 else [])
        data = load(open_collection(folder), CROP, finder, tmp_path / "work", find_faces=True)
        assert data.skipped == ("happy/happy0.png: no face found",)
        train = data.splits["train"]
        assert (train.crops(RAW) == train.crops(ALIGNED)).all()

    def test_restore_when_saved_then_everything_comes_back_and_crops_stay_on_disk(self, tmp_path):
        saved = cut(write_faces(tmp_path / "faces", 6), tmp_path / "work")
        again = restore(tmp_path / "work")
        assert isinstance(again.splits["train"].pixels, np.memmap)
        for name, split in saved.splits.items():
            assert (again.splits[name].crops(ALIGNED) == split.crops(ALIGNED)).all()
            assert again.splits[name].files.tolist() == split.files.tolist()
        assert (again.labels, again.skipped, again.near_copies) == (saved.labels, saved.skipped, saved.near_copies)

    def test_restore_when_damaged_then_one_clear_line(self, tmp_path):
        cut(write_faces(tmp_path / "faces", 6), tmp_path / "work")
        (tmp_path / "work" / "data.npz").write_bytes(b"half a file")
        with pytest.raises(DatasetError, match="does not contain a whole data set"):
            restore(tmp_path / "work")

    def test_load_when_all_crops_are_of_one_clip_then_asks_for_others(self, tmp_path):
        folder = write_faces(tmp_path / "faces", 8)
        lines = [f"{file.name},clip.mp4" for file in folder.rglob("*.png")]
        (folder / "index.csv").write_text("\n".join(["file,source", *lines]))
        with pytest.raises(DatasetError, match=r"left for the valid split: .* only 1 group; add pictures of others"):
            cut(folder, tmp_path / "work")

    def test_load_when_all_training_pictures_are_copies_then_says_so(self, tmp_path):
        for name in ("train", "valid"):
            write_faces(tmp_path / "faces" / name, 4)
        with pytest.raises(DatasetError, match=r"left for the train split: all .* in another split too.*; leave"):
            cut(tmp_path / "faces", tmp_path / "work")

    def test_load_when_only_test_is_wanted_then_no_other_picture_is_searched(self, tmp_path):
        finder = ScriptedDetector()
        collection = open_collection(write_faces(tmp_path / "faces", 10))
        data = load(collection, CROP, finder, tmp_path / "work", cut=("test",))
        assert len(finder.frames) == len(data.splits["test"]) > 0
        assert len(data.splits["train"]) == 0
