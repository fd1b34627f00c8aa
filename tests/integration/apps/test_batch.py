"""Batches: one data set of many inputs, whatever is killed, corrupted or changed in between."""

import json
import ntpath
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet
import pytest

from livemood.apps.batch.dataset import contents, read_part, read_parts, remove_inputs
from livemood.apps.batch.inputs import expand, labelled_name, share
from livemood.cli import run
from livemood.core.errors import SourceError
from livemood.runtime.storage import Store
from tests.support.builders import SAMPLES, refuse, write_clip

PHOTOS = 96


@pytest.fixture(scope="module")
def master(tmp_path_factory) -> Path:
    """Photos of one size with a face each, different everywhere, one that is broken, and a short video."""
    folder = tmp_path_factory.mktemp("master") / "album"
    folder.mkdir()
    image = cv2.imread(str(SAMPLES / "faces.png"))
    assert image is not None
    face = cv2.resize(image[200:540, 260:620], (180, 170), interpolation=cv2.INTER_AREA)
    for number in range(PHOTOS):
        cv2.imwrite(str(folder / f"{number:03}.jpg"), np.roll(face, number % 12, 1), [cv2.IMWRITE_JPEG_QUALITY, 90])
    (folder / "broken.jpg").write_bytes(b"\xff\xd8 no picture")
    write_clip(folder / "film.mp4", [np.asarray(cv2.resize(image, (320, 180)), np.uint8)] * 5)
    return folder


@pytest.fixture(scope="module")
def expected(master, tmp_path_factory) -> list[tuple]:
    """What one process makes of the photos, one after another."""
    out = tmp_path_factory.mktemp("expected") / "moods"
    assert batch(master, "--out", out, "--jobs", 1) == 1
    return rows(out, master)


@pytest.fixture
def album(master, tmp_path) -> Path:
    return Path(shutil.copytree(master, tmp_path / "album"))


def batch(*words: object) -> int:
    return run(["batch", *map(str, words)])


def rows(out: Path, album: Path) -> list[tuple]:
    """Return the rows of a data set, sorted; paths as seen from the album."""
    table = pyarrow.dataset.dataset(str(out), exclude_invalid_files=False).to_table()
    found = [tuple(row.values()) for row in table.to_pylist()]
    return sorted(tuple(str(cell).replace(str(album), "") for cell in row) for row in found)


def start(*words: object) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "livemood", "batch", *map(str, words)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)


def until(holds, job=None, seconds=120):
    end = time.monotonic() + seconds
    while not (found := holds()):
        assert job is None or job.poll() is None, job.communicate()
        assert time.monotonic() < end
        time.sleep(0.02)
    return found


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
    assert err.decode() == "livemood: 1 input could not be read; column error of the data set says why\n"
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


def test_batch_when_inputs_change_then_only_those_are_read_again(album, tmp_path, expected, capsys):
    out = tmp_path / "moods"
    batch(album, "--out", out, "--jobs", 1)
    before = {path.name: path.stat().st_mtime_ns for path in parts(out)}
    capsys.readouterr()
    assert batch(album, "--out", out) == 0
    assert capsys.readouterr().out == f"nothing to do: {out} has all {PHOTOS + 2} inputs\n"
    assert {path.name: path.stat().st_mtime_ns for path in parts(out)} == before
    (album / "003.jpg").write_bytes(b"\xff\xd8 corrupt")
    shutil.copy(album / "004.jpg", album / "005.jpg")
    shutil.copy(album / "004.jpg", album / "new.jpg")
    assert batch(album, "--out", out, "--jobs", 1, "--json") == 1
    told = capsys.readouterr()
    assert json.loads(told.out) == {"inputs": PHOTOS + 3, "read": 3, "failed": 1, "faces": 2}
    assert "2 inputs to read again" in told.err
    fresh = tmp_path / "fresh"
    batch(album, "--out", fresh, "--jobs", 1)
    assert rows(out, album) == rows(fresh, album) != expected


def test_batch_when_failed_inputs_are_to_be_tried_again_then_only_those_are(album, tmp_path, capsys):
    out = tmp_path / "moods"
    batch(album, "--out", out, "--jobs", 1)
    about = (album / "broken.jpg").stat()
    shutil.copy(album / "000.jpg", album / "kept")
    data = (album / "000.jpg").read_bytes()
    (album / "broken.jpg").write_bytes(data[: about.st_size].ljust(about.st_size))
    os.utime(album / "broken.jpg", ns=(about.st_atime_ns, about.st_mtime_ns))
    capsys.readouterr()
    assert batch(album, "--out", out, "--json") == 0
    assert batch(album, "--out", out, "--jobs", 1, "--retry-failed", "--json") == 1
    assert '"read": 1' in capsys.readouterr().out
    assert len(rows(out, album)) == len({path for path, *_ in rows(out, album)}) + 9  # two faces in each of five frames


def test_shares_when_done_one_after_another_then_are_the_whole(album, tmp_path, expected):
    out = tmp_path / "moods"
    for number in (1, 2, 3):
        batch(album, "--out", out, "--shard", f"{number}/3", "--jobs", 1)
    assert rows(out, album) == expected
    inputs = expand([str(album)])
    shares = [share(inputs, number, 3) for number in (1, 2, 3)]
    assert sorted(one for some in shares for one in some) == inputs
    assert all(shares)


def test_data_set_then_opens_as_a_whole_everywhere(master, tmp_path):
    import duckdb
    import pandas
    import polars

    out = tmp_path / "moods"
    batch(master, "--out", out, "--jobs", 1)
    count = len(rows(out, master))
    assert len(pandas.read_parquet(out)) == count
    assert len(polars.read_parquet(f"{out}/*.parquet")) == count
    assert duckdb.sql(f"select count(*) from '{out}/*.parquet'").fetchall() == [(count,)]
    schemas = {pyarrow.parquet.read_schema(path).remove_metadata().to_string() for path in parts(out)}
    assert len(schemas) == 1
    assert "null" not in schemas.pop()
    (failed,) = [row for row in pandas.read_parquet(out).to_dict("records") if isinstance(row["error"], str)]
    assert failed["path"] == str(master / "broken.jpg")
    assert "is not a picture" in failed["error"]


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
    assert all("is not there; check the list" in str(error) for error in errors.values())
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
    with pytest.raises(SourceError, match=f"{name} is no list of paths: it has no column path{said}; name the column"):
        expand([str(tmp_path / name)])


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


def test_labelled_name_when_a_path_of_windows_then_that_of_its_file(monkeypatch):
    monkeypatch.setattr(os.path, "basename", ntpath.basename)
    assert labelled_name(r"C:\videos\clip.mov").startswith("clip-")
    assert labelled_name("s3://bucket/videos/clip.mov").startswith("clip-")


def test_folder_that_may_not_be_read_then_it_is_named_and_the_others_are_read(master, tmp_path, monkeypatch, capsys):
    inside = tmp_path / "album" / "private"
    inside.mkdir(parents=True)
    shutil.copy(master / "000.jpg", inside.parent)
    refuse(monkeypatch, "scandir", inside)
    (inside.parent / "loop.jpg").symlink_to("loop.jpg")
    assert batch(inside.parent, "--out", tmp_path / "moods", "--jobs", 1) == 0
    assert f"1 folder could not be read, such as {inside}" in capsys.readouterr().err.replace("\n", " ")
    assert len(rows(tmp_path / "moods", inside.parent)) == 1


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
        remove_inputs(store, part, {str(album / name)})
        assert read_part(store, part.name).frames == 1


def test_status_then_says_what_is_there_and_by_which_model(master, tmp_path, capsys):
    out = tmp_path / "moods"
    batch(master, "--out", out, "--jobs", 1)
    capsys.readouterr()
    assert batch("status", out) == 0
    text = capsys.readouterr().out
    assert f"{PHOTOS + 2} inputs in" in text
    assert "model emotion" in text
    notes = json.loads((out / "_manifest" / "all.json").read_text())
    assert (notes["inputs"], notes["failed"], len(notes["model"]["sha256"])) == (PHOTOS + 2, 1, 64)


def test_report_over_a_data_set_then_counts_every_face_once(master, tmp_path, capsys):
    out, page = tmp_path / "moods", tmp_path / "page.html"
    batch(master, "--out", out, "--jobs", 1)
    assert run(["report", str(out), "--out", str(page)]) == 0
    text = page.read_text()
    assert f"{PHOTOS + 2} photos and videos, {PHOTOS + 10} faces; 0 without a face, 1 could not be read" in text
    assert "film.mp4" in text
    assert "broken.jpg is not a picture" in text
    assert run(["report", str(tmp_path), "--out", str(page), "--force"]) == 1
    assert f"{tmp_path} holds no data set of livemood batch" in capsys.readouterr().err


def test_cluster_file_of_the_docs_then_is_one_that_ray_takes():
    import yaml
    from ray.autoscaler._private.util import prepare_config, validate_config

    text = (SAMPLES.parent / "docs" / "ray-cluster.yaml").read_text(encoding="utf-8")
    validate_config(prepare_config(yaml.safe_load(text)))
    with pytest.raises(Exception, match="nonsense"):
        validate_config(prepare_config({**yaml.safe_load(text), "nonsense": 1}))


class TestBadInput:
    @pytest.mark.parametrize(
        ("words", "message"),
        [
            (["{album}"], "the data set to write is missing; add --out"),
            (["{album}/none*", "--out", "{out}"], "names no photos and no videos"),
            (["{album}", "--out", "{out}", "--shard", "9/8"], "9/8 is no share of the inputs; write --shard as"),
            (["{album}", "--out", "{out}", "--shard", "²/3"], "²/3 is no share of the inputs; write --shard as"),
            (["{album}", "--out", "{out}", "--address", "x:1"], "add --engine ray"),
            (
                ["{album}", "--out", "{out}", "--engine", "ray", "--address", "127.0.0.1:1"],
                "nothing answers at 127.0.0.1:1",
            ),
            (["gs://bucket/photos", "--out", "{out}"], "the driver for gs:// is not installed"),
            (["what://bucket/photos", "--out", "{out}"], "there is no kind of store called what://"),
            (["{album}", "--out", "{album}/000.jpg"], "000.jpg is a file; give --out a folder"),
            (["status", "{album}"], "holds no data set of livemood batch"),
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

    def test_part_that_is_none_of_ours_then_refused_and_kept(self, master, tmp_path, capsys):
        out = tmp_path / "moods"
        out.mkdir()
        pyarrow.parquet.write_table(pa.table({"x": [1]}), out / "part-1.parquet")
        assert batch(master, "--out", out) == 1
        assert "part-1.parquet is no part of a data set of livemood's; use another --out" in capsys.readouterr().err
        assert [path.name for path in out.iterdir()] == ["part-1.parquet"]


@pytest.fixture
def bucket(master, monkeypatch):
    """An S3-compatible server on loopback with the first photos; yields the bucket's URL."""
    boto3 = pytest.importorskip("boto3")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
    for name, value in {**keys, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}"}.items():
        monkeypatch.setenv(name, value)
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until(lambda: answers(port))
        client = boto3.client("s3")
        client.create_bucket(Bucket="lab")
        for name in ("000.jpg", "001.jpg", "broken.jpg", "film.mp4"):
            client.upload_file(str(master / name), "lab", f"photos/{name}")
        yield client
    finally:
        server.kill()
        server.wait()


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def test_object_store_then_holds_inputs_and_data_set_and_a_change_is_seen(bucket, master, tmp_path, capsys):
    words = ("s3://lab/photos", "--out", "s3://lab/moods", "--jobs", 1)
    assert batch(*words) == 1
    local = tmp_path / "local"
    named = [master / name for name in ("000.jpg", "001.jpg", "broken.jpg", "film.mp4")]
    batch(*named, "--out", local, "--jobs", 1)

    def stored() -> list[tuple]:
        import s3fs

        table = pyarrow.dataset.dataset("lab/moods", filesystem=s3fs.S3FileSystem()).to_table()
        cells = [tuple(str(cell).replace("s3://lab/photos", "") for cell in row.values()) for row in table.to_pylist()]
        return sorted(cells)

    assert stored() == rows(local, master)
    capsys.readouterr()
    assert batch(*words) == 0
    assert "nothing to do" in capsys.readouterr().out
    bucket.upload_file(str(master / "002.jpg"), "lab", "photos/001.jpg")
    assert batch("s3://lab/photos/00*.jpg", *words[1:], "--json") == 0
    assert json.loads(capsys.readouterr().out)["read"] == 1
    assert len(stored()) == len(rows(local, master))
    assert batch("status", "s3://lab/moods") == 0
    assert "4 inputs in" in capsys.readouterr().out
