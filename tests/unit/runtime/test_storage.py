"""Folders, local or in an object store."""

from contextlib import ExitStack
from pathlib import Path

import pytest
from fsspec.implementations.local import LocalFileSystem

from livemood.core.errors import SinkError
from livemood.runtime.storage import Store, is_url
from tests.support.disks import full_disk


def test_store_when_its_folder_has_no_name_then_refused_and_not_taken_for_the_root() -> None:
    with pytest.raises(SinkError, match="the name of the folder is empty; give out one"):
        Store("", "out")
    assert Store("/", "out").root == "/"


def rename_as_smb(_: LocalFileSystem, source: str, target: str) -> None:
    """Rename a file to a name that is not taken."""
    if Path(target.removeprefix("file://")).exists():
        raise FileExistsError(target)
    Path(source.removeprefix("file://")).rename(target.removeprefix("file://"))


@pytest.mark.parametrize("renames_over", [True, False])
def test_store_with_folders_when_the_disk_is_full_then_the_earlier_file_stays_and_nothing_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, renames_over: bool
) -> None:
    if not renames_over:
        monkeypatch.setattr(LocalFileSystem, "mv", rename_as_smb)
    store = Store(f"file://{tmp_path}/moods", "out")
    for text in ("first", "second"):
        with store.replacing("part-1.parquet") as scratch:
            scratch.write_text(text)
    with (
        ExitStack() as disk,
        pytest.raises(SinkError, match=r"part-1.parquet could not be written \(File too large\)"),
        store.replacing("part-1.parquet") as scratch,
    ):
        scratch.write_bytes(bytes(9000))
        disk.enter_context(full_disk(4096))
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["part-1.parquet"]
    assert (tmp_path / "moods" / "part-1.parquet").read_text() == "second"


@pytest.mark.parametrize("scheme", ["", "file://"])
def test_names_then_files_alone_and_none_where_there_is_no_folder(tmp_path: Path, scheme: str) -> None:
    (tmp_path / "b.txt").touch()
    (tmp_path / "a.txt").touch()
    (tmp_path / "folder").mkdir()
    store = Store(f"{scheme}{tmp_path}", "out")
    assert store.names() == ["a.txt", "b.txt"]
    assert store.names("folder") == store.names("none") == []


@pytest.mark.parametrize(
    ("path", "is_one"),
    [("s3://bucket/key", True), ("file:///a", True), ("C://a", False), ("a/b.jpg", False), ("://a", False)],
)
def test_url_then_told_from_a_path(path: str, is_one: bool) -> None:
    assert is_url(path) is is_one


def test_replacing_when_it_fails_then_nothing_half_written_is_left(tmp_path: Path) -> None:
    store = Store(str(tmp_path), "out")
    with pytest.raises(SinkError, match=r"a\.parquet could not be written"), store.replacing("a.parquet") as scratch:
        scratch.write_text("half")
        raise OSError("full")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
