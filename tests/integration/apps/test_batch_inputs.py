"""Inputs of a batch: what files, folders, globs, lists and URLs name."""

import ntpath
import os
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet
import pytest

from livemood.apps.batch.engines import LocalEngine
from livemood.apps.batch.inputs import expand, labelled_name
from livemood.core.errors import LivemoodError, SourceError
from tests.support.batches import batch, read_here, rows, write_album


@pytest.fixture(scope="module")
def master(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("master") / "album"
    folder.mkdir()
    write_album(folder, 12)
    return folder


@pytest.fixture
def here(monkeypatch) -> None:
    """Read in this process: workers take longer to start than to read a few photos."""
    monkeypatch.setattr(LocalEngine, "run", read_here)


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("suffix", [".txt", ".csv", ".parquet"])
def test_list_of_paths_when_some_are_missing_then_each_is_a_row_with_an_error(master, tmp_path, suffix, capsys):
    named = [str(master / "000.jpg"), str(tmp_path / "gone.jpg"), str(tmp_path / "gone.mp4")]
    listed = tmp_path / f"list{suffix}"
    if suffix == ".parquet":
        pyarrow.parquet.write_table(pa.table({"path": named, "more": [1, 2, 3]}), listed)
    else:
        listed.write_text("\n".join((["path"] if suffix == ".csv" else []) + named) + "\n")
    assert batch(listed, "--out", tmp_path / "moods", "--jobs", 1) == 1
    table = pyarrow.dataset.dataset(str(tmp_path / "moods")).to_table()
    errors = dict(zip(table.column("path").to_pylist(), table.column("error").to_pylist(), strict=True))
    assert errors.pop(named[0]) is None
    assert all("is not there; check the name" in str(error) for error in errors.values())
    assert len(errors) == 2


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.txt", "{}\r\n"),
        ("a.csv", "who,path\r\nx,{}\r\n"),
        ("a.csv", "who; path\r\nx;{}\r\n"),
        ("a.tsv", "path\twho\n{}\tx\n"),
    ],
)
def test_list_of_paths_then_its_encoding_and_separator_are_recognised(master, tmp_path, name, text, encoding):
    (tmp_path / name).write_text(text.format(master / "000.jpg"), encoding=encoding, newline="")
    assert [one.path for one in expand([str(tmp_path / name)])] == [str(master / "000.jpg")]


@pytest.mark.parametrize(("name", "said"), [("a.csv", ", only file, who"), ("b.csv", ""), ("c.parquet", ", only file")])
def test_list_of_paths_without_a_column_path_then_its_columns_are_named(tmp_path, name, said):
    (tmp_path / "a.csv").write_text("file,who\nx.jpg,me\n")
    (tmp_path / "b.csv").write_text("")
    pyarrow.parquet.write_table(pa.table({"file": ["x.jpg"]}), tmp_path / "c.parquet")
    with pytest.raises(
        SourceError, match=f"{name} is not a list of paths: it has no column path{said}; name the column"
    ):
        expand([str(tmp_path / name)])


@pytest.mark.parametrize(
    ("column", "said"),
    [
        (pa.array([1, None]), "is not a list of paths: its column path contains int64; write it as text"),
        (pa.array([["a.jpg"]]), "is not a list of paths: its column path contains list<.*>; write it as text"),
        (pa.array([None, b"caf\xe9.jpg"]), None),
        (pa.array(["caf\xe9.jpg", ""]).dictionary_encode(), None),
    ],
)
def test_list_of_paths_in_parquet_then_text_and_bytes_are_names_and_other_values_are_refused(tmp_path, column, said):
    listed = tmp_path / "list.parquet"
    pyarrow.parquet.write_table(pa.table({"path": column}), listed)
    if said:
        with pytest.raises(SourceError, match=f"^{listed} {said}$"):
            expand([str(listed)])
    else:
        (one,) = expand([str(listed)])
        assert one.path in ("caf\xe9.jpg", os.fsdecode(b"caf\xe9.jpg"))


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_list_of_paths_when_two_columns_are_called_path_then_refused(tmp_path, suffix):
    listed = tmp_path / f"list{suffix}"
    if suffix == ".csv":
        listed.write_text("path,who,path\na.jpg,me,b.jpg\n")
    else:
        names = pa.array(["a.jpg"])
        pyarrow.parquet.write_table(pa.Table.from_arrays([names, names], names=["path", "path"]), listed)
    with pytest.raises(SourceError, match="is not a list of paths: it has several columns path; keep one of them"):
        expand([str(listed)])


@pytest.mark.parametrize("scheme", ["", "file://"])
def test_list_of_paths_in_parquet_when_damaged_then_it_is_named(tmp_path, scheme):
    listed = tmp_path / "list.parquet"
    pyarrow.parquet.write_table(pa.table({"path": ["a.jpg"] * 1000}), listed)
    whole = listed.read_bytes()
    listed.write_bytes(whole[:20] + bytes([255] * 8) + whole[28:])
    with pytest.raises(LivemoodError, match=f"^{scheme}{listed} is not a complete Parquet file; make it again"):
        expand([f"{scheme}{listed}"])


@pytest.mark.usefixtures("here")
def test_inputs_then_are_what_folders_globs_and_files_name_each_once(master, tmp_path):
    names = [one.path for one in expand([f"{master}/00?.jpg", str(master / "film.mp4"), f"{master}/*.mp4"])]
    assert [Path(name).name for name in names] == [*(f"00{number}.jpg" for number in range(10)), "film.mp4"]
    (tmp_path / "loop").symlink_to(tmp_path)
    shutil.copy(master / "000.jpg", tmp_path / os.fsdecode(b"caf\xe9.jpg"))
    assert len(expand([str(tmp_path)])) == 1
    assert batch(tmp_path, "--out", tmp_path / "moods", "--jobs", 1) == 0
    (row,) = pyarrow.dataset.dataset(str(tmp_path / "moods")).to_table().to_pylist()
    assert row["path"].endswith("caf\\xe9.jpg")
    assert batch(tmp_path, "--out", tmp_path / "moods") == 0


def test_labelled_videos_then_lie_in_their_folder_and_are_no_inputs_of_the_next_run(master, tmp_path):
    folder = tmp_path / "videos"
    folder.mkdir()
    shutil.copy(master / "film.mp4", folder)
    assert batch(folder, "--out", tmp_path / "moods", "--labelled", folder / "labelled", "--jobs", 1) == 0
    (copy,) = (folder / "labelled").iterdir()
    assert copy.name.startswith("film-")
    assert [Path(one.path).name for one in expand([str(folder)])] == ["film.mp4"]
    assert [one.path for one in expand([str(copy)])] == [str(copy)]


@pytest.mark.usefixtures("here")
def test_labelled_copies_when_missing_then_their_videos_are_read_again(master, tmp_path, capsys):
    folder = tmp_path / "videos"
    folder.mkdir()
    for name in ("000.jpg", "film.mp4"):
        shutil.copy(master / name, folder)
    shutil.copy(master / "broken.jpg", folder / "broken.mp4")
    words = (folder, "--out", tmp_path / "moods")
    copies = (*words, "--labelled", tmp_path / "copies", "--json")
    assert batch(*words) == 1
    before = rows(tmp_path / "moods", folder)
    for _ in range(2):
        capsys.readouterr()
        assert batch(*copies) == 1
        told = capsys.readouterr()
        assert '"read": 1' in told.out
        assert "1 input to read again" in told.err
        assert batch(*copies) == 1
        assert '"read": 0' in capsys.readouterr().out
        (copy,) = (tmp_path / "copies").iterdir()
        copy.unlink()
    assert batch(*words, "--json") == 1
    assert '"read": 0' in capsys.readouterr().out
    assert rows(tmp_path / "moods", folder) == before


def test_labelled_name_when_a_path_of_windows_then_that_of_its_file(monkeypatch):
    monkeypatch.setattr(os.path, "basename", ntpath.basename)
    assert labelled_name(r"C:\videos\clip.mov").startswith("clip-")
    assert labelled_name("s3://bucket/videos/clip.mov").startswith("clip-")


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("album", ["{}", "{}/*", "{}/**/*.jpg"])
def test_folder_that_may_not_be_read_then_it_is_named_and_the_others_are_read(
    master, tmp_path, monkeypatch, album, capsys
):
    inside = tmp_path / "album" / "private"
    inside.mkdir(parents=True)
    shutil.copy(master / "000.jpg", inside.parent)
    scandir = os.scandir

    def refusing(path):
        if str(path) == str(inside):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    assert batch(album.format(inside.parent), "--out", tmp_path / "moods", "--jobs", 1) == 0
    assert f"1 folder could not be read, such as {inside}" in capsys.readouterr().err.replace("\n", " ")
    assert len(rows(tmp_path / "moods", inside.parent)) == 1
    assert batch(inside, "--out", tmp_path / "alone") == 1
    assert capsys.readouterr().err == f"livemood: {inside} cannot be read (Permission denied)\n"


@pytest.mark.usefixtures("here")
def test_links_that_cannot_be_followed_then_are_rows_with_errors_and_the_folder_is_read_whole(master, tmp_path):
    album = tmp_path / "album"
    album.mkdir()
    for number in range(4):
        (album / f"{number}loop.jpg").symlink_to(album / f"{number}loop.jpg")
        shutil.copy(master / "000.jpg", album / f"{number}.jpg")
    (album / "gone.jpg").symlink_to(tmp_path / "gone.jpg")
    (album / "folder.jpg").symlink_to(tmp_path)
    assert batch(album, "--out", tmp_path / "moods") == 1
    table = pyarrow.dataset.dataset(str(tmp_path / "moods")).to_table().to_pylist()
    failed = {Path(row["path"]).name: row["error"] for row in table if row["error"]}
    assert sorted(failed) == ["0loop.jpg", "1loop.jpg", "2loop.jpg", "3loop.jpg", "gone.jpg"]
    assert all(error.endswith(f"{name} is a link that cannot be followed") for name, error in failed.items())
    assert len(table) == 4 + 5


@pytest.mark.usefixtures("here")
def test_list_of_paths_when_a_folder_may_not_be_looked_into_then_the_row_says_so(tmp_path, monkeypatch):
    stat = os.stat

    def refusing(path, **more):
        if str(path) == "/private/a.jpg":
            raise PermissionError(13, "Permission denied", str(path))
        return stat(path, **more)

    monkeypatch.setattr(os, "stat", refusing)
    (tmp_path / "list.txt").write_text("/private/a.jpg\n")
    assert batch(tmp_path / "list.txt", "--out", tmp_path / "moods") == 1
    (row,) = pyarrow.dataset.dataset(str(tmp_path / "moods")).to_table().to_pylist()
    assert row["error"] == "/private/a.jpg cannot be read (Permission denied)"


@pytest.mark.parametrize("album", ["{}", "{}/*", "{}/**", "{}/**/*.jpg", "file://{}", "file://{}/**/*.jpg"])
def test_folder_or_pattern_then_hidden_names_manifests_and_links_to_folders_are_left_out(tmp_path, album):
    folder = tmp_path / ".album"
    kept = ["_manifestations/a.jpg", "_manifesto.jpg", "b/c[1]/d.jpg"]
    for name in (*kept, ".e.jpg", ".f/g.jpg", "_manifest/h.jpg", "b/.i/j.jpg", "b/_manifest/k.jpg"):
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        (folder / name).touch()
    for name in ("loop", "b/loop", "folder.jpg"):
        (folder / name).symlink_to(folder)
    assert [one.path.partition(".album/")[2] for one in expand([album.format(folder)])] == kept


def test_inputs_when_a_file_is_named_in_several_ways_then_as_it_was_named_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "hol").mkdir()
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / "hol" / name).touch()
    (tmp_path / "list.txt").write_text("hol//a.jpg\nhol/../hol/b.jpg\n./gone.jpg\ngone.jpg\n")
    spelt = ("hol", "./hol", f"{tmp_path}/hol", "hol/../hol/*.jpg")
    assert [one.path for one in expand(spelt)] == ["hol/a.jpg", "hol/b.jpg"]
    assert [one.path for one in expand(spelt[::-1])] == ["hol/../hol/a.jpg", "hol/../hol/b.jpg"]
    assert [one.path for one in expand(["**/*.jpg"])] == ["hol/a.jpg", "hol/b.jpg"]
    assert [one.path for one in expand(["./**/*.jpg"])] == ["./hol/a.jpg", "./hol/b.jpg"]
    assert [one.path for one in expand(["list.txt", "hol"])] == ["./gone.jpg", "hol/../hol/b.jpg", "hol//a.jpg"]


def test_list_of_paths_when_names_hold_other_ends_of_lines_then_they_are_kept(tmp_path):
    names = ["a\u2028b.jpg", "c\x85d.jpg", "e\rf.jpg", "g\x0ch.jpg"]
    (tmp_path / "list.txt").write_text("\r\n".join([*names, "", "last.jpg"]), encoding="utf-8", newline="")
    assert [one.path for one in expand([str(tmp_path / "list.txt")])] == sorted([*names, "last.jpg"])
