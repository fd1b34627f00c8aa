"""A virtual display for tests: Xvfb on a free number with a window manager; keys through xdotool.

On Debian: ``apt-get install xvfb xdotool openbox``.
"""

import os
import struct
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

_WIDTH, _HEIGHT = 1000, 800
# Without borders, since xdotool counts them into a window's place.
_RULES = """<?xml version="1.0"?>
<openbox_config xmlns="http://openbox.org/3.4/rc">
  <keyboard><keybind key="A-F4"><action name="Close"/></keybind></keyboard>
  <applications><application class="*"><decor>no</decor></application></applications>
</openbox_config>
"""


class Display:
    """A virtual display; a context manager.

    Attributes:
        env: The environment for programs that are to appear on it.
    """

    def __enter__(self):
        self._folder = tempfile.TemporaryDirectory()
        read, write = os.pipe()
        self._server = subprocess.Popen(
            ["Xvfb", "-displayfd", str(write), "-screen", "0", f"{_WIDTH}x{_HEIGHT}x24", "-fbdir", self._folder.name],
            pass_fds=[write],
            stderr=subprocess.DEVNULL,
        )
        os.close(write)
        with os.fdopen(read) as number:
            self.env = {**os.environ, "DISPLAY": f":{number.readline().strip()}"}
        rules = Path(self._folder.name) / "openbox.xml"
        rules.write_text(_RULES, encoding="utf-8")
        command = ["openbox", "--config-file", str(rules)]
        silent = subprocess.DEVNULL
        self._manager = subprocess.Popen(command, env=self.env, stdout=silent, stderr=silent)
        return self

    def __exit__(self, *_):
        for process in (self._manager, self._server):
            process.terminate()
            process.wait()
        self._folder.cleanup()

    def press(self, window, *keys):
        """Press keys in a window, one after the other, with pauses between them."""
        subprocess.run(["xdotool", "windowactivate", "--sync", window], env=self.env, check=True)
        for key in keys:
            subprocess.run(["xdotool", "key", key], env=self.env, check=True, stderr=subprocess.DEVNULL)
            time.sleep(0.15)

    def window(self, name):
        """Wait for a visible window with this in its title and return its id."""
        search = ["xdotool", "search", "--onlyvisible", "--sync", "--name", name]
        found = subprocess.run(search, env=self.env, check=True, capture_output=True, text=True, timeout=60)
        return found.stdout.split()[0]

    def resize(self, window, width, height):
        subprocess.run(["xdotool", "windowsize", window, str(width), str(height)], env=self.env, check=True)

    def content(self, window):
        """Return what a window shows, (H, W, 3) uint8 BGR."""
        request = ["xdotool", "getwindowgeometry", "--shell", window]
        answer = subprocess.run(request, env=self.env, check=True, capture_output=True, text=True).stdout
        place = {key: int(value) for key, value in (line.split("=") for line in answer.split())}
        x, y = place["X"], place["Y"]
        return self.picture()[y : y + place["HEIGHT"], x : x + place["WIDTH"]]

    def picture(self):
        """Return what is on the screen, (H, W, 3) uint8 BGR."""
        data = (Path(self._folder.name) / "Xvfb_screen0").read_bytes()  # in the XWD format
        head = struct.unpack(">25I", data[:100])
        size, width, height, row, colours = head[0], head[4], head[5], head[12], head[19]
        begin = size + 12 * colours
        pixels = np.frombuffer(data, np.uint8, row * height, begin).reshape(height, row // 4, 4)
        return pixels[:, :width, :3].copy()

    def becomes(self, window, condition: Callable[[np.ndarray], bool], timeout_s=60.0):
        """Return whether the content of a window meets the condition within the timeout."""
        ends = time.monotonic() + timeout_s
        while not (holds := condition(self.content(window))) and time.monotonic() < ends:
            time.sleep(0.05)
        return holds
