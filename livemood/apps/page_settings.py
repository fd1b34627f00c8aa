"""The settings of the browser page: Python's settings and the model's manifest as one JSON document, so that each
number is defined once.
"""

from collections.abc import Sequence
from dataclasses import asdict
from importlib.resources import files
from typing import Any, Final

from livemood import __version__
from livemood.bundles.manifest import Bundle
from livemood.core.keys import KEYS
from livemood.core.labels import UNSURE, colour_bgr
from livemood.core.stage_settings import NeutralBaselineSettings, Settings
from livemood.core.types import Keypoint
from livemood.detection import blazeface, optical_flow, roi_detector, yunet, yunet_runners
from livemood.emotion import crop, quality
from livemood.overlay import annotator, history_strip, label_layout
from livemood.records.schema import VERSION
from livemood.reporting import changes
from livemood.reporting.colours import DARK, LIGHT, palette
from livemood.tracking import tracker

NEAR: Final = "models/near.tflite"
FAR: Final = "models/far.tflite"
EMOTION: Final = "models/emotion.tflite"
COVERED: Final = "models/covered.f32"
YUNET: Final = "models/yunet.tflite"

YUNET_SIDE_PX: Final = 320
"""Side of the input that the file declares; the page scales it."""

# Keys of the live window that the page does not have.
_NOT_IN_A_PAGE: Final = ("q",)


def page_settings(bundle: Bundle, sha256: dict[str, str]) -> dict[str, Any]:
    """Return the document.

    Args:
        bundle: The emotion model.
        sha256: Hex digest of every model file, by its path from the page's folder.
    """
    every = Settings()
    return {
        "version": __version__,
        "unsure": UNSURE,
        "records_version": VERSION,
        "keypoints": [point.name.lower() for point in Keypoint],
        "detector": asdict(every.detector),
        "roi": {**asdict(every.roi), "sampled": roi_detector._SAMPLED},
        "flow": {
            "side_px": optical_flow._SIDE,
            "grid": optical_flow._GRID.astype(float).tolist(),
            "most_change": optical_flow._MOST_CHANGE,
            "fewest_agreeing": optical_flow._FEWEST_AGREEING,
            "most_growth": optical_flow._MOST_GROWTH,
        },
        "tracker": {**asdict(every.tracker), "coasting_s": tracker._COASTING_S},
        "smoother": asdict(every.smoother),
        "baseline": asdict(NeutralBaselineSettings(forget_s=every.smoother.forget_s)),
        "blazeface": {
            "maps": {str(side): maps for side, maps in blazeface._MAPS.items()},
            "same_face": blazeface._SAME_FACE,
            "averaged_from": blazeface._AVERAGED_FROM,
            "near": NEAR,
            "far": FAR,
        },
        "yunet": {
            "file": YUNET,
            "side_px": YUNET_SIDE_PX,
            "strides": yunet_runners.STRIDES,
            "same_face": yunet_runners.SAME_FACE,
            "ears": yunet._EARS,
            "eyes_apart": yunet._EYES_APART,
            "lower": yunet._LOWER,
            "width": yunet._WIDTH,
            "height": yunet._HEIGHT,
        },
        "emotion": {
            "name": bundle.name,
            "file": EMOTION,
            "crop": {**asdict(bundle.crop), "max_supersampling": crop._MAX_SUPERSAMPLING},
            "heads": [asdict(head) for head in bundle.heads],
        },
        "quality": {
            "covered": COVERED,
            "covered_side_px": quality._SIDE,
            "knows_covered": quality.has_trained_framing(bundle.crop),
            "not_covered": quality._NOT_COVERED,
            "steady": quality._STEADY,
            "reference_px": quality._REFERENCE_PX,
            "nose": quality._NOSE,
            "least": quality._LEAST,
            "noise_kernel": quality._NOISE_KERNEL.astype(float).tolist(),
            "noise_of_response": quality._NOISE_OF_RESPONSE,
            "noise_steady": quality._NOISE_STEADY,
            "noise_least": quality._NOISE_LEAST,
        },
        "overlay": {
            "colours": _colours(bundle),
            "dark": _rgb(annotator._DARK),
            "bright": _rgb(annotator._BRIGHT),
            "dim": _rgb(annotator._DIM),
            "plate_opacity": annotator._PLATE_OPACITY,
            "forehead": label_layout._FOREHEAD,
            "mosaic_cells": annotator._MOSAIC_CELLS,
            "mosaic_margin": annotator._MOSAIC_MARGIN,
        },
        "history": {
            "length_s": history_strip._LENGTH_S,
            "bin_s": history_strip._BIN_S,
            "bridged": history_strip._BRIDGED,
            "most_rows": history_strip._MOST_ROWS,
        },
        "changes": {
            "window_s": changes.CHANGE_WINDOW_S,
            "least": changes._LEAST_CHANGE,
            "kept": changes.CHANGES_KEPT,
        },
        "palettes": {name: palette(theme, bundle.labels) for name, theme in (("light", LIGHT), ("dark", DARK))},
        "report": {"css": _asset("document.css"), "meaning": _asset("meaning.html")},
        "keys": [list(key) for key in KEYS if key[0] not in _NOT_IN_A_PAGE],
        "sha256": sha256,
    }


def _colours(bundle: Bundle) -> dict[str, list[int]]:
    """Return the colour of every label that a face's box can have."""
    return {label: _rgb(colour_bgr(label, bundle.labels)) for label in (*bundle.labels, UNSURE)}


def _rgb(bgr: Sequence[int]) -> list[int]:
    return list(bgr[::-1])


def _asset(name: str) -> str:
    return files("livemood.reporting").joinpath(name).read_text(encoding="utf-8")
