"""Find faces: Frame -> tuple[Detection, ...], by networks that propose and networks that confirm.

YuNet proposes candidates of any size; MediaPipe's two BlazeFace networks confirm or reject each one and give its
keypoints. ``fast`` runs the BlazeFace networks alone.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from threading import Lock

from livemood.core.geometry import Box
from livemood.core.settings import DETECTOR_MODES, DetectorMode
from livemood.core.stage_settings import DetectorSettings
from livemood.core.types import Detection, Frame
from livemood.detection.networks import FaceNetwork, Range, find_in_window, open_network
from livemood.detection.proposals import Confirmer
from livemood.detection.transforms import without_doubles
from livemood.detection.whole_search import WholeSearch, beside_known
from livemood.detection.yunet import YuNet
from livemood.detection.yunet_runners import open_runner
from livemood.runtime.closeable import Closeable

_RANGES: dict[str, tuple[Range, ...]] = {
    "auto": ("near", "far"),
    "fast": ("near", "far"),
    "near": ("near",),
    "far": ("far",),
}


class FaceDetector(Closeable):
    """Finds faces with up to three networks; any thread may use it.

    ``auto`` finds faces of every size, in photos also rotated ones. ``near`` and ``far`` run one BlazeFace network on
    the whole picture. ``fast`` runs both and uses each in its own range: the near one for faces whose side is at
    least ``close_side`` of the frame's shorter side, the far one for all others. Where the far one finds nothing, all
    detections of the near one count.

    Args:
        mode: Which networks to run.
        settings: Thresholds.

    Raises:
        ModelMissing: A network's file is not there.
        ModelIncompatible: A network's file is damaged or not a face detector.
        ValueError: Unknown mode.
    """

    def __init__(self, mode: DetectorMode = "auto", settings: DetectorSettings | None = None) -> None:
        if mode not in DETECTOR_MODES:
            raise ValueError(f"detector mode is one of {', '.join(DETECTOR_MODES)}, got {mode!r}")
        self._settings = settings = settings or DetectorSettings()
        # In ``auto``, weak detections of the BlazeFace networks are evidence for a candidate too.
        least = min(settings.min_score, settings.evidence.weakest) if mode == "auto" else settings.min_score
        self._networks: dict[Range, FaceNetwork] = {}
        with ExitStack() as stack:
            for name in _RANGES[mode]:
                self._networks[name] = network = open_network(name, least)
                stack.callback(network.close)
            self._open = stack.pop_all()
        self._whole: WholeSearch | None = None
        if mode == "auto":
            yunet = YuNet(open_runner(min(settings.evidence.proposed_from, settings.search.kept_from)))
            confirmer = Confirmer(yunet, self._networks["near"], self._networks["far"], settings)
            self._whole = WholeSearch(yunet, confirmer, settings)
        self._supports_roi = len(_RANGES[mode]) > 1
        self._closed = False
        # Several threads may call, and a network has one set of buffers.
        self._one_at_a_time = Lock()

    def detect(self, frame: Frame) -> tuple[Detection, ...]:
        """Return the faces of one frame, largest first, each once; ``auto`` searches it as a photo, at full cost.

        Raises:
            FullSizeNeeded: The frame was decoded at a reduced size, and ``auto`` expects small faces in it.
            ValueError: The detector was closed.
        """
        with self._one_at_a_time:
            self._check_open()
            if self._whole:
                return self._whole.find(frame.image, frame.reduced)
            return self._by_range(frame)

    @property
    def supports_roi(self) -> bool:
        """Whether it can search windows of a frame: in ``auto`` and ``fast``."""
        return self._supports_roi

    def search(
        self, frame: Frame, known: Sequence[Box], fine: bool, turns: int = 0
    ) -> tuple[tuple[Detection, ...], tuple[bool, ...]]:
        """Search the whole of a video's frame at a bounded cost.

        Args:
            frame: The frame.
            known: Boxes of the known faces, px; these are not confirmed again.
            fine: Detect small faces too.
            turns: Number of clockwise quarter turns by which the frame is rotated for the search; ignored in ``fast``.

        Returns:
            The new faces, and for each known face whether it is probably still there.

        Raises:
            ValueError: The detector was closed, or cannot search windows.
        """
        with self._one_at_a_time:
            self._check_supports_roi()
            if self._whole:
                return self._whole.find_in_frame(frame.image, known, fine, turns)
            found = self._by_range(frame)
        boxes = [face.box for face in found]
        new, kept = beside_known(boxes, known, self._settings.max_overlap, drop_unseen=True)
        return tuple(found[i] for i in new), kept

    def detect_in_roi(self, frame: Frame, window: Box, turns: int = 0) -> tuple[Detection, ...]:
        """Return the faces that the near network detects in a window, in a third of the time of a search.

        The window is scaled to the network's input, so that a small face fills it.

        Args:
            frame: The frame.
            window: Square, px of the frame; may extend beyond it.
            turns: Number of clockwise quarter turns by which the window is rotated for the network.

        Raises:
            ValueError: The detector was closed, or cannot search windows.
        """
        with self._one_at_a_time:
            self._check_supports_roi()
            faces = find_in_window(self._networks["near"], frame.image, window, turns)
        return tuple(face for face in faces if face.score >= self._settings.min_score)

    def close(self) -> None:
        """Free the networks; a second call does nothing."""
        with self._one_at_a_time:
            self._closed = True
            self._open.close()

    def _by_range(self, frame: Frame) -> tuple[Detection, ...]:
        detections = {name: network.find(frame.image) for name, network in self._networks.items()}
        near, far = detections.get("near", ()), detections.get("far", ())
        close_px = self._settings.close_side * min(frame.width, frame.height)
        close = [face for face in near if face.box.width >= close_px]
        return without_doubles([*close, *(far or near)], self._settings.max_overlap)

    def _check_open(self) -> None:
        if self._closed:
            raise ValueError("this detector is closed; open a new one")

    def _check_supports_roi(self) -> None:
        self._check_open()
        if not self._supports_roi:
            raise ValueError("this detector cannot search windows; open one in auto or fast mode")
