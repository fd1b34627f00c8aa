/** What makes a face of a place that is proposed; what `livemood/detection/evidence.py` does for a video's frames. */

import type { EvidenceSettings } from "../settings";
import { type Box, type Detection, centre, height, width } from "../values";

/** Scores of three networks for one place, 0..1; 0 where one sees no face there. */
export interface Looks {
  readonly yunet: number;
  readonly near: number;
  readonly far: number;
}

/** How much speaks for a face; one is there where it is above 0. */
export function evidence(
  looks: Looks,
  place: Box,
  frame: { readonly width: number; readonly height: number },
  companions: number,
  settings: EvidenceSettings,
): number {
  const logit = (score: number): number => {
    const bounded = Math.min(Math.max(score, settings.floor), settings.ceiling);
    return Math.log(bounded / (1 - bounded));
  };
  const side = Math.max(width(place), height(place));
  const share = Math.max(side / Math.max(frame.width, frame.height), settings.smallest_share);
  const [x, y] = centre(place);
  const atEdge = Math.min(x, frame.width - x, y, frame.height - y) < settings.edge_reach * side;
  return (
    settings.looks * logit(looks.yunet) +
    settings.near * logit(looks.near) +
    settings.far * logit(looks.far) +
    settings.share * Math.log(10 * share) +
    (companions >= settings.companions ? settings.company : 0) +
    (atEdge ? settings.edge : 0) +
    settings.bias
  );
}

/** For each place, how many others are sure faces of about its size. */
export function companionsOf(places: readonly Detection[], settings: EvidenceSettings): readonly number[] {
  const { companion_from: from, companion_ratio: ratio } = settings;
  const sides = places.map(({ box }) => Math.max(width(box), height(box)));
  const sure = sides.filter((_, i) => places[i]!.score >= from);
  return places.map((place, i) => {
    const alike = sure.filter((side) => sides[i]! / ratio < side && side < sides[i]! * ratio).length;
    return alike - (place.score >= from ? 1 : 0);
  });
}
