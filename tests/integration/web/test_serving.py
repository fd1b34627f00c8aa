"""``livemood web`` without a browser: what it serves and writes, and what it refuses."""

import errno
import http.client
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path

import cv2
import numpy as np
import pytest

from livemood.apps import web
from livemood.apps.web import PageServer, page_files, write_page
from livemood.bundles.fixed_batch import with_fixed_batch
from livemood.bundles.manifest import default_bundle, models_folder, read_bundle
from livemood.bundles.shipped import face_model
from livemood.cli import run
from livemood.core.errors import ModelIncompatible, SinkError
from livemood.core.stage_settings import Settings
from tests.support.builders import ROOT, SAMPLES, heed_interrupts, read_still

LIVEMOOD = Path(sys.executable).with_name("livemood")
STATIC = ROOT / "livemood" / "web" / "static"


@pytest.fixture(scope="module")
def content() -> dict[str, bytes]:
    return page_files()


def answers(network: bytes, faces: np.ndarray) -> np.ndarray:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=network, num_threads=1)
    interpreter.allocate_tensors()
    found = []
    for face in faces:
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], face[None])
        interpreter.invoke()
        found.append(interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0])
    return np.stack(found)


def test_fixed_batch_then_a_network_takes_one_face_and_answers_the_same_to_the_bit():
    from ai_edge_litert.interpreter import Interpreter

    original = read_bundle(default_bundle()).tflite.read_bytes()
    tied = with_fixed_batch(original)
    faces = np.random.default_rng(0).integers(0, 256, (20, 48, 48, 1)).astype(np.float32)
    assert np.array_equal(answers(original, faces), answers(tied, faces))
    for details in Interpreter(model_content=tied).get_input_details():
        assert list(details["shape_signature"]) == list(details["shape"]) == [1, 48, 48, 1]
    assert len(tied) == len(original)
    assert sum(one != two for one, two in zip(original, tied, strict=True)) < 20
    assert with_fixed_batch(tied) == tied


def test_yunet_when_converted_then_answers_as_in_opencv(content):
    from ai_edge_litert.interpreter import Interpreter

    picture = cv2.resize(read_still(SAMPLES / "faces.png"), (320, 320), interpolation=cv2.INTER_AREA)
    interpreter = Interpreter(model_content=content["models/yunet.tflite"], num_threads=1)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], picture[None].astype(np.float32))
    interpreter.invoke()
    names = [f"{part}_{stride}" for stride in (8, 16, 32) for part in ("cls", "obj", "bbox", "kps")]
    network = cv2.dnn.readNetFromONNX(str(face_model("yunet-onnx")))
    network.setInput(cv2.dnn.blobFromImage(picture))
    wanted = dict(zip(names, network.forward(names), strict=True))
    for details in interpreter.get_output_details():
        side = int(details["shape"][1])
        parts = [wanted[f"{part}_{320 // side}"].reshape(side, side, -1) for part in ("cls", "obj", "bbox", "kps")]
        assert np.abs(interpreter.get_tensor(details["index"])[0] - np.concatenate(parts, -1)).max() < 1e-4
    assert max(wanted["cls_8"].max(), wanted["cls_16"].max(), wanted["cls_32"].max()) > 0.5


@pytest.mark.parametrize("network", [b"", b"no network at all", b"\xff" * 64, b"\x08\0\0\0TFL3\xff\xff\xff\xff"])
def test_fixed_batch_when_it_is_no_network_then_says_so(network):
    with pytest.raises(ModelIncompatible, match="damaged"):
        with_fixed_batch(network)


def test_page_then_every_built_file_has_its_sha256_and_the_runtime_its_licence(content):
    digests = json.loads((STATIC / "sha256.json").read_text(encoding="utf-8"))
    built = {path.relative_to(STATIC).as_posix() for path in STATIC.rglob("*") if path.is_file()}
    assert built == {*digests, "sha256.json"}
    for name, digest in digests.items():
        assert sha256((STATIC / name).read_bytes()).hexdigest() == digest
    assert b"Apache License" in content["litert/LICENSE"]
    assert b"@litertjs/core" in content["litert/NOTICE"]
    assert content["models/NOTICE"] == (models_folder() / "face" / "NOTICE").read_bytes()


def build(*words, folder):
    return subprocess.run(["node", STATIC.parent / "build.mjs", *words], cwd=folder, capture_output=True, text=True)


def test_page_when_built_then_is_the_committed_one_and_replaces_nothing_else(tmp_path):
    for _ in range(2):
        done = build("page/", folder=tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
    built = {path.relative_to(tmp_path / "page"): path for path in (tmp_path / "page").rglob("*") if path.is_file()}
    committed = {path.relative_to(STATIC): path for path in STATIC.rglob("*") if path.is_file()}
    assert {name: path.read_bytes() for name, path in built.items()} == {
        name: path.read_bytes() for name, path in committed.items()
    }
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.txt").write_text("ten years", encoding="utf-8")
    done = build("other", folder=tmp_path)
    assert done.returncode == 1
    assert "other contains other files" in done.stderr
    assert (tmp_path / "other" / "thesis.txt").exists()


def test_page_then_one_visit_is_at_most_15_megabytes(content):
    builds = ("litert_wasm_internal", "litert_wasm_compat_internal")
    for other in builds:  # a browser takes one of them
        visit = {name: data for name, data in content.items() if f"/{other}." not in name}
        assert sum(map(len, visit.values())) <= 15_000_000


def test_settings_then_they_are_those_of_python_and_of_the_manifest(content):
    told = json.loads(content["settings.json"])
    every, bundle = json.loads(json.dumps(asdict(Settings()))), read_bundle(default_bundle())
    every["flow"] = every["roi"].pop("flow")
    for name, settings in every.items():
        assert told[name].items() >= settings.items()
    assert told["emotion"]["heads"][0] == {
        "name": "emotion",
        "labels": list(bundle.labels),
        "temperature": bundle.temperature,
        "offsets": [0.0] * 8,
    }
    balanced = json.loads(page_files(prior="balanced")["settings.json"])["emotion"]
    assert balanced["heads"][0]["offsets"] == list(bundle.offsets("balanced"))
    assert (told["emotion"]["prior"], balanced["prior"]) == ("training", "balanced")
    assert told["emotion"]["crop"]["template"] == [list(point) for point in bundle.crop.template]
    assert {name: sha256(content[name]).hexdigest() for name in told["sha256"]} == told["sha256"]
    assert set(told["overlay"]["colours"]) == {*bundle.labels, "unsure"}


def test_page_when_another_bundle_is_given_then_its_labels_are_told(tmp_path):
    bundle = shutil.copytree(default_bundle(), tmp_path / "mine")
    manifest = json.loads((bundle / "manifest.json").read_text(encoding="utf-8"))
    if "heads" in manifest:
        manifest["heads"][0]["labels"][0] = "calm"
    else:
        manifest["labels"][0] = "calm"
    (bundle / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    told = json.loads(page_files(bundle)["settings.json"])
    assert told["emotion"]["heads"][0]["labels"][0] == "calm"
    assert "calm" in told["overlay"]["colours"]


def test_page_when_a_built_file_was_altered_then_is_not_served(tmp_path, monkeypatch):
    (tmp_path / "web").mkdir()
    shutil.copytree(STATIC, tmp_path / "web" / "static")
    monkeypatch.setattr(web, "files", lambda _: tmp_path / "web")
    (tmp_path / "web" / "static" / "page.js").write_text("alert()", encoding="utf-8")
    with pytest.raises(SinkError, match=r"page\.js was altered"):
        page_files()
    (tmp_path / "web" / "static" / "page.js").unlink()
    with pytest.raises(SinkError, match="not all there"):
        page_files()


def test_folder_when_written_then_holds_the_page_and_nothing_else(content, tmp_path):
    size = write_page(tmp_path / "public" / "page")
    written = [path for path in (tmp_path / "public").rglob("*") if path.is_file()]
    assert {path.relative_to(tmp_path / "public" / "page").as_posix(): path.read_bytes() for path in written} == content
    assert size == sum(map(len, content.values()))


def test_folder_when_it_holds_other_things_then_they_stay(tmp_path):
    (tmp_path / "thesis.txt").write_text("ten years", encoding="utf-8")
    for force in (False, True):
        with pytest.raises(SinkError, match="is not empty and contains no page"):
            write_page(tmp_path, force=force)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
    with pytest.raises(SinkError, match="is a file"):
        write_page(tmp_path / "thesis.txt")
    (tmp_path / "index.html").write_text("<h1>my site", encoding="utf-8")
    for settings in ("{}", "[" * 100_000):
        (tmp_path / "settings.json").write_text(settings, encoding="utf-8")
        with pytest.raises(SinkError, match="contains no page"):
            write_page(tmp_path, force=True)


@pytest.mark.parametrize("name", [".", "link"])
def test_folder_when_named_by_a_dot_or_a_link_then_the_page_is_written_in_it(tmp_path, monkeypatch, name):
    (tmp_path / "page").mkdir()
    (tmp_path / "link").symlink_to("page")
    monkeypatch.chdir(tmp_path / "page" if name == "." else tmp_path)
    for force in (False, True):
        write_page(Path(name), force=force)
        assert (tmp_path / "page" / "index.html").is_file()
        assert (tmp_path / "link").is_symlink()


def test_folder_when_it_holds_a_page_then_only_force_replaces_it(tmp_path):
    page = tmp_path / "page"
    write_page(page)
    (page / "index.html").write_text("old", encoding="utf-8")
    (page / "CNAME").write_text("mine.org", encoding="utf-8")
    with pytest.raises(SinkError, match="use force or another out"):
        write_page(page)
    assert (page / "index.html").read_text(encoding="utf-8") == "old"
    write_page(page, force=True)
    assert (page / "index.html").read_text(encoding="utf-8") != "old"
    assert (page / "CNAME").read_text(encoding="utf-8") == "mine.org"
    assert [path.name for path in tmp_path.iterdir()] == ["page"]
    assert not (page / ".livemood-new").exists()


def test_folder_when_the_page_cannot_be_written_then_an_older_one_stays(tmp_path, monkeypatch):
    write_page(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    write = Path.write_bytes

    def full(path: Path, data: bytes) -> int:
        if path.name == "worker.js":
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(path, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(SinkError, match="No space left on device"):
        write_page(tmp_path, force=True)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def request(url: str, method: str, path: str) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection(url.removeprefix("http://").strip("/"), timeout=30)
    connection.request(method, path, body=b"x" if method == "POST" else None)
    return connection.getresponse()


def test_server_then_hands_out_the_page_to_this_computer_and_takes_nothing(url, content):
    assert url.startswith("http://127.0.0.1:")
    for name, kind in {
        "": "text/html; charset=utf-8",
        "index.html?start=1": "text/html; charset=utf-8",
        "worker.js": "text/javascript; charset=utf-8",
        "litert/litert_wasm_internal.wasm": "application/wasm",
        "models/near.tflite": "application/octet-stream",
    }.items():
        answer = request(url, "GET", f"/{name}")
        assert answer.status == 200
        assert answer.getheader("Content-Type") == kind
        assert answer.read() == content[name.split("?")[0] or "index.html"]
    head = request(url, "HEAD", "/page.js")
    assert (head.status, head.read()) == (200, b"")
    for path in ("/../../etc/passwd", "/%2e%2e/pyproject.toml", "/static/page.js", "//etc/passwd", "/manifest.json"):
        assert request(url, "GET", path).status == 404
    assert request(url, "POST", "/page.js").status == 501
    own = {str(info[4][0]) for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)} - {"127.0.0.1"}
    for address in own:
        if not address.startswith("127."):
            with pytest.raises(OSError, match="refused"):
                socket.create_connection((address, int(url.rsplit(":", 1)[1].strip("/"))), 5)


def test_server_when_the_port_is_taken_then_says_so(url):
    port = int(url.rsplit(":", 1)[1].strip("/"))
    with pytest.raises(SinkError, match=rf"port {port} cannot be served on .*; use another port"):
        PageServer.open(port)


@pytest.mark.parametrize(("broken", "tracebacks"), [(True, 1), (False, 0)])
def test_server_when_an_answer_fails_then_the_error_is_printed_but_no_dropped_connection(
    broken, tracebacks, monkeypatch, capfd
):
    before = set(threading.enumerate())
    monkeypatch.setattr(web, "page_files", lambda *_: {"index.html": "no bytes" if broken else b" " * 50_000_000})
    with PageServer.open() as server:
        threading.Thread(target=server.serve, daemon=True).start()
        address = "127.0.0.1", int(server.url.rsplit(":", 1)[1].strip("/"))
        with socket.create_connection(address, 20) as client:
            client.sendall(b"GET / HTTP/1.1\r\n\r\n")
            client.recv(1)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # drops the rest
    for thread in set(threading.enumerate()) - before:
        thread.join(20)
    assert capfd.readouterr().err.count("Traceback") == tracebacks


def test_server_when_closed_before_it_serves_then_it_ends_and_the_port_is_free():
    server = PageServer.open()
    server.close()
    port = int(server.url.rsplit(":", 1)[1].strip("/"))
    with PageServer.open(port) as again:
        assert again.url == server.url


def test_command_when_serving_then_a_browser_in_the_foreground_is_answered_and_an_interrupt_ends_it(tmp_path):
    browser = tmp_path / "browser.py"
    browser.write_text(
        "import sys, urllib.request\nprint(urllib.request.urlopen(sys.argv[1], timeout=30).status, flush=True)\n"
    )
    process = subprocess.Popen(
        [str(LIVEMOOD), "web"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "BROWSER": f"{sys.executable} {browser} %s"},
        preexec_fn=heed_interrupts,
    )
    assert process.stdout is not None
    url = process.stdout.readline().split()[0]
    assert process.stdout.readline() == "200\n"
    assert request(url, "GET", "/").status == 200
    process.send_signal(signal.SIGINT)
    out, error = process.communicate(timeout=60)
    assert (process.returncode, out, error) == (0, "", "")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--out", "page", "--port", "8123"], "a page written with --out is not served"),
        (["--force"], "there is no page to replace"),
    ],
)
def test_command_when_options_do_not_go_together_then_says_so(tmp_path, monkeypatch, capsys, words, message):
    monkeypatch.chdir(tmp_path)
    assert run(["web", *words]) == 2
    assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_command_when_writing_then_says_where_and_how_large(tmp_path):
    command = [LIVEMOOD, "web", "--out", tmp_path / "page"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert "MB" in done.stdout
    again = subprocess.run(command, capture_output=True, text=True)
    assert again.returncode == 1
    assert again.stderr == f"livemood: {tmp_path / 'page'} contains a page already; use --force or another --out\n"
