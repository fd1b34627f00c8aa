/** Whether a face is `unsure` although an emotion leads, and why, as in `livemood/emotion/doubt.py`. */

import type { DoubtSettings } from "../settings";
import type { Doubt, Quality } from "../values";

/** Return the reason; null if the face is not `unsure`. */
export function doubt(
  quality: Quality,
  confidence: number,
  unsureBelow: number,
  settings: DoubtSettings,
): Doubt | null {
  if (quality.sidePx < settings.small_below_px) return "small";
  if (quality.yawDeg > settings.turned_from_deg) return "turned";
  if (quality.covered > settings.covered_from) return "covered";
  if (quality.chosen < settings.chosen_below) return "none of these";
  const lostDetail = 2 * quality.sharpness - quality.noise;
  const needed =
    unsureBelow +
    settings.noise_slope * Math.max(quality.noise - settings.noise_from, 0) +
    settings.clip_slope * quality.clipped +
    settings.cover_slope * Math.max(quality.covered - settings.uncovered_to, 0);
  const tilt = settings.tilt_slope * Math.max(quality.tilted - settings.upright_to, 0);
  const blur =
    settings.blur_slope * Math.max(settings.sharp_from - quality.sharpness, 0) +
    settings.detail_slope * Math.max(lostDetail, 0);
  if (confidence >= Math.min(needed + tilt + blur, settings.most_needed)) return null;
  if (confidence < needed) return "ambiguous";
  return tilt > blur ? "turned" : "blurred";
}
