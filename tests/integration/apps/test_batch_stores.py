"""Batches of inputs at URLs, and into data sets at URLs."""

import json
import socket
import subprocess
import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import fsspec
import pyarrow.dataset
import pytest
from fsspec.implementations.local import LocalFileSystem

from livemood.apps.batch.engines import LocalEngine
from livemood.apps.batch.inputs import expand
from livemood.cli import run
from livemood.core.errors import SourceError
from tests.support.batches import batch, read_here, rows, until, write_album


@pytest.fixture(scope="module")
def master(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("master") / "album"
    folder.mkdir()
    write_album(folder, 3)
    return folder


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


def test_object_store_then_holds_inputs_and_data_set_and_a_change_is_seen(
    bucket, master, tmp_path, monkeypatch, capsys
):
    words = ("s3://lab/photos", "--out", "s3://lab/moods", "--jobs", 1)
    assert batch(*words) == 1
    monkeypatch.setattr(LocalEngine, "run", read_here)  # that a worker reads and writes there was seen
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
    assert batch(*words) == 1
    assert "nothing to do" in capsys.readouterr().out
    bucket.upload_file(str(master / "002.jpg"), "lab", "photos/001.jpg")
    assert batch("s3://lab/photos/00*.jpg", *words[1:], "--json") == 0
    assert json.loads(capsys.readouterr().out)["read"] == 1
    assert len(stored()) == len(rows(local, master))
    assert batch("status", "s3://lab/moods") == 0
    assert "4 inputs in" in capsys.readouterr().out
    assert run(["report", "s3://lab/moods", "--out", str(tmp_path / "page.html")]) == 0
    assert "4 photos and videos" in (tmp_path / "page.html").read_text()
    assert batch(*words[:2], "s3://labb/moods") == 1
    assert "s3://labb/moods/_manifest/all.json could not be written" in capsys.readouterr().err
    assert [found["Name"] for found in bucket.list_buckets()["Buckets"]] == ["lab"]


def test_url_of_a_new_folder_then_it_is_made_and_a_report_reads_it(master, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(LocalEngine, "run", read_here)
    url, page = f"file://{tmp_path}/new/moods", tmp_path / "page.html"
    assert batch(master / "000.jpg", "--out", url) == 0
    assert len(rows(tmp_path / "new" / "moods", master)) == 1
    assert run(["report", url, "--out", str(page)]) == 0
    assert "<h1>Moods in moods</h1>" in page.read_text()
    capsys.readouterr()
    assert run(["report", f"file://{tmp_path}/none", "--out", str(page), "--force"]) == 1
    assert f"file://{tmp_path}/none contains no data set of livemood batch" in capsys.readouterr().err
    assert run(["report", url, "moods.csv", "--out", str(page), "--force"]) == 2
    assert f"{url} is a URL; many recordings are files on this machine" in capsys.readouterr().err


def test_url_with_signs_of_patterns_then_names_a_file_or_folder_first_and_in_a_list_always(tmp_path):
    album = tmp_path / "album[1]"
    album.mkdir()
    for name in ("photo[1].jpg", "photo1.jpg", "what?.jpg"):
        (album / name).touch()
    url = f"file://{album}"
    assert [one.path for one in expand([f"{url}/photo[1].jpg"])] == [f"{url}/photo[1].jpg"]
    assert [one.path for one in expand([f"{url}/what?.jpg", f"{url}/photo1.jpg"])] == [
        f"{url}/photo1.jpg",
        f"{url}/what?.jpg",
    ]
    assert len(expand([url])) == 3
    assert [one.path for one in expand([f"file://{tmp_path}/*/photo?.jpg"])] == [f"{url}/photo1.jpg"]
    (tmp_path / "loop.jpg").symlink_to(tmp_path / "loop.jpg")
    listed = [f"{url}/photo[1].jpg", f"{url}/photo*.jpg", url, f"file://{tmp_path}/loop.jpg"]
    (tmp_path / "list.txt").write_text("\n".join(listed))
    found = {one.path: one.size for one in expand([f"file://{tmp_path}/list.txt"])}
    assert found == {listed[0]: 0, listed[1]: -1, listed[2]: -1, listed[3]: -1}


def test_url_of_nothing_then_is_a_row_with_an_error_as_a_path_is_and_a_pattern_that_matches_nothing_is_refused(
    master, tmp_path, monkeypatch
):
    monkeypatch.setattr(LocalEngine, "run", read_here)
    gone = f"file://{tmp_path}/gone.jpg"
    assert batch(gone, master / "000.jpg", "--out", tmp_path / "moods") == 1
    table = pyarrow.dataset.dataset(str(tmp_path / "moods")).to_table().to_pylist()
    assert {row["path"]: row["error"] for row in table} == {
        gone: f"{gone} is not there or cannot be read; check the name",
        str(master / "000.jpg"): None,
    }
    with pytest.raises(SourceError, match=r"gone\*.jpg names no photos and no videos"):
        expand([f"file://{tmp_path}/gone*.jpg"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceError, match="empty names no photos and no videos"):
        expand([f"file://{tmp_path}/empty"])


class HostedFiles(LocalFileSystem):  # type: ignore[misc]  # untyped
    """Files of one host, as FTP and SFTP have them: the URL says which."""

    protocol = "hosted"
    cachable = False

    def __init__(self, host: str, **_: object) -> None:
        super().__init__()
        if host != "lab":
            raise ConnectionRefusedError(111, "Connection refused")

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return f"/{path.partition('://')[2].partition('/')[2]}".rstrip("/") if "://" in path else path

    @staticmethod
    def _get_kwargs_from_urls(url: str) -> dict[str, str]:
        return {"host": url.partition("://")[2].partition("/")[0]}


@pytest.fixture
def hosted() -> str:
    fsspec.register_implementation("hosted", HostedFiles, clobber=True)
    return "hosted://lab"


def test_url_with_a_host_then_its_store_is_asked_and_the_host_stays_in_the_paths(
    hosted, master, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(LocalEngine, "run", read_here)
    out = f"{hosted}{tmp_path}/moods"
    assert batch(f"{hosted}{master}/", "--out", out) == 1  # one is broken
    local = tmp_path / "local"
    batch(master, "--out", local)
    made = [tuple(cell.replace("hosted://lab", "") for cell in row) for row in rows(tmp_path / "moods", master)]
    assert made == rows(local, master)
    assert batch(f"{hosted}{master}/00?.jpg", f"{hosted}{master}/001.jpg", "--out", out) == 0
    assert "nothing to do" in capsys.readouterr().out


@pytest.mark.parametrize("url", ["hosted://gone/a.jpg", "zip://a.jpg::photos.zip"])
def test_url_of_a_store_that_cannot_be_opened_then_refused_in_one_line(hosted, tmp_path, url, capsys):
    assert batch(url, "--out", tmp_path / "moods") == 1
    said = capsys.readouterr().err
    assert said.startswith(f"livemood: {url} could not be opened (")
    assert said.count("\n") == 1


def test_url_of_a_file_on_a_web_server_then_it_is_read(master, tmp_path, monkeypatch):
    monkeypatch.setattr(LocalEngine, "run", read_here)
    handler = partial(SimpleHTTPRequestHandler, directory=str(master))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever).start()
        try:
            url = f"http://127.0.0.1:{server.server_port}/000.jpg"
            assert batch(url, "--out", tmp_path / "moods") == 0
        finally:
            server.shutdown()
    assert [row[:4] for row in rows(tmp_path / "moods", master)] == [(url, "180", "170", "1")]
