"""The settings of the browser page: Python's settings and the model's manifest as one JSON document, so that each
number is defined once.
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

from livemood import __version__
from livemood.bundles.manifest import Bundle, Head
from livemood.core.keys import KEYS
from livemood.core.labels import EMOTION, UNSURE, colour_bgr
from livemood.core.settings import PriorName
from livemood.core.stage_settings import NeutralBaselineSettings, Settings
from livemood.core.types import Keypoint
from livemood.detection import blazeface, optical_flow, yunet, yunet_runners
from livemood.emotion import crop, quality
from livemood.overlay import history_strip, label_layout, mosaic, style
from livemood.records.schema import VERSION
from livemood.reporting import changes, summary
from livemood.reporting.colours import DARK, LIGHT, palette
from livemood.reporting.document import asset

NEAR_FILE: Final = "models/near.tflite"
FAR_FILE: Final = "models/far.tflite"
EMOTION_FILE: Final = "models/emotion.tflite"
COVERED_FILE: Final = "models/covered.f32"
TILTED_FILE: Final = "models/tilted.f32"
YUNET_FILE: Final = "models/yunet.tflite"

YUNET_SIDE_PX: Final = 320
"""Side of the input that the file declares; the page scales it."""

# Keys of the live window that the page does not have.
_NOT_IN_A_PAGE: Final = ("q",)


def page_settings(bundle: Bundle, prior: PriorName, sha256: dict[str, str]) -> dict[str, Any]:
    """Return the document.

    Args:
        bundle: The emotion model.
        prior: How common emotions are assumed to be.
        sha256: Hex digest of every model file, by its path from the page's folder.
    """
    every = Settings()
    roi = asdict(every.roi)
    flow = roi.pop("flow")
    return {
        "version": __version__,
        "unsure": UNSURE,
        "records_version": VERSION,
        "keypoints": [point.name.lower() for point in Keypoint],
        "detector": asdict(every.detector),
        "roi": roi,
        "flow": {"side_px": optical_flow.SIDE_PX, "grid": optical_flow.GRID.tolist(), **flow},
        "tracker": asdict(every.tracker),
        "smoother": asdict(every.smoother),
        "baseline": asdict(NeutralBaselineSettings(forget_s=every.smoother.forget_s)),
        "blazeface": {
            "maps": {str(side): maps for side, maps in blazeface.MAPS.items()},
            "same_face": blazeface.SAME_FACE,
            "averaged_from": blazeface.AVERAGED_FROM,
            "near": NEAR_FILE,
            "far": FAR_FILE,
        },
        "yunet": {
            "file": YUNET_FILE,
            "side_px": YUNET_SIDE_PX,
            "strides": yunet_runners.STRIDES,
            "same_face": yunet_runners.SAME_FACE,
            "ears": yunet.EARS,
            "eyes_apart": yunet.EYE_DISTANCE,
            "lower": yunet.BOX_SHIFT,
            "width": yunet.BOX_WIDTH,
            "height": yunet.BOX_HEIGHT,
        },
        "emotion": {
            "name": bundle.name,
            "prior": prior,
            "file": EMOTION_FILE,
            "crop": {**asdict(bundle.crop), "max_supersampling": crop.MAX_SUPERSAMPLING},
            "heads": [_head(head, bundle.offsets(prior) if head.name == EMOTION else ()) for head in bundle.heads],
        },
        "quality": {
            "covered": COVERED_FILE,
            "tilted": TILTED_FILE,
            "network_side_px": quality.NETWORK_SIDE_PX,
            "has_trained_framing": quality.has_trained_framing(bundle.crop),
            "not_measured": quality.NOT_MEASURED,
            "steady": quality.NETWORK_STEADY,
            "black_to": quality.BLACK_TO,
            "white_from": quality.WHITE_FROM,
            "reference_px": quality.REFERENCE_PX,
            "nose": quality.NOSE_DISTANCE,
            "least": quality.SHARPNESS_LEAST,
            "noise_kernel": quality.NOISE_KERNEL.tolist(),
            "noise_of_response": quality.NOISE_OF_RESPONSE,
            "noise_steady": quality.NOISE_STEADY,
            "noise_least": quality.NOISE_LEAST,
        },
        "overlay": {
            "colours": _colours(bundle),
            "dark": _rgb(style.DARK),
            "bright": _rgb(style.BRIGHT),
            "dim": _rgb(style.DIM),
            "plate_opacity": style.PLATE_OPACITY,
            "forehead": label_layout.FOREHEAD,
            "mosaic_cells": mosaic.CELLS,
            "mosaic_margin": mosaic.MARGIN,
        },
        "history": {
            "length_s": history_strip.LENGTH_S,
            "bin_s": history_strip.BIN_S,
            "bridged": history_strip.MOST_BRIDGED,
            "most_rows": history_strip.MOST_ROWS,
        },
        "gaps": {"shortest_s": summary.GAP_S, "steps": summary.GAP_STEPS},
        "changes": {
            "window_s": changes.CHANGE_WINDOW_S,
            "least": changes.LEAST_CHANGE,
            "kept": changes.CHANGES_KEPT,
        },
        "palettes": {name: palette(theme, bundle.labels) for name, theme in (("light", LIGHT), ("dark", DARK))},
        "report": {"css": asset("document.css"), "meaning": asset("meaning.html")},
        "keys": [list(key) for key in KEYS if key[0] not in _NOT_IN_A_PAGE],
        "sha256": sha256,
    }


def _head(head: Head, offsets: Sequence[float]) -> dict[str, Any]:
    return {"name": head.name, "labels": head.labels, "temperature": head.temperature, "offsets": offsets}


def _colours(bundle: Bundle) -> dict[str, list[int]]:
    """Return the colour of every label that a face's box can have."""
    return {label: _rgb(colour_bgr(label, bundle.labels)) for label in (*bundle.labels, UNSURE)}


def _rgb(bgr: Sequence[int]) -> list[int]:
    return list(bgr[::-1])
