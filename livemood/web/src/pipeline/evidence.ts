/** Evidence that a candidate is a face, as in `livemood/detection/evidence.py` for the frames of a video. */

import type { EvidenceSettings } from "../settings";
import { type Box, type Detection, centre, longerSide } from "../values";

/** Scores of three networks for one candidate, 0..1; 0 where a network detects no face there. */
export interface CandidateScores {
  readonly yunet: number;
  readonly near: number;
  readonly far: number;
}

/** The evidence that a candidate is a face, as a logit; above 0 it counts as one. */
export function evidence(
  scores: CandidateScores,
  box: Box,
  frame: { readonly width: number; readonly height: number },
  others: number,
  settings: EvidenceSettings,
): number {
  const logit = (score: number, floor: number): number => {
    const bounded = Math.min(Math.max(score, floor), settings.ceiling);
    return Math.log(bounded / (1 - bounded));
  };
  const side = longerSide(box);
  const share = Math.max(side / Math.max(frame.width, frame.height), settings.smallest_share);
  const [x, y] = centre(box);
  const atEdge = Math.min(x, frame.width - x, y, frame.height - y) < settings.edge_reach * side;
  return (
    settings.yunet * logit(scores.yunet, settings.yunet_floor) +
    settings.near * logit(scores.near, settings.floor) +
    settings.far * logit(scores.far, settings.floor) +
    settings.share * Math.log(10 * share) +
    (others >= settings.group_size ? settings.group : 0) +
    (atEdge ? settings.edge : 0) +
    settings.bias
  );
}

/** For each candidate, how many others of about its size are likely faces, among all detections in the picture. */
export function companionsOf(
  candidates: readonly Detection[],
  among: readonly Detection[],
  settings: EvidenceSettings,
): readonly number[] {
  const { group_from: from, group_ratio: ratio } = settings;
  const likely = among.filter(({ score }) => score >= from).map(({ box }) => longerSide(box));
  return candidates.map((candidate) => {
    const side = longerSide(candidate.box);
    const alike = likely.filter((other) => side / ratio < other && other < side * ratio).length;
    return alike - (candidate.score >= from ? 1 : 0);
  });
}
