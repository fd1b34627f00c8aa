"""Formats of still pictures: which files count as photos, which need an optional decoder, which are skipped."""

import re
from importlib.util import find_spec
from pathlib import Path
from typing import Final

PICTURE_SUFFIXES: Final = frozenset(
    {".bmp", ".gif", ".jfif", ".jp2", ".jpe", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".ppm", ".tif", ".tiff"}
    | {".avif", ".heic", ".heif", ".hif", ".jxl", ".webp"}
)
"""Endings, in lower case, that make a file in a folder count as a picture."""

DECODERS: Final = {"heif": ("pillow_heif", "'livemood[heif]'"), "jxl": ("pillow_jxl", "'livemood[jxl]'")}
"""Optional decoders by kind: module, and the extra that installs it."""

_KIND_OF_SUFFIX: Final = {".heic": "heif", ".heif": "heif", ".hif": "heif", ".jxl": "jxl"}
_HEIF_BRANDS: Final = rb"hei[cxms]|hev[cxms]|mif1|msf1|mif2"
_MAGIC: Final = (
    ("jpeg", rb"\xff\xd8"),
    ("png", rb"\x89PNG\r\n\x1a\n"),
    ("webp", rb"RIFF....WEBP"),
    ("tiff", rb"II[*+]\0|MM\0[*+]"),
    ("avif", rb"....ftyp(avi[fs]|.{8,64}avif)"),
    ("heif", rb"....ftyp(" + _HEIF_BRANDS + rb")"),
    ("jxl", rb"\xff\x0a|\0\0\0\x0cJXL \r\n\x87\n"),
    ("pnm", rb"P[1-6f]"),
)
_RAW: Final = "3fr arw cr2 cr3 crw dng erf iiq kdc mef mos nef nrw orf pef raf raw rw2 rwl sr2 srf srw x3f"
_VIDEOS: Final = "3gp avi m2ts m4v mkv mov mp4 mpg mts mxf ogv webm wmv"
VIDEO_SUFFIXES: Final = frozenset(f".{ending}" for ending in _VIDEOS.split())
"""Of videos, in lower case."""
_DRAWINGS: Final = "ai cdr eps ico pdf psd svg xcf"
_OTHERS: Final = {
    **dict.fromkeys(_RAW.split(), ("raw photo", "export it as JPEG, or keep the camera's JPEG beside it")),
    **dict.fromkeys(_VIDEOS.split(), ("video", "livemood video reads it")),
    **dict.fromkeys(_DRAWINGS.split(), ("drawing or layered picture", "export it as JPEG or PNG")),
    "xmp": ("sidecar", "it describes a photo"),
}


def kind_of(data: bytes) -> str:
    """Return the format by a file's first bytes: ``jpeg``, ``heif`` and so on; empty for anything else."""
    return next((kind for kind, magic in _MAGIC if re.match(magic, data, re.DOTALL)), "")


def missing_decoder(kind: str) -> str | None:
    """Return what to install for a kind of picture, as pip takes it; None where it can be read."""
    module, package = DECODERS.get(kind, ("", ""))
    return package if module and find_spec(module) is None else None


def other_kind(name: str) -> tuple[str, str] | None:
    """Return what a file is by its suffix, such as a video, and what to do with it; None if it may be a picture."""
    return _OTHERS.get(name.rpartition(".")[2].lower())


def skip_reason(path: Path) -> tuple[str, str] | None:
    """Return the kind of a file that is not read from a folder, and why; None for a picture that is.

    The name alone decides: nothing is opened.
    """
    suffix = path.suffix.lower()
    if path.name.startswith("."):
        return "hidden file", "its name begins with a dot"
    if suffix in PICTURE_SUFFIXES:
        kind = _KIND_OF_SUFFIX.get(suffix, "")
        package = missing_decoder(kind)
        return (
            (f"{suffix[1:].upper()} photo", f"its decoder is not installed; pip install {package}") if package else None
        )
    return other_kind(path.name) or ("other file", "its suffix is not that of a photo")
