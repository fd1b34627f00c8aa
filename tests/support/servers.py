"""Network cameras and a file server for tests."""

import os
import socket
import struct
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer

import av
import cv2
import numpy as np


def picture(level, width=64, height=48):
    return np.full((height, width, 3), level % 256, np.uint8)


@contextmanager
def silent_server() -> Iterator[str]:
    """Accept connections and never answer; yield the URL."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/video"


class _Server(ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


@contextmanager
def files_served(folder: Path, missing=0) -> Iterator[str]:
    """Serve a folder's files over HTTP without range requests, or cut off by some bytes; yield the folder's URL."""

    class Handler(SimpleHTTPRequestHandler):
        def copyfile(self, source, outputfile):
            data = source.read()
            outputfile.write(data[: len(data) - missing])

        def log_message(self, *_):
            pass

    with _Server(("127.0.0.1", 0), partial(Handler, directory=folder)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


class Loopback(ABC):
    """A server on this machine that can be stopped and started again on the same port.

    While ``stalled`` is set, it sends nothing and keeps connections open.

    Attributes:
        sent: Pictures so far.
        connections: Clients so far.
    """

    scheme = path = ""

    def __init__(self, corrupt_every=0):
        self._corrupt_every, self.port, self.sent, self.connections = corrupt_every, 0, 0, 0
        self.stalled = threading.Event()
        self.start()

    @property
    def url(self):
        return f"{self.scheme}://user:secret@127.0.0.1:{self.port}/{self.path}"

    def start(self):
        self._stopped = threading.Event()
        self._server = _Server(("127.0.0.1", self.port), self.handler(self._stopped))
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @abstractmethod
    def handler(self, stopped):
        """Return the request handler class; its instances run until ``stopped`` is set."""

    def stop(self):
        self._stopped.set()
        self._server.shutdown()
        self._server.server_close()


class MjpegServer(Loopback):
    """Motion JPEG: ``show`` with a flicker, or grey levels that change from picture to picture."""

    scheme, path = "http", "video.mjpg"
    shape = (48, 64, 3)

    def __init__(self, corrupt_every=0, show=None, first_boundary=True):
        self._show, self._first_boundary = show, first_boundary
        super().__init__(corrupt_every)

    def handler(self, stopped):
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                outer.connections += 1
                self.send_response(200)
                self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
                self.end_headers()
                try:
                    while not stopped.is_set():
                        if not outer.stalled.is_set():
                            self.wfile.write(outer.part())
                        time.sleep(0.01)
                except OSError:
                    pass

            def log_message(self, *_):
                pass

        return Handler

    def part(self):
        self.sent += 1
        image = picture(self.sent * 5) if self._show is None else self._show ^ np.uint8(self.sent % 4)
        data = cv2.imencode(".jpg", image)[1].tobytes()
        if self._corrupt_every and self.sent % self._corrupt_every == 0:
            data = os.urandom(len(data))
        part = b"Content-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%s\r\n" % (len(data), data)
        return b"--frame\r\n" + part if self._first_boundary else part + b"--frame\r\n"


class RtspServer(Loopback):
    """H.264 over RTSP, with RTP inside the same connection (RFC 2326, 3550, 6184); grey levels that change."""

    scheme, path = "rtsp", "video"
    SDP = (
        "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=test\r\nt=0 0\r\n"
        "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:track\r\n"
    )
    shape = (96, 128, 3)

    def handler(self, stopped):
        outer = self

        class Handler(StreamRequestHandler):
            def handle(self):
                outer.connections += 1
                try:
                    while (request := self.request_lines()) and self.answer(request):
                        pass
                except OSError:
                    pass

            def request_lines(self):
                lines: list[str] = []
                while (line := self.rfile.readline().decode().strip()) or not lines:
                    if not line:
                        return None
                    lines.append(line)
                return lines

            def answer(self, lines):
                verb, url, _ = lines[0].split()
                headers = dict(line.split(": ", 1) for line in lines[1:])
                extra, body = "Session: 1\r\n", ""
                if verb == "OPTIONS":
                    extra = "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n"
                elif verb == "DESCRIBE":
                    extra, body = f"Content-Base: {url}/\r\nContent-Type: application/sdp\r\n", outer.SDP
                elif verb == "SETUP":
                    extra += "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n"
                head = f"RTSP/1.0 200 OK\r\nCSeq: {headers['CSeq']}\r\n{extra}Content-Length: {len(body)}\r\n\r\n"
                self.wfile.write((head + body).encode())
                if verb == "PLAY":
                    self.play()
                return verb not in ("PLAY", "TEARDOWN")

            def play(self):
                encoder, sequence = new_encoder(), 0
                while not stopped.is_set():
                    if not outer.stalled.is_set():
                        for payload, last in outer.payloads(encoder):
                            sequence = (sequence + 1) % 65536
                            head = struct.pack(">BBHII", 0x80, 96 | last << 7, sequence, outer.sent * 900, 1)
                            self.wfile.write(struct.pack(">cBH", b"$", 0, len(head + payload)) + head + payload)
                    time.sleep(0.01)

        return Handler

    def payloads(self, encoder):
        """Return the next picture's RTP payloads, each with whether it is the last; small enough for a packet each."""
        self.sent += 1
        frame = av.VideoFrame.from_ndarray(picture(self.sent * 5, 128, 96), "bgr24")
        frame.pts = self.sent
        coded = b"".join(bytes(packet) for packet in encoder.encode(frame))
        units = [unit for unit in coded.replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1") if unit]
        if self._corrupt_every and self.sent % self._corrupt_every == 0:
            units = [unit[:1] + os.urandom(40) if unit[0] & 31 in (1, 5) else unit for unit in units]
        return [(unit, unit is units[-1]) for unit in units]


def new_encoder():
    """Return an H.264 encoder of key frames only, without delay."""
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt, encoder.framerate = 128, 96, "yuv420p", Fraction(30)
    encoder.options = {"preset": "ultrafast", "tune": "zerolatency", "x264-params": "keyint=1:repeat-headers=1"}
    return encoder
