"""Batches: one data set of many inputs, whatever is killed, corrupted or changed in between."""

import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from itertools import count
from pathlib import Path
from threading import Thread
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet
import pytest

from livemood.apps.batch.dataset import FOOTER, Part, contents, read_part, read_parts, remove_inputs
from livemood.apps.batch.engines import LocalEngine, RayEngine, _read_on_ray
from livemood.apps.batch.inputs import expand, share
from livemood.apps.batch.run import BatchJob, plan
from livemood.apps.batch.run import run as run_plan
from livemood.cli import run
from livemood.core.errors import LivemoodError
from livemood.core.settings import ReaderSettings
from livemood.runtime.storage import Store
from tests.support.batches import batch, read_here, rows, until, write_album
from tests.support.builders import SAMPLES, write_clip

PHOTOS, FEW = 64, 12
FAILED = "livemood: 1 input could not be read; column error of the data set says why, --retry-failed reads them again\n"


@pytest.fixture(scope="module")
def master(tmp_path_factory) -> Path:
    """Photos of one size with a face each, different everywhere, one that is broken, and a short video."""
    folder = tmp_path_factory.mktemp("master") / "album"
    folder.mkdir()
    write_album(folder, PHOTOS)
    return folder


@pytest.fixture(scope="module")
def made(master, tmp_path_factory) -> Path:
    """What one process makes of the photos, one after another."""
    out = tmp_path_factory.mktemp("made") / "moods"
    assert batch(master, "--out", out, "--jobs", 1) == 1
    return out


@pytest.fixture(scope="module")
def expected(master, made) -> list[tuple]:
    return rows(made, master)


@pytest.fixture
def album(master, tmp_path) -> Path:
    return Path(shutil.copytree(master, tmp_path / "album"))


@pytest.fixture
def few(album) -> Path:
    """The same with ``FEW`` photos."""
    for number in range(FEW, PHOTOS):
        (album / f"{number:03}.jpg").unlink()
    return album


@pytest.fixture
def here(monkeypatch) -> None:
    """Read in this process: workers take longer to start than to read a few photos."""
    monkeypatch.setattr(LocalEngine, "run", read_here)


def start(*words: object) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "livemood", "batch", *map(str, words)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)


def parts(out: Path) -> list[Path]:
    return sorted(out.glob("part-*.parquet"))


def workers(job: subprocess.Popen[bytes]) -> list[int]:
    """Return the processes that read for a driver: its children, or what Ray started in its session."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes()
                session = int((entry / "stat").read_text().rpartition(")")[2].split()[3])
            except (OSError, ValueError):
                continue
            if b"ray::_read_on_ray" in words or (session == job.pid and b"spawn_main" in words):
                found.append(int(entry.name))
    return found


@pytest.mark.parametrize("engine", ["local", "ray"])
def test_batch_when_a_worker_and_then_its_driver_are_killed_then_nothing_is_lost_or_doubled(
    album, tmp_path, expected, engine
):
    out = tmp_path / "moods"
    words = (album, "--out", out, "--engine", engine, "--jobs", 2)
    job = start(*words)
    until(lambda: parts(out), job)
    os.kill(until(lambda: workers(job), job)[0], signal.SIGKILL)
    before = len(parts(out))
    until(lambda: len(parts(out)) > before, job)
    os.kill(job.pid, signal.SIGKILL)
    job.wait()
    done = {one.path for part in parts(out) for one in read_part(Store(str(out), "out"), part.name).inputs}
    assert 0 < len(done) < PHOTOS + 2
    again = start(*words)
    told, err = again.communicate(timeout=240)
    assert again.returncode == 1
    assert err.decode() == FAILED
    assert b"there already" in told
    assert rows(out, album) == expected
    assert [path.name for path in (out / "_manifest").iterdir()] == ["all.json"]


def test_batch_when_a_worker_is_killed_then_the_run_goes_on_to_its_end(album, tmp_path, expected):
    out = tmp_path / "moods"
    job = start(album, "--out", out, "--jobs", 2)
    until(lambda: parts(out), job)
    os.kill(until(lambda: workers(job), job)[0], signal.SIGKILL)
    job.communicate(timeout=240)
    assert job.returncode == 1
    assert rows(out, album) == expected


@pytest.mark.usefixtures("here")
def test_batch_when_inputs_change_then_only_those_are_read_again(few, tmp_path, capsys):
    out = tmp_path / "moods"
    batch(few, "--out", out, "--jobs", 1)
    first, before = rows(out, few), {path.name: path.stat().st_mtime_ns for path in parts(out)}
    capsys.readouterr()
    assert batch(few, "--out", out) == 1
    assert capsys.readouterr() == (f"nothing to do: {out} has all {FEW + 2} inputs\n", FAILED)
    assert batch(few, "--out", out, "--json") == 1
    assert json.loads(capsys.readouterr().out) == {"inputs": FEW + 2, "read": 0, "failed": 1, "faces": 0}
    assert {path.name: path.stat().st_mtime_ns for path in parts(out)} == before
    (few / "003.jpg").write_bytes(b"\xff\xd8 corrupt")
    shutil.copy(few / "004.jpg", few / "005.jpg")
    shutil.copy(few / "004.jpg", few / "new.jpg")
    assert batch(few, "--out", out, "--jobs", 1, "--json") == 1
    told = capsys.readouterr()
    assert json.loads(told.out) == {"inputs": FEW + 3, "read": 3, "failed": 2, "faces": 2}
    assert "2 inputs to read again" in told.err
    fresh = tmp_path / "fresh"
    batch(few, "--out", fresh, "--jobs", 1)
    assert rows(out, few) == rows(fresh, few) != first


@pytest.mark.usefixtures("here")
def test_batch_when_failed_inputs_are_to_be_tried_again_then_only_those_are(few, tmp_path, capsys):
    out = tmp_path / "moods"
    batch(few, "--out", out, "--jobs", 1)
    about = (few / "broken.jpg").stat()
    shutil.copy(few / "000.jpg", few / "kept")
    data = (few / "000.jpg").read_bytes()
    (few / "broken.jpg").write_bytes(data[: about.st_size].ljust(about.st_size))
    os.utime(few / "broken.jpg", ns=(about.st_atime_ns, about.st_mtime_ns))
    capsys.readouterr()
    assert batch(few, "--out", out, "--json") == 1
    assert json.loads(capsys.readouterr().out) == {"inputs": FEW + 2, "read": 0, "failed": 1, "faces": 0}
    assert batch(few, "--out", out, "--jobs", 1, "--retry-failed", "--json") == 1
    assert '"read": 1' in capsys.readouterr().out
    assert len(rows(out, few)) == len({path for path, *_ in rows(out, few)}) + 9  # two faces in each of five frames


@pytest.mark.usefixtures("here")
def test_shares_when_done_one_after_another_then_are_the_whole(album, tmp_path, expected):
    out = tmp_path / "moods"
    for number in (1, 2, 3):
        batch(album, "--out", out, "--shard", f"{number}/3", "--jobs", 1)
    assert rows(out, album) == expected
    inputs = expand([str(album)])
    shares = [share(inputs, number, 3) for number in (1, 2, 3)]
    assert sorted(one for some in shares for one in some) == inputs
    assert all(shares)


def test_data_set_then_opens_as_a_whole_everywhere(master, made, expected):
    import duckdb
    import pandas
    import polars

    count = len(expected)
    assert len(pandas.read_parquet(made)) == count
    assert len(polars.read_parquet(f"{made}/*.parquet")) == count
    assert duckdb.sql(f"select count(*) from '{made}/*.parquet'").fetchall() == [(count,)]
    schemas = {pyarrow.parquet.read_schema(path).remove_metadata().to_string() for path in parts(made)}
    assert len(schemas) == 1
    assert "null" not in schemas.pop()
    (failed,) = [row for row in pandas.read_parquet(made).to_dict("records") if isinstance(row["error"], str)]
    assert failed["path"] == str(master / "broken.jpg")
    assert "is not a picture" in failed["error"]


def test_two_runs_of_one_shard_at_the_same_time_then_neither_removes_what_the_other_is_writing(tmp_path):
    store = Store(str(tmp_path), "out")
    (tmp_path / "_manifest").mkdir()
    (tmp_path / "_manifest" / "part-1.parquet.killed.part").write_text("left by a process that was killed")
    with store.replacing("part-1.parquet") as first:
        first.write_text("first")
        with store.replacing("part-1.parquet") as second:
            second.write_text("second")
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["part-1.parquet"]
    assert (tmp_path / "part-1.parquet").read_text() == "first"


@pytest.mark.usefixtures("here")
def test_shares_when_each_replaces_rows_of_the_same_parts_at_the_same_time_then_are_the_whole(few, tmp_path):
    store = Store(str(tmp_path / "moods"), "out")
    batch(few, "--out", store.root, "--jobs", 1)
    fast = ReaderSettings(detector="fast")
    jobs = [BatchJob([str(few)], store.root, fast, part=(number, 3)) for number in (1, 2, 3)]
    planned = [plan(job, 1) for job in jobs]  # each knows the parts as they are now
    for job, work in zip(jobs, planned, strict=True):
        run_plan(job, work, LocalEngine(1))
    batch(few, "--out", tmp_path / "whole", "--jobs", 1, "--detector", "fast")
    assert rows(Path(store.root), few) == rows(tmp_path / "whole", few)
    assert {part.reading.key for part in read_parts(store)} == {planned[0].options.reading.key}


def test_ray_when_its_workers_start_elsewhere_then_relative_paths_are_those_of_the_driver(few, tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    with RayEngine(1, None) as engine:
        monkeypatch.chdir(tmp_path)
        job = BatchJob([few.name], "moods", ReaderSettings())
        run_plan(job, plan(job, 1), engine)
    batch(few.name, "--out", "local", "--jobs", 1)
    assert rows(tmp_path / "moods", few) == rows(tmp_path / "local", few)
    assert not any((tmp_path / "elsewhere").iterdir())


def test_ray_when_a_machine_lacks_the_folder_of_relative_paths_then_refused_in_one_line(few, tmp_path, monkeypatch):
    planned = plan(BatchJob([str(few)], str(tmp_path / "moods"), ReaderSettings()), 1)
    monkeypatch.chdir(tmp_path)
    assert _read_on_ray(planned.options, planned.shards[0], "/nowhere").inputs == planned.shards[0].inputs
    relative = replace(planned.options, out="moods")
    with pytest.raises(LivemoodError, match=r"moods cannot be found on .*: /nowhere is not there"):
        _read_on_ray(relative, planned.shards[0], "/nowhere")


@pytest.mark.usefixtures("here")
def test_data_set_when_its_name_is_not_utf8_then_is_written_and_changed_all_the_same(few, tmp_path, capsys):
    store = Store(str(tmp_path / os.fsdecode(b"caf\xe9")), "out")
    words = (few / "000.jpg", few / "001.jpg", "--out", store.root, "--jobs", 1, "--json")
    assert batch(*words) == 0
    for part in [*read_parts(store)]:
        remove_inputs(store, part.name, {str(few / "001.jpg")})
    capsys.readouterr()
    assert batch(*words) == 0
    assert json.loads(capsys.readouterr().out) == {"inputs": 2, "read": 1, "failed": 0, "faces": 1}


def test_parts_when_another_run_removes_one_meanwhile_then_the_others_are_read(made, monkeypatch):
    store = Store(str(made), "out")
    known, names = [*read_parts(store)], store.names()
    monkeypatch.setattr(Store, "names", lambda *_: [*names, "part-removed.parquet"])
    assert [*read_parts(store)] == known


@pytest.mark.usefixtures("here")
def test_rows_when_another_run_removes_some_of_the_same_part_then_wait_for_it(few, tmp_path):
    store = Store(str(tmp_path / "moods"), "out")
    batch(few, "--out", store.root, "--jobs", 1)
    part = next(one for one in read_parts(store) if len(one.inputs) > 1)
    second = Thread(target=remove_inputs, args=(store, part.name, {part.inputs[1].path}))
    with store.changing():
        second.start()
        second.join(0.3)
        assert second.is_alive()
        assert read_part(store, part.name) == part
    second.join(10)
    assert read_part(store, part.name).inputs == (part.inputs[0], *part.inputs[2:])


@pytest.mark.usefixtures("here")
def test_part_then_the_time_that_is_told_of_it_is_the_one_in_its_file(few, tmp_path, monkeypatch):
    monkeypatch.setattr("livemood.apps.batch.shard.time", SimpleNamespace(process_time=count().__next__))
    store = Store(str(tmp_path / "moods"), "out")
    job = BatchJob([str(few / "000.jpg")], store.root, ReaderSettings())
    told: list[Part] = []
    run_plan(job, plan(job, 1), LocalEngine(1), told.append)
    assert told == list(read_parts(store))


@pytest.mark.parametrize(
    "changes",
    [
        {"reader": ReaderSettings(baseline="off")},
        {"reader": ReaderSettings(detector="fast")},
        {"reader": ReaderSettings(engine="keras")},
        {"reader": ReaderSettings(emotions=("happy", "sad"))},
        {"reader": ReaderSettings(prior="balanced")},
        {"every": 2},
    ],
    ids=["baseline", "detector", "engine", "emotions", "prior", "every"],
)
@pytest.mark.usefixtures("here")
def test_batch_when_a_setting_changes_that_rows_depend_on_then_all_is_read_again(master, tmp_path, changes):
    job = BatchJob([str(master / "film.mp4")], str(tmp_path / "moods"), ReaderSettings())
    run_plan(job, plan(job, 1), LocalEngine(1))
    same, other = plan(job, 1), plan(replace(job, **changes), 1)
    assert (same.todo, same.again, same.done) == (0, 0, 1)
    assert (other.todo, other.again, other.done) == (1, 1, 0)


@pytest.mark.usefixtures("here")
def test_frames_then_count_photos_that_are_read_and_every_frame_of_a_video(master, tmp_path):
    album, store = tmp_path / "album", Store(str(tmp_path / "moods"), "out")
    album.mkdir()
    for name in (*(f"{number:03}.jpg" for number in range(7)), "broken.jpg"):
        shutil.copy(master / name, album)
    write_clip(album / "empty.mp4", [np.zeros((64, 64, 3), np.uint8)] * 7)
    batch(album, "--out", store.root, "--jobs", 1)
    assert contents(read_parts(store)).frames == 7 + 7
    for name in ("000.jpg", "broken.jpg"):  # one of the two photos of a part
        (part,) = (part for part in read_parts(store) if str(album / name) in [one.path for one in part.inputs])
        remove_inputs(store, part.name, {str(album / name)})
        assert read_part(store, part.name).frames == 1
        assert str(album / name) not in read_part(store, part.name).failed
    assert contents(read_parts(store)).failed == 0


@pytest.mark.usefixtures("here")
def test_photos_when_their_names_are_escaped_alike_then_the_rows_of_the_other_one_stay(master, tmp_path):
    album, out = tmp_path / "album", tmp_path / "moods"
    album.mkdir()
    for name in ("caf\\xe9.jpg", "caf\udce9.jpg", *(f"d{number}.jpg" for number in range(6))):  # two to a part
        shutil.copy(master / "000.jpg", album / name)
    assert batch(album, "--out", out, "--jobs", 1) == 0
    before = rows(out, album)
    os.utime(album / "caf\udce9.jpg", (1, 1))
    assert batch(album, "--out", out, "--jobs", 1) == 0
    assert rows(out, album) == before


def test_status_then_says_what_is_there_and_by_which_model(made, capsys):
    assert batch("status", made) == 0
    text = capsys.readouterr().out
    assert f"{PHOTOS + 2} inputs in" in text
    assert "model emotion" in text
    notes = json.loads((made / "_manifest" / "all.json").read_text())
    assert (notes["inputs"], notes["failed"], len(notes["model"]["sha256"])) == (PHOTOS + 2, 1, 64)
    assert (notes["faces"], notes["frames"]) == (PHOTOS + 10, PHOTOS + 5)


@pytest.mark.parametrize("text", ["[1, 2]", '{"a": 1}', "7", "{"])
def test_status_when_other_programs_keep_notes_in_the_manifest_then_they_are_left_out(made, tmp_path, text, capsys):
    (tmp_path / "_manifest").mkdir()
    (tmp_path / "_manifest" / "theirs.json").write_text(text)
    assert batch("status", tmp_path) == 1
    assert capsys.readouterr().err == f"livemood: {tmp_path} contains no data set of livemood batch\n"
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    assert batch("status", tmp_path, "--json") == 0
    assert list(json.loads(capsys.readouterr().out)["runs"]) == ["all"]


def test_interrupt_after_the_last_part_then_all_inputs_count_and_the_next_run_notes_the_end(
    master, tmp_path, monkeypatch, capsys
):
    def interrupted(engine, shards, options):
        done = list(read_here(engine, shards, options))
        yield done[0]
        raise KeyboardInterrupt

    monkeypatch.setattr(LocalEngine, "run", interrupted)
    out = f"file://{tmp_path}/moods"
    words = [*(master / f"00{number}.jpg" for number in range(6)), "--out", out, "--jobs", 1]
    assert batch(*words) == 130
    err = capsys.readouterr().err
    assert f"6 of 6 inputs are in {out}; run the same command to continue\n" in err
    assert err.endswith(f"interrupted; kept: {out}\n")
    assert batch("status", out) == 0
    assert "finished not yet" in capsys.readouterr().out
    assert batch(*words) == 0
    assert batch("status", out) == 0
    told = capsys.readouterr().out
    assert "nothing to do" in told
    assert "finished 20" in told
    note = tmp_path / "moods" / "_manifest" / "all.json"
    before = note.read_text()
    assert batch(*words) == 0
    assert note.read_text() == before


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("head", ["emotion", "smile"])
def test_batch_when_rows_of_other_labels_would_stay_then_refused_before_anything_is_written(
    master, tmp_path, capsys, head
):
    out, first, second = tmp_path / "moods", master / "000.jpg", master / "001.jpg"
    assert batch(first, "--out", out, *(("--emotions", "happy,sad") if head == "emotion" else ())) == 0
    if head == "smile":  # as if by a model without this head
        (part,) = parts(out)
        table = pyarrow.parquet.read_table(part)
        others = [name for name in table.column_names if name.startswith("smile")]
        metadata = pyarrow.parquet.read_metadata(part).metadata
        pyarrow.parquet.write_table(table.drop_columns(others).replace_schema_metadata(metadata), part)
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    capsys.readouterr()
    assert batch(second, "--out", out) == 1
    said = {
        "emotion": f"{out} contains other emotions (happy, sad) than are to be written (neutral, happy, ",
        "smile": f"{out} contains other model outputs (none) than are to be written (smile: ",
    }
    err = capsys.readouterr().err
    assert said[head] in err
    assert err.endswith("); use another --out\n")
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before
    (out / "_manifest" / "all.json").unlink()
    assert batch(first, second, "--out", out, "--emotions", "sad,happy") == 0  # all are read again
    assert len({tuple(pyarrow.parquet.read_schema(path).names) for path in parts(out)}) == 1


def test_report_over_a_data_set_then_counts_every_face_once(made, tmp_path, capsys):
    page = tmp_path / "page.html"
    assert run(["report", str(made), "--out", str(page)]) == 0
    text = page.read_text()
    assert f"{PHOTOS + 2} photos and videos, {PHOTOS + 10} faces; 0 without a face, 1 could not be read" in text
    assert "film.mp4" in text
    assert "broken.jpg is not a picture" in text
    assert run(["report", str(tmp_path), "--out", str(page), "--force"]) == 1
    assert f"{tmp_path} contains no data set of livemood batch" in capsys.readouterr().err


def test_cluster_file_of_the_docs_then_is_one_that_ray_takes():
    import yaml
    from ray.autoscaler._private.util import prepare_config, validate_config

    text = (SAMPLES.parent / "docs" / "ray-cluster.yaml").read_text(encoding="utf-8")
    validate_config(prepare_config(yaml.safe_load(text)))
    with pytest.raises(Exception, match="nonsense"):
        validate_config(prepare_config({**yaml.safe_load(text), "nonsense": 1}))


class TestBadInput:
    @pytest.mark.parametrize(
        ("words", "line"),
        [
            ([], "livemood: Ray did not start (it timed out); try again, or leave --engine out\n"),
            (["--address", "auto"], "livemood: no Ray at auto (it timed out); try another --address\n"),
        ],
        ids=["here", "cluster"],
    )
    def test_ray_when_it_does_not_start_then_one_line_says_so(self, master, tmp_path, monkeypatch, words, line, capsys):
        import ray

        def time_out(**_: object) -> None:
            raise Exception("it\ntimed out")

        monkeypatch.setattr(ray, "init", time_out)
        assert batch(master, "--out", tmp_path / "moods", "--engine", "ray", *words) == 1
        assert capsys.readouterr().err == line
        assert not (tmp_path / "moods").exists()

    @pytest.mark.parametrize(
        ("words", "message"),
        [
            (["{album}"], "the data set to write is missing; add --out"),
            (["status"], "status takes one data set, such as livemood batch status moods/"),
            (["status", "a", "b"], "status takes one data set"),
            (["{album}/none*", "--out", "{out}"], "names no photos and no videos"),
            (["{album}", "--out", "{out}", "--shard", "9/8"], "'--shard': 9/8 is not a share of the inputs; write 1/8"),
            (["{album}", "--out", "{out}", "--shard", "²/3"], "²/3 is not a share of the inputs; write"),
            (["{album}", "--out", "{out}", "--address", "x:1"], "add --engine ray"),
            (
                ["{album}", "--out", "{out}", "--engine", "ray", "--address", "127.0.0.1:1"],
                "nothing answers at 127.0.0.1:1",
            ),
            (["gs://bucket/photos", "--out", "{out}"], "the driver for gs:// is not installed"),
            (["what://bucket/photos", "--out", "{out}"], "there is no kind of store called what://"),
            (["{album}", "--out", "{album}/000.jpg"], "000.jpg is a file; give --out a folder"),
            (["{album}", "--out", "memory://x"], "memory://x would be in the memory of each process alone; give --out"),
            (["{album}", "--out", "{out}", "--labelled", "s3://x/y"], "s3://x/y is a URL; give --labelled a folder"),
            (["status", "{album}"], "contains no data set of livemood batch"),
            (["{album}/film.csv", "--out", "{out}"], "film.csv is not there"),
        ],
    )
    def test_one_line_says_what_is_wrong_and_nothing_is_written(self, master, tmp_path, words, message, capsys):
        out = tmp_path / "moods"
        assert batch(*(word.format(album=master, out=out) for word in words)) in (1, 2)
        err = capsys.readouterr().err
        assert message in err
        assert err.count("\n") == 1
        assert not out.exists()

    @pytest.mark.parametrize(
        ("end", "said", "remedy"),
        [
            (b"", "is not a complete Parquet file; delete it, and run the batch again", ""),
            (bytes(16), "is not a complete Parquet file; delete it, and run the batch again", ""),
            ({}, "is not part of a livemood data set", "; use another --out"),
            ({FOOTER: "[" * 100_000}, "is not part of a livemood data set", "; use another --out"),
            ({FOOTER: '{"inputs": [["a", 1e999, ""]]}'}, "is not part of a livemood data set", "; use another --out"),
        ],
        ids=["cut", "damaged", "of another program", "nested", "endless"],
    )
    def test_part_that_cannot_be_read_then_is_named_and_kept(self, made, tmp_path, end, said, remedy, capsys):
        out, part = tmp_path / "moods", tmp_path / "moods" / "part-1.parquet"
        out.mkdir()
        if isinstance(end, dict):
            pyarrow.parquet.write_table(pa.table({"x": [1]}).replace_schema_metadata(end), part)
        else:
            part.write_bytes(parts(made)[0].read_bytes()[:-24] + end + (b"\xff\0\0\0PAR1" if end else b""))
        before = part.read_bytes()
        for words in ([SAMPLES / "faces.png", "--out", out], ["status", out]):
            assert batch(*words) == 1
            assert capsys.readouterr().err == f"livemood: {part} {said}{remedy}\n"
        assert run(["report", str(out), "--out", str(tmp_path / "page.html")]) == 1
        assert capsys.readouterr().err == f"livemood: {part} {said}\n"
        assert [path.read_bytes() for path in out.iterdir()] == [before]

    def test_file_of_a_run_that_is_nested_too_deep_then_it_is_left_out(self, made, tmp_path, capsys):
        out = Path(shutil.copytree(made, tmp_path / "moods"))
        (out / "_manifest" / "odd.json").write_text("[" * 100_000)
        assert batch("status", out) == 0
        assert capsys.readouterr().err == ""
