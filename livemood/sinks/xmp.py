"""XMP sidecars: keywords and named face regions, for photo managers.

A sidecar is a file beside its photo, which is not changed. An existing one is merged: entries of other programs stay,
those of an earlier run of livemood are replaced. The terms are those of the XMP specification (ISO 16684-1) and of the
Metadata Working Group's guidelines for regions.
"""

import os
from collections import Counter
from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from livemood.core.errors import SinkError
from livemood.core.geometry import Box
from livemood.core.labels import EMOTIONS, NO_FACE, UNSURE
from livemood.core.types import Mood
from livemood.runtime.atomic_io import atomic_write
from livemood.runtime.paths import is_file

PREFIX: Final = "mood:"
"""Prefix of livemood's keywords."""

_SPACES: Final = {
    "x": "adobe:ns:meta/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "dc": "http://purl.org/dc/elements/1.1/",
    "lr": "http://ns.adobe.com/lightroom/1.0/",
    "digiKam": "http://www.digikam.org/ns/1.0/",
    "mwg-rs": "http://www.metadataworkinggroup.com/schemas/regions/",
    "stArea": "http://ns.adobe.com/xmp/sType/Area#",
    "stDim": "http://ns.adobe.com/xap/1.0/sType/Dimensions#",
    "xmp": "http://ns.adobe.com/xap/1.0/",
}
_ENDINGS: Final = (".xmp", ".XMP")
_HEAD: Final = b"<?xpacket begin='\xef\xbb\xbf' id='W5M0MpCehiHzreSzNTczkc9d'?>\n"
_TAIL: Final = b"\n<?xpacket end='w'?>\n"
_OURS: Final = "livemood: "
_MAX_BYTES: Final = 16 << 20
_OUR_WORDS: Final = frozenset({*EMOTIONS, UNSURE, NO_FACE})


def sidecars_of(photo: Path) -> list[Path]:
    """Return the sidecars named after a photo's full name; ``NAME.xmp`` may belong to another photo ``NAME.*``."""
    return [file for ending in _ENDINGS if is_file(file := photo.with_name(photo.name + ending))]


class Sidecars:
    """Writes keywords and face regions of photos into their sidecars. Each folder is listed at most once."""

    def __init__(self) -> None:
        self._stems: dict[Path, Counter[str]] = {}

    def of(self, photo: Path) -> Path:
        """Return the path of a photo's sidecar: ``photo.jpg.xmp``, or ``photo.xmp`` if only that exists.

        The ending of one that exists may be ``.XMP`` too. ``photo.xmp`` is not meant if another file has that stem too,
        such as ``photo.raw``, whose it may be.
        """
        full = sidecars_of(photo)
        short = [file for ending in _ENDINGS if is_file(file := photo.with_suffix(ending))]
        if not full and short and self._is_alone(photo):
            return short[0]
        return full[0] if full else photo.with_name(f"{photo.name}.xmp")

    def _is_alone(self, photo: Path) -> bool:
        """Return whether only the photo and ``photo.xmp`` have the photo's stem."""
        if photo.parent not in self._stems:
            self._stems[photo.parent] = _stems(photo.parent)
        return 0 < self._stems[photo.parent][photo.stem] <= 2

    def write(self, photo: Path, moods: Sequence[Mood], width: int, height: int, orientation: int) -> Path:
        """Write keywords and face regions for a photo's moods into its sidecar.

        Args:
            photo: The photo; not touched.
            moods: Of its faces, in px of the upright photo.
            width: Of the upright photo, px.
            height: Likewise.
            orientation: EXIF orientation of the photo, 1 to 8; regions are in coordinates of the stored picture.

        Returns:
            The sidecar.

        Raises:
            SinkError: An existing sidecar is not valid XMP, or it cannot be written.
        """
        target = self.of(photo)
        root = _read(target) if is_file(target) else _new()
        rdf = root if root.tag == _name("rdf", "RDF") else root.find(_name("rdf", "RDF"))
        if rdf is None:
            raise SinkError(f"{target} is not XMP that livemood understands; it was not changed")
        labels = list(dict.fromkeys(mood.label for mood in moods)) or [NO_FACE]
        ours = {*_OUR_WORDS, *_labels_of_regions(rdf), *labels}
        _keywords(rdf, "dc", "subject", "Bag", PREFIX, labels, ours)
        _keywords(rdf, "lr", "hierarchicalSubject", "Bag", "mood|", labels, ours)
        _keywords(rdf, "digiKam", "TagsList", "Seq", "mood/", labels, ours)
        _regions(rdf, moods, width, height, orientation)
        for prefix, space in _SPACES.items():
            ElementTree.register_namespace(prefix, space)
        with atomic_write(target, None, force=True) as part:
            part.write_bytes(_HEAD + ElementTree.tostring(root, encoding="utf-8") + _TAIL)
        return target


def _stems(folder: Path) -> Counter[str]:
    """Return how many files of a folder have each stem; none if it may not be listed."""
    with suppress(OSError), os.scandir(folder) as entries:
        return Counter(entry.name.rpartition(".")[0] for entry in entries if entry.is_file())
    return Counter()


def _new() -> Element:
    root = Element(_name("x", "xmpmeta"))
    description = SubElement(SubElement(root, _name("rdf", "RDF")), _name("rdf", "Description"))
    description.set(_name("rdf", "about"), "")
    return root


def _read(path: Path) -> Element:
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise SinkError(f"{path} is too large for a sidecar; it was not changed")
        data = path.read_bytes()
        for _, (prefix, space) in ElementTree.iterparse(path, ["start-ns"]):
            if prefix and not prefix.startswith("ns"):  # those are ElementTree's own
                ElementTree.register_namespace(prefix, space)
        parser = ElementTree.XMLParser(target=ElementTree.TreeBuilder(insert_comments=True))
        return ElementTree.fromstring(data, parser)
    except SinkError:
        raise
    except (ElementTree.ParseError, LookupError, ValueError) as error:  # the latter two of unknown encodings
        raise SinkError(f"{path} is not XMP that livemood understands; it was not changed") from error
    except OSError as error:
        raise SinkError(f"{path} cannot be read ({error.strerror}); it was not changed") from error


def _keywords(
    rdf: Element, space: str, term: str, kind: str, prefix: str, labels: Sequence[str], ours: Collection[str]
) -> None:
    """Replace livemood's keywords in a list, which is created if there is none; other words with its prefix stay.

    Args:
        rdf: All descriptions of the photo.
        space: Of the list.
        term: Its name.
        kind: ``Bag`` or ``Seq``, if it is created.
        prefix: Of the keywords.
        labels: To write.
        ours: Labels whose keywords are livemood's, these among them.
    """
    replaced = {f"{prefix}{label}" for label in ours}
    lists = _found(rdf, space, term)
    words = lists[0] if lists else SubElement(_description(rdf), _name(space, term))
    bag = words.find("{*}*")  # the first element, comments not counted
    if bag is None:
        bag = SubElement(words, _name("rdf", kind))
    for every in lists:
        for inner in every:
            for item in inner.findall(_name("rdf", "li")):
                if item.text in replaced:
                    inner.remove(item)
    for label in labels:
        SubElement(bag, _name("rdf", "li")).text = f"{prefix}{label}"


def _regions(rdf: Element, moods: Sequence[Mood], width: int, height: int, orientation: int) -> None:
    """Replace livemood's face regions; those of other programs stay."""
    found = _found(rdf, "mwg-rs", "Regions")
    if not found and not moods:
        return
    if found:
        regions = found[0]
    else:
        regions = SubElement(_description(rdf), _name("mwg-rs", "Regions"))
        regions.set(_name("rdf", "parseType"), "Resource")
        size = SubElement(regions, _name("mwg-rs", "AppliedToDimensions"))
        stored = (width, height) if orientation < 5 else (height, width)
        for term, value in (("w", stored[0]), ("h", stored[1]), ("unit", "pixel")):
            size.set(_name("stDim", term), str(value))
    inside = regions.find(_name("rdf", "Description"))
    holder = regions if inside is None else inside
    faces = holder.find(_name("mwg-rs", "RegionList"))
    if faces is None:
        faces = SubElement(holder, _name("mwg-rs", "RegionList"))
    bag = faces.find(_name("rdf", "Bag"))
    if bag is None:
        bag = SubElement(faces, _name("rdf", "Bag"))
    for item in [item for item in bag if _is_ours(item)]:
        bag.remove(item)
    for mood in moods:
        bag.append(_region(mood, width, height, orientation))


def _region(mood: Mood, width: int, height: int, orientation: int) -> Element:
    item = Element(_name("rdf", "li"))
    about = SubElement(item, _name("rdf", "Description"))
    about.set(_name("mwg-rs", "Name"), mood.label)
    about.set(_name("mwg-rs", "Type"), "Face")
    about.set(_name("mwg-rs", "Description"), f"{_OURS}{mood.label} {mood.confidence:.0%}")
    area = SubElement(about, _name("mwg-rs", "Area"))
    x, y, w, h = stored_area(mood.box, width, height, orientation)
    for term, value in (("x", x), ("y", y), ("w", w), ("h", h)):
        area.set(_name("stArea", term), f"{value:.6f}")
    area.set(_name("stArea", "unit"), "normalized")
    return item


def stored_area(box: Box, width: int, height: int, orientation: int) -> tuple[float, float, float, float]:
    """Return a box of the upright photo as (x, y, w, h) in the stored picture: centre and size, 0..1."""
    left, right = (min(max(side / width, 0.0), 1.0) for side in (box.left, box.right))
    top, bottom = (min(max(side / height, 0.0), 1.0) for side in (box.top, box.bottom))
    x, y, w, h = (left + right) / 2, (top + bottom) / 2, right - left, bottom - top
    # The inverse of the EXIF transform: flips (horizontal, vertical), then a transposition for orientations 5 to 8.
    if orientation in (2, 3, 6, 7):
        x = 1 - x
    if orientation in (3, 4, 7, 8):
        y = 1 - y
    return (y, x, h, w) if orientation >= 5 else (x, y, w, h)


def _labels_of_regions(rdf: Element) -> set[str]:
    """Return the labels of livemood's face regions, which its keywords have too: those of any model."""
    return {
        text.removeprefix(_OURS).rpartition(" ")[0]
        for regions in _found(rdf, "mwg-rs", "Regions")
        for item in regions.iter(_name("rdf", "li"))
        for text in _descriptions(item)
        if text.startswith(_OURS)
    }


def _is_ours(item: Element) -> bool:
    return any(text.startswith(_OURS) for text in _descriptions(item))


def _descriptions(item: Element) -> list[str]:
    """Return the descriptions of a region, in any of the forms of RDF."""
    term = _name("mwg-rs", "Description")
    texts = [item.get(term), *(inner.get(term) for inner in item), *(inner.text for inner in item.iter(term))]
    return [text for text in texts if text]


def _found(rdf: Element, space: str, term: str) -> list[Element]:
    """Return a term in all descriptions of the photo."""
    return [found for about in rdf.findall(_name("rdf", "Description")) for found in about.findall(_name(space, term))]


def _description(rdf: Element) -> Element:
    found = rdf.find(_name("rdf", "Description"))
    if found is None:
        found = SubElement(rdf, _name("rdf", "Description"))
        found.set(_name("rdf", "about"), "")
    return found


def _name(space: str, term: str) -> str:
    return f"{{{_SPACES[space]}}}{term}"
