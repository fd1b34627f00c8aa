"""A network camera for tests."""

import os
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import cv2
import numpy as np


def picture(level, width=64, height=48):
    return np.full((height, width, 3), level % 256, np.uint8)


class MjpegServer:
    """Motion JPEG on loopback; can be stopped and started again on the same port.

    It shows ``show``, or grey levels that change from picture to picture; while ``stalled`` is set, nothing comes and
    nobody hangs up.
    """

    def __init__(self, corrupt_every=0, show=None):
        self._corrupt_every, self._show, self.port, self.sent = corrupt_every, show, 0, 0
        self.connections = 0
        self.stalled = threading.Event()
        self.start()

    @property
    def url(self):
        return f"http://user:secret@127.0.0.1:{self.port}/video.mjpg"

    def start(self):
        self._running = running = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                outer.connections += 1
                self.send_response(200)
                self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
                self.end_headers()
                try:
                    while not running.is_set():
                        if not outer.stalled.is_set():
                            self.wfile.write(outer.part())
                        time.sleep(0.01)
                except OSError:
                    pass

            def log_message(self, *_):
                pass

        class Server(ThreadingHTTPServer):
            allow_reuse_address = True
            daemon_threads = True

        self._server = Server(("127.0.0.1", self.port), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def part(self):
        self.sent += 1
        image = picture(self.sent * 5) if self._show is None else self._show ^ np.uint8(self.sent % 4)
        data = cv2.imencode(".jpg", image)[1].tobytes()
        if self._corrupt_every and self.sent % self._corrupt_every == 0:
            data = os.urandom(len(data))
        return b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%s\r\n" % (len(data), data)

    def stop(self):
        self._running.set()
        self._server.shutdown()
        self._server.server_close()
