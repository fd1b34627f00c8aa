"""The files of a folder or a zip, by relative path."""

import csv
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from livemood.errors import DatasetError
from livemood.values import Image


class Files:
    """Reads a folder and a zip alike; what the operating system hides in them is left out.

    Attributes:
        names: Relative paths with ``/``, sorted.
        folders: Relative paths of the folders, empty ones too.

    Raises:
        DatasetError: It is neither.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._zip: zipfile.ZipFile | None = None
        if path.is_dir():
            inside = [(p.relative_to(path).as_posix(), p.is_dir()) for p in path.rglob("*")]
        elif zipfile.is_zipfile(path):
            self._zip = zipfile.ZipFile(path)
            inside = [(name.rstrip("/"), name.endswith("/")) for name in self._zip.namelist()]
        elif path.exists():
            raise DatasetError(
                f"{path} is no folder, no zip and no .csv; give a FER+ folder, fer2013.csv or one folder per class"
            )
        else:
            raise DatasetError(f"{path} is not there; give a FER+ folder, fer2013.csv or one folder per class")
        seen = [(name, is_dir) for name, is_dir in inside if not _hidden(name)]
        self.names = sorted(name for name, is_dir in seen if not is_dir)
        above = {name.rpartition("/")[0] for name in self.names}
        self.folders = sorted((above | {name for name, is_dir in seen if is_dir}) - {""})

    def read(self, name: str) -> bytes:
        """Return the content; empty where the file is not there or damaged."""
        try:
            return self._zip.read(name) if self._zip else (self.path / name).read_bytes()
        except (OSError, KeyError, zipfile.BadZipFile):
            return b""

    def rows(self, name: str) -> Iterator[list[str]]:
        """Yield the rows of a CSV file."""
        yield from csv.reader(io.StringIO(self.read(name).decode("utf-8-sig", errors="replace")))


def decode(data: bytes) -> Image | None:
    """Return (H, W, 3) uint8 BGR, or None where the bytes are no picture."""
    buffer = np.frombuffer(data, np.uint8)
    try:
        image = cv2.imdecode(buffer, cv2.IMREAD_COLOR) if buffer.size else None
    except cv2.error:  # a header that promises more pixels than OpenCV takes
        image = None
    return None if image is None else np.asarray(image, np.uint8)


def _hidden(name: str) -> bool:
    return any(part.startswith(".") or part in ("__MACOSX", "Thumbs.db") for part in name.split("/"))
