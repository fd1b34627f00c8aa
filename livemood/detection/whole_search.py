"""The search of a whole picture: at one or two sizes, inside a border, and in four orientations."""

import math
from collections.abc import Sequence

import cv2
import numpy as np

from livemood.core.errors import FullSizeNeeded
from livemood.core.geometry import Box
from livemood.core.stage_settings import DetectorSettings
from livemood.core.types import Detection, Image
from livemood.detection.proposals import Confirmed, Confirmer, merged
from livemood.detection.pyramid import ALIKE, Pyramid
from livemood.detection.transforms import moved, same_face, turned, turned_back, without_doubles
from livemood.detection.yunet import YuNet

_GREY = 114
# Width of the border around a picture that a face may fill, in its longer sides: wide enough for the windows in which
# candidates are confirmed.
_MARGIN = 1.5
# Clockwise quarter turns in the order in which they are tried: photos taken in portrait format are the most common.
_TURNS = (1, 3, 2)


class WholeSearch:
    """Searches whole pictures.

    Args:
        yunet: Proposes candidates.
        confirmer: Decides which candidates are faces.
        settings: Thresholds and sizes.
    """

    def __init__(self, yunet: YuNet, confirmer: Confirmer, settings: DetectorSettings) -> None:
        self._yunet, self._confirmer, self._settings = yunet, confirmer, settings

    def find(self, image: Image, reduced: bool = False) -> tuple[Detection, ...]:
        """Return the faces of a photo, largest first.

        Args:
            image: (H, W, 3) uint8 BGR.
            reduced: It was decoded at a reduced size.

        Raises:
            FullSizeNeeded: It was, and small faces are likely in it.
        """
        search = self._settings.search
        photo = Pyramid(image, math.ceil((1 - ALIKE) * search.photo_px))
        faces, evidence = self._confirmer.faces(photo, self._upright(photo, reduced))
        if not faces:
            faces = self._bordered(photo)
        if evidence < search.upright_evidence:
            faces = self._turned(photo, max(search.turned_evidence, evidence)) or faces
        return without_doubles(faces, self._settings.max_overlap)

    def find_in_frame(
        self, image: Image, known: Sequence[Box], fine: bool, turns: int
    ) -> tuple[tuple[Detection, ...], tuple[bool, ...]]:
        """Return the new faces of a video frame, and for each known face whether it is probably still there.

        Args:
            image: (H, W, 3) uint8 BGR.
            known: Boxes of the known faces, px of the image.
            fine: Search at the larger size, at which small faces are detected too.
            turns: Number of clockwise quarter turns by which the picture is rotated for the search.
        """
        settings = self._settings
        height, width = image.shape[:2]
        view = turned(image, turns)
        longest = settings.search.fine_frame_px if fine else settings.search.frame_px
        detections = self._yunet.find(view, min(longest, max(height, width)))
        boxes = [turned_back(one, turns, width, height).box for one in detections]
        new, kept = beside_known(boxes, known, settings.max_overlap, drop_unseen=fine and not turns)
        candidates = [detections[i] for i in new if self._is_candidate(detections[i])]
        least = settings.search.turned_evidence if turns else 0.0
        faces = self._confirmer.faces_of_frame(view, candidates, detections, least)
        back = [turned_back(face, turns, width, height) for face in faces]
        return without_doubles(back, settings.max_overlap), kept

    def _upright(self, photo: Pyramid, reduced: bool) -> list[Detection]:
        """Return the candidates at one size, or at two where small faces are likely."""
        search = self._settings.search
        longest = max(photo.image.shape[:2])
        # In full size, a face is larger than here.
        smallest_px = 0.0 if reduced else self._settings.evidence.smallest_px
        candidates = self._candidates(photo, min(search.photo_px, longest), smallest_px)
        small = [one for one in candidates if one.box.longer_side < search.fine_below * longest]
        if len(small) < (1 if longest > search.photo_px else search.fine_least):
            return candidates
        if reduced:
            raise FullSizeNeeded("small faces are likely in this picture of a reduced size", "decode it in full")
        return merged(candidates, self._fine(photo, small), self._settings.max_overlap)

    def _fine(self, photo: Pyramid, small: Sequence[Detection]) -> list[Detection]:
        """Return the small candidates of those quarters of a photo that hold ``small``, searched at a larger size.

        A quarter is searched with a margin, in which lies the rest of faces that its edge would cut.
        """
        search = self._settings.search
        longest = max(photo.image.shape[:2])
        largest = 2 * search.fine_below * longest
        image, step, fine_px = photo.sized(min(search.fine_px, round(longest * search.fine_growth)))
        height, width = image.shape[:2]
        scale, margin = fine_px / max(height, width), math.ceil(largest / 2 / step)
        found = []
        for quarter in _quarters(width, height):
            in_photo = quarter.scaled(step)
            if any(in_photo.contains(*one.box.centre) for one in small):
                left, top = (max(round(side) - margin, 0) for side in (quarter.left, quarter.top))
                part = image[top : round(quarter.bottom) + margin, left : round(quarter.right) + margin]
                least = self._settings.evidence.proposed_from
                candidates = self._yunet.find(part, round(scale * max(part.shape[:2])), least)
                placed = [moved(one, left * step, top * step, step) for one in candidates]
                found += [one for one in placed if in_photo.contains(*one.box.centre)]
        return [one for one in found if self._is_candidate(one) and one.box.longer_side < largest]

    def _bordered(self, photo: Pyramid) -> list[Detection]:
        """Return the faces that fill a picture: it is searched at a small size, inside a border."""
        search = self._settings.search
        scale = search.bordered_px / max(photo.image.shape[:2])
        size = [max(round(length * scale), 1) for length in photo.image.shape[1::-1]]
        interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        margin = round(search.bordered_px * _MARGIN)
        margins = margin, margin, margin, margin
        small = cv2.resize(photo.at(scale)[0], size, interpolation=interpolation)
        grey = [_GREY] * 3
        bordered = np.asarray(cv2.copyMakeBorder(small, *margins, cv2.BORDER_CONSTANT, value=grey), np.uint8)
        picture = Pyramid(bordered)
        confirmed = self._confirmer.faces(picture, self._candidates(picture, max(bordered.shape[:2])))
        return [moved(face, -margin / scale, -margin / scale, 1 / scale) for face in confirmed.faces]

    def _turned(self, photo: Pyramid, least: float) -> list[Detection]:
        """Return the faces of a rotated picture, in the orientation with the highest evidence."""
        longest = max(photo.image.shape[:2])
        longest_px = min(self._settings.search.turned_px, longest)
        image, step = photo.at(longest_px / longest)
        height, width = image.shape[:2]
        best = Confirmed([], least)
        for turns in _TURNS:
            view = Pyramid(turned(image, turns))
            confirmed = self._confirmer.faces(view, self._candidates(view, longest_px), least)
            if confirmed.evidence > best.evidence:
                faces = [turned_back(face, turns, width, height) for face in confirmed.faces]
                best = Confirmed(faces, confirmed.evidence)
        return [moved(face, 0, 0, step) for face in best.faces]

    def _candidates(self, picture: Pyramid, longest_px: int, smallest_px: float | None = None) -> list[Detection]:
        """Return the candidates of a picture, in its pixels, that is searched at a size."""
        image, step, longest_px = picture.sized(longest_px)
        candidates = self._yunet.find(image, longest_px, self._settings.evidence.proposed_from)
        found = (moved(one, 0, 0, step) for one in candidates)
        return [one for one in found if self._is_candidate(one, smallest_px)]

    def _is_candidate(self, detection: Detection, smallest_px: float | None = None) -> bool:
        evidence = self._settings.evidence
        smallest_px = evidence.smallest_px if smallest_px is None else smallest_px
        return detection.score >= evidence.proposed_from and detection.box.longer_side >= smallest_px


def _quarters(width: int, height: int) -> list[Box]:
    """Return the four quarters of a picture, px."""
    columns, rows = ((0, width / 2), (width / 2, width)), ((0, height / 2), (height / 2, height))
    return [Box(left, top, right, bottom) for top, bottom in rows for left, right in columns]


def beside_known(
    found: Sequence[Box], known: Sequence[Box], max_overlap: float, drop_unseen: bool
) -> tuple[list[int], tuple[bool, ...]]:
    """Match the boxes of a search with those of the known faces.

    A known box that covers two found ones lies between two faces and is dropped.

    Args:
        found: Boxes of the search.
        known: Boxes of the known faces.
        max_overlap: Two boxes sharing more than this of the smaller one are the same face.
        drop_unseen: Drop known faces that match no found box.

    Returns:
        Indices into ``found`` of the boxes that match no face that is kept, and for each known face whether it is kept.
    """
    same = [[same_face(box, old, max_overlap) for box in found] for old in known]
    kept = tuple(sum(row) == 1 or (not any(row) and not drop_unseen) for row in same)
    staying = [row for row, stays in zip(same, kept, strict=True) if stays]
    return [i for i in range(len(found)) if not any(row[i] for row in staying)], kept
