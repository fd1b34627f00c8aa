/** Find faces: the one seam for another search of the whole frame. */

import type { DetectorSettings, EvidenceSettings } from "../settings";
import { type Box, type Detection, type Picture, iou } from "../values";
import type { BlazeFace } from "./blazeface";
import { companionsOf, evidence } from "./evidence";
import { cornerAndSide, cutOut, turnedPicture, turnedPlane } from "./pixels";
import { besideKnown, moved, square, turnedBack, withoutDoubles } from "./transforms";
import type { YuNet } from "./yunet";

export interface Found {
  /** Faces beside the known ones. */
  readonly faces: readonly Detection[];
  /** For each known one, whether it is still likely to be there. */
  readonly kept: readonly boolean[];
}

/** How a whole frame is to be searched. */
export interface Look {
  /** See small faces too. */
  readonly fine: boolean;
  /** Look at the frame turned clockwise by so many quarter turns. */
  readonly turns: number;
}

export interface Detector {
  /** Search a whole frame. */
  search(picture: Picture, known: readonly Box[], look: Look): Promise<Found>;
  /** Return the faces in a square window of a frame, which is turned clockwise by quarter turns. */
  within(picture: Picture, window: Box, turns: number): Promise<readonly Detection[]>;
}

/** YuNet proposes places; the BlazeFace networks say which are faces and where eyes, nose and mouth are. */
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

  async search(picture: Picture, known: readonly Box[], { fine, turns }: Look): Promise<Found> {
    const { search, evidence: asked, max_overlap: maxOverlap } = this.#settings;
    const { width, height } = picture;
    const view = turnedPicture(picture, turns);
    const longest = fine ? search.fine_frame_px : search.frame_px;
    const places = await this.#yunet.find(view, Math.min(longest, Math.max(width, height)));
    const here = places.map((place) => turnedBack(place, turns, width, height).box);
    const { fresh, kept } = besideKnown(here, known, maxOverlap, fine && turns === 0);
    const proposed = fresh.map((i) => places[i]!).filter((place) => place.score >= asked.proposed_from);
    const faces = await this.#faces(view, proposed, turns === 0 ? 0 : search.turned_evidence);
    const back = faces.map((face) => turnedBack(face, turns, width, height));
    return { faces: withoutDoubles(back, maxOverlap), kept };
  }

  async within(picture: Picture, window: Box, turns: number): Promise<readonly Detection[]> {
    const found = await findInWindow(this.#near, picture, window, turns);
    return found.filter((face) => face.score >= this.#settings.min_score);
  }

  /** Return the places that are faces, framed as BlazeFace frames them. */
  async #faces(picture: Picture, places: readonly Detection[], least: number): Promise<readonly Detection[]> {
    const { search, evidence: asked } = this.#settings;
    const beside = companionsOf(places, asked);
    const found: Detection[] = [];
    for (const [i, place] of places.entries()) {
      if (i >= search.most_places) {
        if (place.score >= asked.companion_from) found.push(this.#yunet.likeBlazeFace(place));
        continue;
      }
      const face = await this.#face(picture, place, beside[i]!, least, asked);
      if (face) found.push(face);
    }
    return found;
  }

  async #face(
    picture: Picture,
    place: Detection,
    companions: number,
    least: number,
    asked: EvidenceSettings,
  ): Promise<Detection | null> {
    const near = await this.#seen(this.#near, picture, place, asked.near_window);
    if (place.score < asked.sure_from || least > 0) {
      const far = await this.#seen(this.#far, picture, place, asked.far_window);
      const looks = { yunet: place.score, near: near?.score ?? 0, far: far?.score ?? 0 };
      if (evidence(looks, place.box, picture, companions, asked) <= least) return null;
    }
    if (near && near.score >= asked.keypoints_from) return { ...near, score: place.score };
    return this.#yunet.likeBlazeFace(place);
  }

  /** Return the face that a network sees at a place, in a window around it. */
  async #seen(network: BlazeFace, picture: Picture, place: Detection, scale: number): Promise<Detection | null> {
    const found = await findInWindow(network, picture, square(place.box, scale));
    const [best] = [...found].sort((one, other) => iou(other.box, place.box) - iou(one.box, place.box));
    return best && iou(best.box, place.box) >= this.#settings.evidence.min_iou ? best : null;
  }
}

/** Return the faces in a part of a picture, which is brought to the network's own size. */
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
