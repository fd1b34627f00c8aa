"""Files that appear complete or not at all."""

import os
import sys
from pathlib import Path

import pytest

from livemood.core.errors import SinkError
from livemood.runtime.atomic_io import atomic_write, forget_written, refuse_inputs, replacing, written
from livemood.runtime.interrupted import is_interrupted, mark_interrupted, unmark


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no flock")
def test_file_when_another_run_writes_it_then_refused_and_the_other_is_not_disturbed(tmp_path: Path) -> None:
    out = tmp_path / "out.txt"
    with atomic_write(out, "out") as part:
        part.write_text("first")
        with (
            pytest.raises(SinkError, match=r"out\.txt is being written by another run; wait, or use another out"),
            atomic_write(out, "out", force=True) as other,
        ):
            other.write_text("second")
    assert out.read_text() == "first"
    assert names(tmp_path) == ["out.txt"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such pipes")
def test_pipe_when_a_file_would_replace_it_then_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "out.txt")
    with (
        pytest.raises(SinkError, match=r"out\.txt is a device or a pipe; give out a file"),
        atomic_write(tmp_path / "out.txt", "out", force=True),
    ):
        pass
    assert (tmp_path / "out.txt").is_fifo()


def test_file_when_a_killed_run_left_its_scratch_file_then_written_all_the_same(tmp_path: Path) -> None:
    (tmp_path / ".out.txt.part").write_text("half of something long")
    with atomic_write(tmp_path / "out.txt", "out") as part:
        part.write_text("new")
    assert (tmp_path / "out.txt").read_text() == "new"
    assert names(tmp_path) == ["out.txt"]


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_replacing_when_it_fails_or_is_interrupted_then_the_last_file_stays_alone(
    tmp_path: Path, error: type[BaseException]
) -> None:
    with replacing(tmp_path / "out.txt") as part:
        part.write_text("old")
    with pytest.raises(error), replacing(tmp_path / "out.txt") as part:
        part.write_text("half")
        raise error
    assert (tmp_path / "out.txt").read_text() == "old"
    assert names(tmp_path) == ["out.txt"]


def test_files_when_their_names_are_as_long_as_can_be_then_written_at_once(tmp_path: Path) -> None:
    long = [tmp_path / f"{'ä' * 125}{number}.txt" for number in (1, 2)]
    with atomic_write(long[0], "out") as one, atomic_write(long[1], "out") as other:
        one.write_text("one")
        other.write_text("other")
    assert [path.read_text() for path in long] == ["one", "other"]
    assert names(tmp_path) == [path.name for path in long]


@pytest.mark.parametrize(("setting", "remedy"), [("out", "; try another out"), (None, "")])
def test_file_when_its_name_is_too_long_then_refused_in_one_line(
    tmp_path: Path, setting: str | None, remedy: str
) -> None:
    out = tmp_path / ("x" * 256)
    with pytest.raises(SinkError) as told, atomic_write(out, setting):
        pass
    assert str(told.value) == f"{out} could not be written (File name too long){remedy}"


@pytest.mark.parametrize(("there", "force"), [(False, False), (False, True), (True, True)])
def test_file_when_it_is_a_link_then_written_where_that_leads(there: bool, force: bool, tmp_path: Path) -> None:
    link = tmp_path / "link.csv"
    link.symlink_to("real.csv")
    if there:
        link.write_text("old")
    with atomic_write(link, "out", force) as part:
        part.write_text("new")
    assert (link.is_symlink(), (tmp_path / "real.csv").read_text()) == (True, "new")
    assert names(tmp_path) == ["link.csv", "real.csv"]


@pytest.mark.parametrize("name", ["real.csv", "link.csv"])
def test_file_when_replaced_then_keeps_its_permissions(name: str, tmp_path: Path) -> None:
    real = tmp_path / "real.csv"
    real.write_text("old")
    real.chmod(0o600)
    (tmp_path / "link.csv").symlink_to(real)
    with atomic_write(tmp_path / name, "out", force=True) as part:
        part.write_text("new")
    assert (real.read_text(), real.stat().st_mode & 0o777) == ("new", 0o600)


def test_file_when_it_is_a_loop_of_links_then_replaces_it(tmp_path: Path) -> None:
    loop = tmp_path / "loop.csv"
    loop.symlink_to("loop.csv")
    with atomic_write(loop, "out") as part:
        part.write_text("new")
    assert loop.read_text() == "new"


def test_file_when_it_would_lie_in_a_file_then_refused_by_that_name(tmp_path: Path) -> None:
    (tmp_path / "film.mp4").touch()
    out = tmp_path / "film.mp4" / "pages" / "a.html"
    with pytest.raises(SinkError) as told, atomic_write(out, "report", force=True):
        pass
    assert str(told.value) == f"{out} could not be written ({tmp_path / 'film.mp4'} is a file); try another report"


def test_mark_of_an_interrupted_file_then_holds_as_long_as_the_file_is_the_same(tmp_path: Path) -> None:
    """Also under the longest name, and not where there is no file."""
    path = tmp_path / ("x" * 255)
    mark_interrupted(path)
    path.write_text("half")
    assert not is_interrupted(path)
    mark_interrupted(path)
    assert is_interrupted(path)
    path.write_text("whole")
    assert not is_interrupted(path)
    path.write_text("half")
    unmark(path)
    assert not is_interrupted(path)
    assert names(tmp_path) == [path.name]


@pytest.mark.parametrize("force", [False, True])
def test_file_when_one_appears_meanwhile_then_replaced_by_force_only(force: bool, tmp_path: Path) -> None:
    out = tmp_path / "out.txt"

    def write() -> None:
        with atomic_write(out, "out", force) as part:
            part.write_text("ours")
            out.write_text("theirs")

    if force:
        write()
        assert out.read_text() == "ours"
        return
    with pytest.raises(SinkError, match=r"out\.txt was created meanwhile and is not replaced; the result is in .*part"):
        write()
    assert out.read_text() == "theirs"
    assert (tmp_path / ".out.txt.part").read_text() == "ours"


@pytest.mark.parametrize("other", ["in.mp4", "{0}/in.mp4", "hard.mp4", "soft.mp4", "file:in.mp4", "file://{0}/in.mp4"])
def test_input_when_it_would_be_written_then_refused_under_any_of_its_names(
    other: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path("in.mp4")
    path.touch()
    Path("hard.mp4").hardlink_to(path)
    Path("soft.mp4").symlink_to(path)
    with pytest.raises(SinkError, match=r"^in\.mp4 is one of the inputs; choose another out$"):
        refuse_inputs(path, "out", ["0", other.format(tmp_path)])
    refuse_inputs(Path("not-there.mp4"), "out", ["not-there.mp4", other.format(tmp_path)])


def test_file_when_made_then_readable_by_whom_the_umask_lets(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        with atomic_write(tmp_path / "out.txt", "out") as part:
            part.write_text("open")
    finally:
        os.umask(before)
    assert (tmp_path / "out.txt").stat().st_mode & 0o777 == 0o644


def test_written_then_names_what_was_completed_and_is_still_there_in_order(tmp_path: Path) -> None:
    forget_written()
    for name in ("b.txt", "gone.txt", "a.txt"):
        with atomic_write(tmp_path / name, "out") as part:
            part.write_text(name)
    (tmp_path / "gone.txt").unlink()
    assert written() == [tmp_path / "b.txt", tmp_path / "a.txt"]
    forget_written()
    assert written() == []
