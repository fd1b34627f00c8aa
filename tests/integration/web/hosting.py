"""A host for a written page, with pictures beside it that only a test has."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from os import PathLike
from pathlib import Path


class _Handler(SimpleHTTPRequestHandler):
    """A static host that says of .wasm what it is, as every public one does."""

    def __init__(self, extra: Mapping[str, bytes], *words, **names) -> None:
        self._extra = extra
        super().__init__(*words, **names)

    def do_GET(self) -> None:
        data = self._extra.get(self.path.lstrip("/"))
        if data is None:
            super().do_GET()
            return
        self.send_response(200)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def guess_type(self, path: str | PathLike[str]) -> str:
        return {".wasm": "application/wasm", ".js": "text/javascript"}.get(Path(path).suffix) or super().guess_type(
            path
        )

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def hosted(folder: Path, extra: Mapping[str, bytes] | None = None) -> Iterator[str]:
    """Serve a folder, and further files by name; yield the URL."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, extra or {}, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()
