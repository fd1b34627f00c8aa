"""Whether a face is ``unsure`` although an emotion leads, and why."""

from livemood.core.labels import Doubt
from livemood.core.stage_settings import SmootherSettings
from livemood.core.types import Quality


def doubt(quality: Quality, confidence: float, smoother: SmootherSettings) -> Doubt | None:
    """Return the reason why a face is ``unsure``; None if it is not.

    Args:
        quality: Of the face.
        confidence: Of the leading emotion, 0..1.
        smoother: Thresholds, ``unsure_below`` and ``doubt``.
    """
    settings = smoother.doubt
    if quality.side_px < settings.small_below_px:
        return "small"
    if quality.yaw_deg > settings.turned_from_deg:
        return "turned"
    if quality.covered > settings.covered_from:
        return "covered"
    if quality.chosen < settings.chosen_below:
        return "none of these"
    needed = smoother.unsure_below
    needed += settings.noise_slope * max(quality.noise - settings.noise_from, 0.0)
    needed += settings.clip_slope * quality.clipped
    needed += settings.cover_slope * max(quality.covered - settings.uncovered_to, 0.0)
    tilt = settings.tilt_slope * max(quality.tilted - settings.upright_to, 0.0)
    blur = settings.blur_slope * max(settings.sharp_from - quality.sharpness, 0.0)
    blur += settings.detail_slope * max(quality.lost_detail, 0.0)
    if confidence >= min(needed + tilt + blur, settings.most_needed):
        return None
    if confidence < needed:
        return "ambiguous"
    return "turned" if tilt > blur else "blurred"
