"""When a face is ``unsure`` though an emotion leads, and why: numbers in, a reason out."""

from livemood.core.labels import Doubt
from livemood.core.settings import DoubtSettings
from livemood.core.types import Quality


def doubt(quality: Quality, confidence: float, unsure_below: float, settings: DoubtSettings) -> Doubt | None:
    """Return what keeps a face from being read; None where nothing does.

    Args:
        quality: How far it can be read.
        confidence: Of the leading emotion, 0..1.
        unsure_below: What that needs at least where the picture is good.
        settings: Thresholds.
    """
    if quality.side_px < settings.small_below_px:
        return "small"
    if quality.yaw_deg > settings.turned_from_deg:
        return "turned"
    if quality.covered > settings.covered_from:
        return "covered"
    if quality.chosen < settings.chosen_below:
        return "none of these"
    blur = settings.blur_slope * max(settings.sharp_from - quality.sharpness, 0.0)
    noise = settings.noise_slope * max(quality.noise - settings.noise_from, 0.0)
    if confidence < min(unsure_below + blur + noise, settings.most_needed):
        return "ambiguous" if confidence < unsure_below + noise else "blurred"
    return None
