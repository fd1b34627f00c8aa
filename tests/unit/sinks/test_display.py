"""What is said where no window can be opened."""

import ctypes

import cv2
import pytest

from livemood.core.errors import SinkError
from livemood.sinks.display import check_display


def test_display_when_libxcb_is_missing_then_the_line_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise OSError(f"{name}: cannot open shared object file")

    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr(cv2, "currentUIFramework", lambda: "QT5")
    monkeypatch.setattr(ctypes, "CDLL", missing)
    with pytest.raises(SinkError, match=r"^libxcb\.so\.1, which .*; install libxcb1 .*, or use no_window with"):
        check_display()
