"""Where and how a whole picture is searched: sizes, tiles of size, a border, and four directions."""

from collections.abc import Sequence

import cv2
import numpy as np

from livemood.core.geometry import Box
from livemood.core.settings import DetectorSettings
from livemood.core.types import Detection, Image
from livemood.detection.proposals import Confirmed, Confirmer, merged
from livemood.detection.transforms import moved, same_face, turned, turned_back, without_doubles
from livemood.detection.yunet import YuNet

_GREY = 114
# Width of the border around a picture that a face may fill, in its sides: second looks are to see grey beyond it too.
_MARGIN = 1.5
# Upright pictures are searched first; of the others those that a camera held upright or a rotated scan makes.
_TURNS = (1, 3, 2)


class WholeSearch:
    """Searches whole pictures.

    Args:
        yunet: Proposes.
        confirmer: Says which places are faces.
        settings: Thresholds and sizes.
    """

    def __init__(self, yunet: YuNet, confirmer: Confirmer, settings: DetectorSettings) -> None:
        self._yunet, self._confirmer, self._settings = yunet, confirmer, settings

    def find(self, image: Image) -> tuple[Detection, ...]:
        """Return the faces of a photo, largest first.

        Args:
            image: (H, W, 3) uint8 BGR.
        """
        search = self._settings.search
        faces, evidence = self._confirmer.faces(image, self._upright(image))
        if not faces:
            faces = self._bordered(image)
        if evidence < search.upright_evidence:
            faces = self._turned(image, max(search.turned_evidence, evidence)) or faces
        return without_doubles(faces, self._settings.max_overlap)

    def find_in_frame(
        self, image: Image, known: Sequence[Box], fine: bool, turns: int
    ) -> tuple[tuple[Detection, ...], tuple[bool, ...]]:
        """Return the faces of a video's frame beside the known ones, and which of those are likely to be there.

        Args:
            image: (H, W, 3) uint8 BGR.
            known: Boxes of known faces, px of the image.
            fine: Search at the size that shows small faces too.
            turns: Search the picture turned clockwise by so many quarter turns.
        """
        settings = self._settings
        height, width = image.shape[:2]
        view = turned(image, turns)
        longest = settings.search.fine_frame_px if fine else settings.search.frame_px
        places = self._yunet.find(view, min(longest, max(height, width)))
        here = [turned_back(place, turns, width, height).box for place in places]
        new, kept = beside_known(here, known, settings.max_overlap, drop_unseen=fine and not turns)
        asked = [places[i] for i in new if self._worth_a_look(places[i])]
        faces = self._confirmer.faces_of_frame(view, asked, settings.search.turned_evidence if turns else 0.0)
        back = [turned_back(face, turns, width, height) for face in faces]
        return without_doubles(back, settings.max_overlap), kept

    def _upright(self, image: Image) -> list[Detection]:
        """Return what is proposed at one size, or at two where small faces are likely."""
        search = self._settings.search
        longest = max(image.shape[:2])
        places = self._proposed(image, min(search.photo_px, longest))
        small = [place for place in places if _side(place) < search.fine_below * longest]
        fine_px = min(search.fine_px, round(longest * search.fine_growth))
        if len(small) < (1 if longest > search.photo_px else search.fine_least):
            return places
        fine = [place for place in self._proposed(image, fine_px) if _side(place) < 2 * search.fine_below * longest]
        return merged(places, fine, self._settings.max_overlap)

    def _bordered(self, image: Image) -> list[Detection]:
        """Return the faces that fill a picture: it is searched small, inside a border."""
        search = self._settings.search
        scale = search.bordered_px / max(image.shape[:2])
        size = [max(round(length * scale), 1) for length in image.shape[1::-1]]
        how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        margin = round(search.bordered_px * _MARGIN)
        margins = margin, margin, margin, margin
        framed = np.asarray(
            cv2.copyMakeBorder(
                cv2.resize(image, size, interpolation=how), *margins, cv2.BORDER_CONSTANT, value=[_GREY] * 3
            ),
            np.uint8,
        )
        found = self._confirmer.faces(framed, self._proposed(framed, None))
        return [moved(face, -margin / scale, -margin / scale, 1 / scale) for face in found.faces]

    def _turned(self, image: Image, least: float) -> list[Detection]:
        """Return the faces of a picture that does not stand upright, from the direction that shows them best."""
        height, width = image.shape[:2]
        best = Confirmed([], least)
        for turns in _TURNS:
            view = turned(image, turns)
            places = self._proposed(view, min(self._settings.search.turned_px, max(height, width)))
            found = self._confirmer.faces(view, places, least)
            if found.evidence > best.evidence:
                best = Confirmed([turned_back(face, turns, width, height) for face in found.faces], found.evidence)
        return best.faces

    def _proposed(self, image: Image, longest_px: int | None) -> list[Detection]:
        return [place for place in self._yunet.find(image, longest_px) if self._worth_a_look(place)]

    def _worth_a_look(self, place: Detection) -> bool:
        evidence = self._settings.evidence
        return place.score >= evidence.proposed_from and _side(place) >= evidence.smallest_px


def _side(place: Detection) -> float:
    return max(place.box.width, place.box.height)


def beside_known(
    found: Sequence[Box], known: Sequence[Box], max_overlap: float, drop_unseen: bool
) -> tuple[list[int], tuple[bool, ...]]:
    """Tell what was found beside the known faces, and which of those may stay.

    A known box over two of what was found says where neither is, and goes.

    Args:
        found: What a search found.
        known: Faces that were known before.
        max_overlap: Two boxes sharing more than this of the smaller one are the same face.
        drop_unseen: What was not found goes too.

    Returns:
        Indices into ``found``, and for each known face whether it may stay.
    """
    same = [[same_face(box, old, max_overlap) for box in found] for old in known]
    kept = tuple(sum(row) == 1 or (not any(row) and not drop_unseen) for row in same)
    staying = [row for row, stays in zip(same, kept, strict=True) if stays]
    return [i for i in range(len(found)) if not any(row[i] for row in staying)], kept
