"""The files of a folder or a zip, by relative path."""

import csv
import lzma
import math
import os
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from livemood.core.errors import DatasetError
from livemood.core.text_tables import decode_text, encoding_of, table_rows
from livemood.core.types import Image
from livemood.sources.image.decode import decoded
from livemood.sources.image.size_guard import MAX_PIXELS, pixels

MAX_FILE_BYTES = 1 << 28
"""Largest file of a data set that is read, bytes; in a zip, after unpacking. Photos have a thirtieth of it."""
MAX_FILES = 5_000_000
"""Largest number of files in a zip; their names are held in memory."""

_LONGEST_HEADER = 1 << 12
_DAMAGED = (OSError, KeyError, ValueError, RuntimeError, EOFError, zipfile.BadZipFile, zlib.error, lzma.LZMAError)


class Files:
    """Reads the files of a folder or a zip through one interface; hidden files are left out.

    Nothing is unpacked to disk, and only files in ``names`` are read: a table cannot name ``../secret`` or a device.

    Attributes:
        path: The folder or the zip.
        names: Relative paths with ``/``, sorted.
        folders: Relative paths of the folders, empty ones too.
        closed: Why a folder was not searched, by relative path: it is a link, or cannot be read.
        outside: Names in a zip that are absolute or have ``..``; these files are left out.

    Raises:
        DatasetError: The path is neither a folder nor a zip, or cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._zip: zipfile.ZipFile | None = None
        self._members: dict[str, str] = {}
        self.closed: dict[str, str] = {}
        self.outside: list[str] = []
        if path.is_dir():
            inside, self.closed = _walk(path)
        elif path.is_file() and (zipfile.is_zipfile(path) or path.suffix.lower() == ".zip"):
            self._zip = _open_zip(path)
            members = self._zip.namelist()
            self.outside = [member for member in members if _leads_out(member) and not member.endswith("/")]
            self._members = {_tidy(member): member for member in members if not _leads_out(member)}
            inside = [(name, member.endswith("/")) for name, member in self._members.items()]
        elif path.exists():
            raise DatasetError(
                f"{path} is not a folder, a zip or a .csv", "give a FER+ folder, fer2013.csv or one folder per class"
            )
        else:
            raise DatasetError(f"{path} is not there", "give a FER+ folder, fer2013.csv or one folder per class")
        seen = [(name, is_dir) for name, is_dir in inside if not _hidden(name)]
        self.names = sorted(name for name, is_dir in seen if not is_dir)
        self._known = frozenset(self.names)
        above = {name.rpartition("/")[0] for name in self.names}
        self.folders = sorted((above | {name for name, is_dir in seen if is_dir}) - {""})

    def read(self, name: str) -> bytes:
        """Return the content; empty where the file is not there, damaged or larger than ``MAX_FILE_BYTES``."""
        if name not in self._known:
            return b""
        try:
            if self._zip:
                member = self._zip.getinfo(self._members[name])
                # zipfile never unpacks more than the size in the zip's directory, so this check is enough.
                return self._zip.read(member) if member.file_size <= MAX_FILE_BYTES else b""
            file = self.path / name
            return file.read_bytes() if file.stat().st_size <= MAX_FILE_BYTES else b""
        except _DAMAGED:
            return b""

    def first_line(self, name: str) -> bytes:
        """Return the first line, cut off at 4 kB, however large the file is; empty where it cannot be read."""
        if name not in self._known:
            return b""
        try:
            with self._zip.open(self._members[name]) if self._zip else (self.path / name).open("rb") as stream:
                return stream.readline(_LONGEST_HEADER)
        except _DAMAGED:
            return b""

    def rows(self, name: str) -> Iterator[list[str]]:
        """Yield the rows of a CSV file, separated by commas, semicolons or tabs.

        Raises:
            DatasetError: It is not a CSV file.
        """
        return rows_of(self.read(name), f"{name} in {self.path}")


def rows_of(data: bytes, name: str) -> Iterator[list[str]]:
    """Yield the rows of a CSV file, separated by commas, semicolons or tabs.

    Args:
        data: Its content.
        name: Of the file, for the error.

    Raises:
        DatasetError: It is not a CSV file.
    """
    try:
        yield from table_rows(decode_text(data))
    except csv.Error as error:
        raise DatasetError(f"{name} cannot be read as CSV ({error})") from error


def table_of(path: Path, wanted: str) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Return the header of a CSV file beside the data, and the rows below it with their line numbers, but empty ones.

    Args:
        path: The file.
        wanted: What to give instead, for the error.

    Raises:
        DatasetError: It cannot be read, is not text in UTF-8 or UTF-16, or is not CSV.
    """
    try:
        data = path.read_bytes()
        rows = [(number, row) for number, row in enumerate(table_rows(data.decode(encoding_of(data))), 1) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"{path} cannot be read as CSV ({error})", "give {0}", wanted) from error
    (_, header), *rest = rows or [(1, [])]
    return header, rest


def decode(data: bytes) -> Image | None:
    """Return (H, W, 3) uint8 BGR, alpha composited over white, or None where the bytes are not a picture."""
    if not 0 < pixels(data) <= MAX_PIXELS:
        return None
    try:
        return decoded(data)
    except (cv2.error, MemoryError):
        return None


@contextmanager
def stored_arrays(path: Path) -> Iterator[Any]:
    """Open a file of ``np.savez``, after checking that no array declares more bytes than it has, or is a pickle.

    Raises:
        ValueError: An array does or is.
        OSError: The file cannot be read.
        zipfile.BadZipFile: It is damaged.
    """
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            with archive.open(info) as member:
                if np.lib.format.read_magic(member) != (1, 0):
                    raise ValueError(f"{info.filename[:40]} is of an unknown version")
                shape, _, kind = np.lib.format.read_array_header_1_0(member)
            if info.compress_type != zipfile.ZIP_STORED or math.prod(shape) * kind.itemsize > info.compress_size:
                raise ValueError(f"{info.filename[:40]} is smaller than its header states")
    with np.load(path, allow_pickle=False) as data:
        yield data


def _walk(top: Path) -> tuple[list[tuple[str, bool]], dict[str, str]]:
    """Return relative paths of files and folders, and whether each is a folder; and why folders were not searched."""
    inside, closed = list[tuple[str, bool]](), dict[str, str]()

    def note(error: OSError) -> None:
        folder = Path(error.filename or top)
        if folder == top:
            raise DatasetError(f"{top} cannot be read ({error.strerror})", "give a folder that may be read") from error
        closed[folder.relative_to(top).as_posix()] = f"it cannot be read ({error.strerror})"

    for place, folders, files in os.walk(top, onerror=note):
        here = Path(place)
        for name, is_dir in (*((name, True) for name in folders), *((name, False) for name in files)):
            path, inner = here / name, (here / name).relative_to(top).as_posix()
            try:
                if is_dir and path.is_symlink():
                    closed[inner] = "it is a link to a folder, which is not followed"
                if is_dir or path.is_file():
                    inside.append((inner, is_dir))
            except OSError as error:  # in a folder that may be listed but not searched
                note(OSError(error.errno, error.strerror, place))
    return inside, closed


def _open_zip(path: Path) -> zipfile.ZipFile:
    try:
        archive = zipfile.ZipFile(path)
    except _DAMAGED as error:
        raise DatasetError(f"{path} is a damaged zip ({error})", "get it again") from error
    if len(archive.namelist()) > MAX_FILES:
        archive.close()
        raise DatasetError(f"{path} contains more than {MAX_FILES} files", "unpack it and give the folder")
    # Not by ``is_dir``, which fails for a file without a name before Python 3.12.
    files = [info for info in archive.infolist() if not info.filename.endswith("/")]
    if files and all(map(_is_encrypted, files)):
        archive.close()
        raise DatasetError(f"{path} is protected by a password", "unpack it and give the folder")
    return archive


def _is_encrypted(info: zipfile.ZipInfo) -> bool:
    return bool(info.flag_bits & 1)


def _leads_out(member: str) -> bool:
    """Return whether a name in a zip is absolute or has ``..``."""
    return member.startswith("/") or ".." in member.split("/")


def _tidy(member: str) -> str:
    """Return the relative path of a name in a zip, such as ``a/b`` for ``./a//b``; empty for the top folder."""
    return "/".join(part for part in member.split("/") if part not in ("", "."))


def _hidden(name: str) -> bool:
    """Return whether a part of a name begins with a dot or is empty, or is what an operating system leaves behind."""
    return any(not part or part.startswith(".") or part in ("__MACOSX", "Thumbs.db") for part in name.split("/"))
