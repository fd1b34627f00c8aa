"""The browser page: written to a folder, or served on localhost."""

import json
import shutil
import sys
from collections.abc import Callable
from functools import partial
from hashlib import sha256
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from pathlib import Path, PurePosixPath
from threading import Event
from typing import Any, Final, Self

from livemood.apps.page_settings import (
    COVERED_FILE,
    EMOTION_FILE,
    FAR_FILE,
    NEAR_FILE,
    TILTED_FILE,
    YUNET_FILE,
    page_settings,
)
from livemood.bundles.fixed_batch import with_fixed_batch
from livemood.bundles.manifest import models_folder, named_bundle, read_bundle
from livemood.bundles.shipped import face_model
from livemood.bundles.verify.tflite_file import check_tflite
from livemood.core.errors import SinkError
from livemood.core.settings import PriorName
from livemood.emotion.quality import network_weights
from livemood.runtime.atomic_io import refuse_file_as_folder, unwritable
from livemood.runtime.closeable import Closeable

HOST: Final = "127.0.0.1"
START: Final = "index.html"

_SETTINGS: Final = "settings.json"
_NEW: Final = ".livemood-new"  # files are complete there before they replace those of an older page
_KINDS: Final = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".wasm": "application/wasm",
    ".svg": "image/svg+xml",
    "": "text/plain; charset=utf-8",
}
_NOTICES: Final = ("LICENSE", "LICENSE-yunet", "NOTICE")
_HEADERS: Final = {
    "Cache-Control": "no-cache",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(self), microphone=()",
}


def page_files(bundle: Path | None = None, prior: PriorName = "training") -> dict[str, bytes]:
    """Return every file of the page by its path from the page's folder, with forward slashes.

    Args:
        bundle: Folder of another emotion model.
        prior: How common emotions are assumed to be.

    Raises:
        ModelMissing: A model file is not there.
        ModelIncompatible: It is not the one that its manifest describes, or has no such prior.
        SinkError: The page was not built, or its files were altered.
    """
    model = read_bundle(named_bundle(bundle))
    network = model.checked(model.tflite)
    check_tflite(network, model.crop.shape, {head.name: len(head.labels) for head in model.heads})
    networks = {
        NEAR_FILE: face_model("near").read_bytes(),
        FAR_FILE: face_model("far").read_bytes(),
        YUNET_FILE: face_model("yunet").read_bytes(),
        EMOTION_FILE: with_fixed_batch(network.read_bytes()),
        COVERED_FILE: network_weights("covered"),
        TILTED_FILE: network_weights("tilted"),
    }
    digests = {name: sha256(content).hexdigest() for name, content in networks.items()}
    settings = json.dumps(page_settings(model, prior, digests), ensure_ascii=False, indent=1) + "\n"
    notices = {f"models/{name}": (models_folder() / "face" / name).read_bytes() for name in _NOTICES}
    return {**_built(), **networks, **notices, _SETTINGS: settings.encode()}


def write_page(out: Path, bundle: Path | None = None, prior: PriorName = "training", *, force: bool = False) -> int:
    """Write the page as a folder that any https host can serve; return its size in bytes.

    Other files in the folder stay.

    Args:
        out: The folder; made if it is not there.
        bundle: Folder of another emotion model.
        prior: How common emotions are assumed to be.
        force: Replace the files of the page in a folder that holds one.

    Raises:
        SinkError: The folder is not empty and holds no page, or cannot be written.
        ModelError: As ``page_files``.
    """
    content = page_files(bundle, prior)
    refuse_file_as_folder(out, "out")
    new = out / _NEW
    try:
        if out.is_dir() and any(path != new for path in out.iterdir()):
            if not _holds_page(out):
                raise SinkError(f"{out} is not empty and contains no page", "give {out} a folder of the page's own")
            if not force:
                raise SinkError(f"{out} contains a page already", "use {force} or another {out}")
        for name, data in content.items():
            file = new / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
        for name in content:
            (out / name).parent.mkdir(parents=True, exist_ok=True)
            (new / name).replace(out / name)
    except SinkError:
        raise
    except OSError as error:
        raise unwritable(out, "out", error) from error
    finally:
        shutil.rmtree(new, ignore_errors=True)
    return sum(map(len, content.values()))


def _holds_page(folder: Path) -> bool:
    """Return whether a folder holds a page that was written before: its settings have the parts of today's."""
    try:
        settings = json.loads((folder / _SETTINGS).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(settings, dict) and settings.keys() >= {"records_version", "blazeface", "emotion"}


class PageServer(Closeable):
    """Serves the page on localhost; a context manager.

    Attributes:
        url: Where the page is.
    """

    def __init__(self, server: ThreadingHTTPServer) -> None:
        self.url = f"http://{HOST}:{server.server_address[1]}/"
        self._server = server
        self._served = Event()

    @classmethod
    def open(cls, port: int = 0, bundle: Path | None = None, prior: PriorName = "training") -> Self:
        """Open the port; ``serve`` then answers requests.

        Args:
            port: TCP port; 0 takes a free one.
            bundle: Folder of another emotion model.
            prior: How common emotions are assumed to be.

        Raises:
            SinkError: The port is taken, or may not be used.
            ModelError: As ``page_files``.
        """
        handler: Callable[..., BaseHTTPRequestHandler] = partial(_Handler, page_files(bundle, prior))
        try:
            server = _Server((HOST, port), handler)
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or error
            raise SinkError(f"port {port} cannot be served on ({reason})", "use another {port}, or none") from error
        return cls(server)

    def serve(self) -> None:
        """Answer requests until ``close`` is called from another thread, or an interrupt."""
        self._served.set()
        self._server.serve_forever()

    def close(self) -> None:
        """Stop answering and free the port."""
        if self._served.is_set():  # else there is no loop to wait for
            self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore dropped connections, as of a browser that closes its tab."""
        if not isinstance(sys.exception(), (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    """Serves the page's files and nothing else; accepts no data."""

    server_version = "livemood"
    sys_version = ""
    protocol_version = "HTTP/1.1"

    def __init__(self, content: dict[str, bytes], *words: object) -> None:
        self._content = content
        super().__init__(*words)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing, for privacy."""

    def _answer(self, with_body: bool) -> None:
        name = self.path.split("?")[0].split("#")[0].lstrip("/") or START
        data = self._content.get(name)
        if data is None:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        self.send_response(HTTPStatus.OK)
        kind = _KINDS.get(PurePosixPath(name).suffix, "application/octet-stream")
        for header, value in {**_HEADERS, "Content-Type": kind, "Content-Length": str(len(data))}.items():
            self.send_header(header, value)
        self.end_headers()
        if with_body:
            self.wfile.write(data)


def _built() -> dict[str, bytes]:
    """Return the built files of the page by path, after comparing their checksums."""
    folder = files("livemood.web").joinpath("static")
    try:
        digests: dict[str, str] = json.loads(folder.joinpath("sha256.json").read_text(encoding="utf-8"))
        content = {name: folder.joinpath(*name.split("/")).read_bytes() for name in digests}
    except (OSError, ValueError) as error:
        raise SinkError("the page's files are not all there", "reinstall livemood") from error
    altered = [name for name, data in content.items() if sha256(data).hexdigest() != digests[name]]
    if altered:
        raise SinkError(f"the page's file {altered[0]} was altered or damaged", "reinstall livemood")
    return content
