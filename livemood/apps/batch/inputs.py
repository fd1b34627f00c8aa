"""Inputs of a batch: files, folders, globs and lists of paths, local or in object stores."""

import csv
import glob
import hashlib
import io
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

from livemood.core.errors import SourceError
from livemood.core.text_tables import NOT_UTF8, decode_text, table_rows
from livemood.records.parquet import PARQUET, whole_parquet
from livemood.runtime.optional_deps import required
from livemood.runtime.paths import is_there
from livemood.runtime.storage import MANIFEST_FOLDER, filesystem, is_url, place_of, read_bytes
from livemood.sources.image.formats import PICTURE_SUFFIXES, VIDEO_SUFFIXES

_LISTS: Final = (".csv", ".tsv", ".parquet", ".txt")
_SHOWN: Final = 80
_MISSING: Final = -1
_ANY_DEPTH: Final = re.compile(r"(?<![^/\\])\*\*[/\\]+")  # as a whole part of a pattern


class InputFile(NamedTuple):  # faster than a dataclass: ten million of them are sorted and compared
    """One photo or video.

    Attributes:
        path: Path or URL, as written into the data set.
        size: Bytes; -1 if it does not exist.
        stamp: Changes with its content: the modification time, or the ETag or version of an object store.
    """

    path: str
    size: int = _MISSING
    stamp: str = ""

    @property
    def is_video(self) -> bool:
        """Whether its suffix is that of a video."""
        return _suffix(self.path) in VIDEO_SUFFIXES


def expand(words: Sequence[str], on_unreadable: Callable[[str], None] = lambda _: None) -> list[InputFile]:
    """Return the photos and videos of all inputs, sorted by path.

    A file that is named in several ways, such as ``a.jpg`` and ``./a.jpg``, is returned once, as it was named first.
    Copies that an earlier batch labelled are left out, where they lie among the videos they were made of.

    Args:
        words: Files, folders, globs, URLs of these, and lists of paths: .csv, .tsv and .parquet with a column
            ``path``, .txt with one path per line. Paths from a list are not checked for existence.
        on_unreadable: Called with each folder inside these that cannot be read.

    Raises:
        SourceError: Nothing is found, or a list cannot be read.
        LivemoodError: A Parquet list is damaged, or the driver of a URL is not installed.
    """
    found: dict[str, InputFile] = {}
    for word in words:
        empty = True
        for one in _remote(word) if is_url(word) else _local(word, on_unreadable):
            empty = False
            found.setdefault(one.path if is_url(one.path) else os.path.abspath(one.path), one)  # noqa: PTH100
        if empty:
            raise SourceError(f"{word} names no photos and no videos", "name files, folders, globs or a list of paths")
    copies = {labelled_name(one.path) for one in found.values() if one.is_video}
    return sorted(one for one in found.values() if not (one.is_video and _file_name(one.path) in copies))


def labelled_name(path: str) -> str:
    """Return the name of a video's labelled copy, different for equal names in different folders."""
    stem, _, _ = _file_name(path).rpartition(".")
    return f"{stem}-{hashlib.sha256(path.encode(errors=NOT_UTF8)).hexdigest()[:8]}.mp4"


def share(inputs: Iterable[InputFile], part: int, parts: int) -> list[InputFile]:
    """Return share ``part`` of ``parts``, counted from 1; which share a path is in depends on the path alone."""
    return [one for one in inputs if _stable_hash(one.path) % parts == part - 1]


def _stable_hash(path: str) -> int:
    return int.from_bytes(hashlib.blake2b(path.encode(errors=NOT_UTF8), digest_size=8).digest(), "big")


def _local(word: str, on_unreadable: Callable[[str], None]) -> Iterator[InputFile]:
    path = Path(word)
    if path.is_dir():
        try:
            os.scandir(word).close()
        except OSError as error:
            raise SourceError(f"{word} cannot be read ({error.strerror})") from error
        yield from _walk(word, on_unreadable)
    elif path.suffix.lower() in _LISTS:
        yield from map(_input_file, _listed(word))
    elif path.exists() or not glob.has_magic(word):
        yield _input_file(word)
    else:
        for match in _matches(word, on_unreadable):
            if not os.path.isdir(match):  # noqa: PTH112
                if _is_media(match):
                    yield _input_file(match)
            elif not Path(match).is_symlink() and Path(match).name != MANIFEST_FOLDER:
                yield from _walk(match, on_unreadable)


def _matches(pattern: str, on_unreadable: Callable[[str], None]) -> Iterator[str]:
    """Yield the files and folders that a pattern matches, as it is written; ``**`` follows no links to folders."""
    recursive = _ANY_DEPTH.search(pattern)
    if not recursive:
        yield from glob.iglob(pattern)  # noqa: PTH207  # many, and as they were written
        return
    head, rest = pattern[: recursive.start()], pattern[recursive.end() :]
    for top in glob.iglob(head) if head else ("",):  # noqa: PTH207
        yield from _matches(glob.escape(top) + rest, on_unreadable)
        for entry in _entries(top or os.curdir, on_unreadable):
            if entry.is_dir(follow_symlinks=False):
                below = top + os.path.relpath(entry.path, top or os.curdir)
                yield from _matches(os.path.join(glob.escape(below), rest), on_unreadable)  # noqa: PTH118


def _walk(folder: str, on_unreadable: Callable[[str], None]) -> Iterator[InputFile]:
    """Yield the photos and videos in a folder and below.

    A link that cannot be followed is yielded too, as a file that does not exist.
    """
    for entry in _entries(folder, on_unreadable):
        if _is_media(entry.name) and not entry.is_dir(follow_symlinks=False) and _is_file(entry):
            yield _input_file(entry.path)


def _entries(folder: str, on_unreadable: Callable[[str], None]) -> Iterator["os.DirEntry[str]"]:
    """Yield what is in a folder and below, without names that are left out; links to folders are not followed."""
    waiting = [folder]
    while waiting:
        here = waiting.pop()
        try:
            with os.scandir(here) as entries:
                for entry in entries:
                    if _is_left_out(entry.name):
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    yield entry
        except OSError:
            on_unreadable(here)


def _is_left_out(name: str) -> bool:
    """Return whether a file or folder is read only if it is named itself."""
    return name.startswith(".") or name == MANIFEST_FOLDER


def _is_file(entry: "os.DirEntry[str]") -> bool:
    """Return whether an entry is a file, or a link that cannot be followed."""
    try:
        return entry.is_file() or (entry.is_symlink() and not is_there(entry.path))
    except OSError:  # a link to itself, or into a folder that cannot be read
        return True


def _input_file(path: str) -> InputFile:
    if is_url(path):
        known = _asked(path, filesystem(path).info, OSError)
        return _remote_file(path, known) if known and known.get("type") == "file" else InputFile(path)
    try:
        about = os.stat(path)  # noqa: PTH116  # ten million times
    except (OSError, ValueError):
        return InputFile(path)
    return InputFile(path, about.st_size, str(about.st_mtime_ns))


def _remote(url: str) -> Iterator[InputFile]:
    if url.lower().endswith(_LISTS):
        yield from map(_input_file, _rows(url, read_bytes(url)))
        return
    store = filesystem(url)
    is_pattern = glob.has_magic(url)
    known = _asked(url, store.info) if is_pattern or _is_media(url) else None
    if known and known.get("type") == "file":
        yield _remote_file(url, known)
        return
    search = store.glob if is_pattern and not known else store.find
    found = _asked(url, partial(search, detail=True)) or {}
    if not found and not is_pattern and _asked(url, store.info) is None:
        yield InputFile(url)
    place, scheme = place_of(url), url.partition("://")[0] + "://"
    whole, end = url.rstrip("/"), place.rstrip("/")
    top = whole.removesuffix(end) if whole.endswith(end) else scheme  # with the host, where there is one
    named = set(place.split("/"))
    for name, about in found.items():
        if about.get("type") == "file" and _is_media(name) and not any(map(_is_left_out, {*name.split("/")} - named)):
            yield _remote_file(f"{scheme}{name.partition('://')[2]}" if "://" in name else f"{top}{name}", about)


def _asked(
    url: str, question: Callable[[str], dict[str, Any]], missing: type[OSError] = FileNotFoundError
) -> dict[str, Any] | None:
    """Return a store's answer about a URL; None where nothing is there, which it raises ``missing`` for.

    Raises:
        SourceError: The store does not answer.
    """
    try:
        return question(url)
    except missing:
        return None
    except Exception as error:  # drivers raise what their own libraries do
        raise SourceError(f"{url} could not be listed ({' '.join(str(error).split())[:200]})") from error


def _remote_file(url: str, about: dict[str, Any]) -> InputFile:
    return InputFile(url, int(about["size"] or 0), _stamp(about))


def _stamp(about: dict[str, Any]) -> str:
    """Return a store's ETag or version of a file, or else its modification time."""
    for name in ("ETag", "etag", "md5Hash", "LastModified", "mtime", "created"):
        value = about.get(name)
        if value:
            return value.isoformat() if isinstance(value, datetime) else str(value)
    return ""


def _listed(path: str) -> Iterable[str]:
    try:
        return _rows(path, Path(path).read_bytes())
    except SourceError:
        raise
    except FileNotFoundError as error:
        raise SourceError(f"{path} is not there", "check the name of the list") from error
    except OSError as error:
        raise SourceError(f"{path} cannot be read ({error.strerror})") from error


def _rows(name: str, data: bytes) -> list[str]:
    """Return the paths of a list, without duplicates."""
    if name.lower().endswith(".txt"):  # not with splitlines(): names may hold what it takes for the end of a line
        lines = (line.removesuffix("\r") for line in decode_text(data).split("\n"))
        return list(dict.fromkeys(line for line in lines if line.strip()))
    if name.lower().endswith(".parquet"):
        with whole_parquet(name), required("pyarrow.parquet", PARQUET).ParquetFile(io.BytesIO(data)) as file:
            _check_columns(name, file.schema_arrow.names)
            cells = file.read(columns=["path"]).column("path")
        column = [cell.decode(errors=NOT_UTF8) if isinstance(cell, bytes) else cell for cell in cells.to_pylist()]
        if not all(isinstance(cell, str) for cell in column if cell is not None):
            raise SourceError(
                f"{name} is not a list of paths: its column path contains {cells.type}", "write it as text"
            )
    else:
        try:
            rows = table_rows(decode_text(data))
            columns = [cell.strip() for cell in next(rows, [])]
            _check_columns(name, columns)
            place = columns.index("path")
            column = [row[place] for row in rows if len(row) > place]
        except csv.Error as error:
            raise SourceError(f"{name} cannot be read as CSV ({error})") from error
    return list(dict.fromkeys(path for path in column if path))


def _check_columns(name: str, columns: Sequence[str]) -> None:
    if "path" not in columns:
        shown = ", ".join(columns)[:_SHOWN]
        raise SourceError(
            f"{name} is not a list of paths: it has no column path{f', only {shown}' if shown else ''}",
            "name the column of the paths so, or give a .txt with a path on each line",
        )
    if columns.count("path") > 1:
        raise SourceError(f"{name} is not a list of paths: it has several columns path", "keep one of them")


def _is_media(name: str) -> bool:
    suffix = _suffix(name)
    return suffix in PICTURE_SUFFIXES or suffix in VIDEO_SUFFIXES


def _file_name(path: str) -> str:
    return path.rpartition("/")[2] if is_url(path) else os.path.basename(path)  # noqa: PTH119  # ten million times


def _suffix(name: str) -> str:
    """Return the suffix of a path or URL in lower case, with its dot."""
    return name[name.rfind(".") :].lower()
