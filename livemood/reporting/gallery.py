"""A collection as one self-contained page: thumbnails to filter, sort and look through."""

import json
import os
import shutil
import tempfile
from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from html import escape
from pathlib import Path, PurePath
from string import Template
from typing import Any, Final
from urllib.parse import quote

import numpy as np
import numpy.typing as npt

from livemood.core.errors import SinkError
from livemood.core.labels import SMILE, UNSURE
from livemood.core.text_tables import utf8
from livemood.datasets.dedup import WORDS, clusters, near_pairs
from livemood.records import Record
from livemood.records.inputs import Group
from livemood.reporting.colours import DARK, LIGHT, palette
from livemood.reporting.document import asset, policy
from livemood.runtime.atomic_io import atomic_write, refuse_to_overwrite
from livemood.runtime.closeable import Closeable

_SETTING: Final = "gallery"
_THUMBS: Final = "$thumbnails"
_PER_MILLE: Final = 1000


class Gallery(Closeable):
    """Collects photos for a page; a context manager. Thumbnails are kept in a temporary file, so memory stays small.

    Args:
        path: The page to write.
        labels: Emotions of the model, in order.
        force: Replace a page that is there.

    Raises:
        SinkError: The page is there already, or there is no room for a temporary file.
    """

    def __init__(self, path: Path, labels: Sequence[str], *, force: bool = False) -> None:
        refuse_to_overwrite(path, _SETTING, force)
        self._path, self._labels, self._force = path, tuple(labels), force
        self._photos: list[dict[str, Any]] = []
        self._prints: list[bytes] = []
        with self._temporary():
            self._thumbs = tempfile.TemporaryFile()  # noqa: SIM115  # closed by close()

    @property
    def count(self) -> int:
        """Number of photos that were added."""
        return len(self._photos)

    def add(self, group: Group, thumbnail: bytes = b"", fingerprint: bytes = b"", place: Path | None = None) -> None:
        """Add one photo.

        Args:
            group: What it holds.
            thumbnail: A small JPEG; empty for none.
            fingerprint: (4,) uint64 as bytes, see ``livemood.datasets.dedup``; empty for none.
            place: Where the photo is now, if it was moved.

        Raises:
            SinkError: There is no room for its thumbnail.
        """
        entry, faces = group
        with self._temporary():
            self._thumbs.write(b64encode(thumbnail) + b"\n")
            self._thumbs.flush()
        self._prints.append(fingerprint)
        href = _href(str(place or entry.path), self._path.parent)
        photo: dict[str, Any] = {"name": utf8(Path(entry.path).name), "href": href}
        if entry.error is not None:
            photo["error"] = utf8(entry.error)
        if faces and entry.width and entry.height:
            photo["faces"] = [self._face(face, entry.width, entry.height) for face in faces]
        self._photos.append(photo)

    def write(self, title: str) -> None:
        """Write the page.

        Raises:
            SinkError: It cannot be written.
        """
        for leader, others in _alike(self._prints).items():
            for place in (leader, *others):
                self._photos[place]["alike"] = leader
        data = {"labels": self._labels, "unsure": UNSURE, "photos": self._photos}
        script = asset("gallery.js")
        values = {
            "policy": policy([script]),
            "title": escape(title),
            "style": asset("gallery.css"),
            "colours": _colours(self._labels),
            # Escaped so that no name can end the script element.
            "data": json.dumps(data, separators=(",", ":")).replace("<", "\\u003c"),
            "script": script,
        }
        before, after = (Template(part).substitute(values) for part in asset("gallery.html").split(_THUMBS))
        with atomic_write(self._path, _SETTING, self._force) as part, part.open("wb") as file:
            file.write(before.encode())
            self._thumbs.seek(0)
            shutil.copyfileobj(self._thumbs, file)
            file.write(after.encode())

    def close(self) -> None:
        """Remove the temporary file."""
        with suppress(OSError):  # of a full disk, which was reported before
            self._thumbs.close()

    @contextmanager
    def _temporary(self) -> Iterator[None]:
        """Raise a ``SinkError`` in place of an ``OSError`` of the temporary file."""
        try:
            yield
        except OSError as error:
            raise SinkError(
                f"{self._path} could not be made: no temporary file for its thumbnails ({error.strerror or error})",
                "free some space, or name another folder in the environment variable TMPDIR",
            ) from error

    def _face(self, face: Record, width: int, height: int) -> dict[str, Any]:
        left, top, right, bottom = face.box or (0.0, 0.0, 0.0, 0.0)
        sides = ((left, width), (top, height), (right - left, width), (bottom - top, height))
        return {
            "label": face.label,
            "sure": round(face.confidence or 0.0, 3),
            "scores": [round(face.scores.get(label, 0.0), 3) for label in self._labels],
            "box": [round(_PER_MILLE * side / whole) for side, whole in sides],
            **_further(face),
        }


def _further(face: Record) -> dict[str, Any]:
    """Return the labels of a face by further head, and why it is ``unsure``, for the page."""
    others = {name: head.label for name, head in face.others.items() if name != SMILE}
    others |= {SMILE: face.smile_kind} if face.smile_kind else {}
    return ({"heads": others} if others else {}) | ({"why": face.reason} if face.reason else {})


def _alike(prints: Sequence[bytes]) -> dict[int, list[int]]:
    """Return groups of similar photos: index of the first, and indices of the others."""
    places = [place for place, data in enumerate(prints) if data]
    if not places:
        return {}
    words: npt.NDArray[np.uint64] = np.frombuffer(b"".join(prints), np.uint64).reshape(-1, WORDS)
    pairs = near_pairs(words, words).tolist()
    found = ([places[place] for place in cluster] for cluster in clusters(len(places), pairs))
    return {cluster[0]: cluster[1:] for cluster in found if len(cluster) > 1}


def _href(path: str, folder: Path) -> str:
    """Return the address of a photo relative to the page's folder; absolute if it is on another drive."""
    try:
        return quote(os.fsencode(PurePath(os.path.relpath(path, folder)).as_posix()))
    except ValueError:  # no relative path from one drive to another
        return Path(path).resolve().as_uri()


def _colours(labels: Sequence[str]) -> str:
    """Return the style rules of the labels' colours, in both themes."""

    def rules(colours: dict[str, str]) -> Iterator[str]:
        for place, label in enumerate((*labels, UNSURE)):
            yield f"--label-{place}: {colours[label]};"

    light, dark = (" ".join(rules(palette(theme, tuple(labels)))) for theme in (LIGHT, DARK))
    return f":root {{ {light} }}\n@media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}"
