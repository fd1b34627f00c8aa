/** Face detection; another search of the whole frame would implement `Detector`. */

import type { DetectorSettings, EvidenceSettings } from "../settings";
import { type Box, type Detection, type Picture, longerSide } from "../values";
import type { BlazeFace } from "./blazeface";
import { companionsOf, evidence } from "./evidence";
import { cornerAndSide, cutOut, turnedPicture, turnedPlane } from "./pixels";
import { bestMatch, besideKnown, moved, square, turnedBack, withoutDoubles } from "./transforms";
import type { YuNet } from "./yunet";

export interface Found {
  /** New faces. */
  readonly faces: readonly Detection[];
  /** For each known face, whether it is probably still there. */
  readonly kept: readonly boolean[];
}

/** Options of a search of a whole frame. */
export interface Search {
  /** Detect small faces too. */
  readonly fine: boolean;
  /** Number of clockwise quarter turns by which the frame is rotated for the search. */
  readonly turns: number;
}

export interface Detector {
  /** Search a whole frame. */
  search(picture: Picture, known: readonly Box[], options: Search): Promise<Found>;
  /** Return the faces in a square window of a frame, rotated clockwise by `turns` quarter turns. */
  within(picture: Picture, window: Box, turns: number): Promise<readonly Detection[]>;
}

/** YuNet proposes candidates; the BlazeFace networks confirm or reject each one and give its keypoints. */
export class Combined implements Detector {
  readonly #yunet: YuNet;
  readonly #near: BlazeFace;
  readonly #far: BlazeFace;
  readonly #settings: DetectorSettings;

  constructor(yunet: YuNet, near: BlazeFace, far: BlazeFace, settings: DetectorSettings) {
    this.#yunet = yunet;
    this.#near = near;
    this.#far = far;
    this.#settings = settings;
  }

  async search(picture: Picture, known: readonly Box[], { fine, turns }: Search): Promise<Found> {
    const { search, evidence: limits, max_overlap: maxOverlap } = this.#settings;
    const { width, height } = picture;
    const view = turnedPicture(picture, turns);
    const longest = fine ? search.fine_frame_px : search.frame_px;
    const detections = await this.#yunet.find(view, Math.min(longest, Math.max(width, height)));
    const boxes = detections.map((one) => turnedBack(one, turns, width, height).box);
    const { fresh, kept } = besideKnown(boxes, known, maxOverlap, fine && turns === 0);
    const candidates = fresh
      .map((i) => detections[i]!)
      .filter((one) => one.score >= limits.proposed_from && longerSide(one.box) >= limits.smallest_px);
    const groups = companionsOf(candidates, detections, limits);
    const faces = await this.#faces(view, candidates, groups, turns === 0 ? 0 : search.turned_evidence);
    const back = faces.map((face) => turnedBack(face, turns, width, height));
    return { faces: withoutDoubles(back, maxOverlap), kept };
  }

  async within(picture: Picture, window: Box, turns: number): Promise<readonly Detection[]> {
    const found = await findInWindow(this.#near, picture, window, turns);
    return found.filter((face) => face.score >= this.#settings.min_score);
  }

  /** Return the candidates that are faces, with boxes framed as BlazeFace's. */
  async #faces(
    picture: Picture,
    candidates: readonly Detection[],
    groups: readonly number[],
    least: number,
  ): Promise<readonly Detection[]> {
    const { search, evidence: limits } = this.#settings;
    const found: Detection[] = [];
    for (const [i, candidate] of candidates.entries()) {
      if (i >= search.most_candidates) {
        if (candidate.score >= limits.group_from) found.push(this.#yunet.likeBlazeFace(candidate));
        continue;
      }
      const face = await this.#face(picture, candidate, groups[i]!, least, limits);
      if (face) found.push(face);
    }
    return found;
  }

  async #face(
    picture: Picture,
    candidate: Detection,
    others: number,
    least: number,
    limits: EvidenceSettings,
  ): Promise<Detection | null> {
    const near = await this.#detected(this.#near, picture, candidate, limits.near_window);
    if (candidate.score < limits.sure_from) {
      const far = await this.#detected(this.#far, picture, candidate, limits.far_window);
      const scores = { yunet: candidate.score, near: near?.score ?? 0, far: far?.score ?? 0 };
      if (evidence(scores, candidate.box, picture, others, limits) <= least) return null;
    }
    if (near && near.score >= limits.keypoints_from) return { ...near, score: candidate.score };
    return this.#yunet.likeBlazeFace(candidate);
  }

  /** Return the network's detection of a candidate in a window around it; null if it detects none there. */
  async #detected(network: BlazeFace, picture: Picture, candidate: Detection, scale: number): Promise<Detection | null> {
    const found = await findInWindow(network, picture, square(candidate.box, scale));
    return bestMatch(found, candidate.box, this.#settings.evidence.min_iou);
  }
}

/** Return the faces in a window, which is scaled to the network's input, in px of the picture. */
async function findInWindow(
  network: BlazeFace,
  picture: Picture,
  window: Box,
  turns = 0,
): Promise<readonly Detection[]> {
  const { side } = network;
  const found = await network.find(turnedPlane(cutOut(picture, window, side, false), turns));
  const [left, top, across] = cornerAndSide(window);
  return found.map((face) => moved(turnedBack(face, turns, side, side), { left, top, scale: across / side }));
}
