/** Find faces: the one seam for another search of the whole frame. */

import type { DetectorSettings } from "../settings";
import { type Box, type Detection, type Picture, width } from "../values";
import type { BlazeFace } from "./blazeface";
import { cornerAndSide, cutOut, fitted, turnedPlane } from "./pixels";
import { besideKnown, moved, turnedBack, withoutDoubles } from "./transforms";

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

/** Both BlazeFace networks, each believed in its own range: what Python calls `fast`. */
export class NearAndFar implements Detector {
  readonly #near: BlazeFace;
  readonly #far: BlazeFace;
  readonly #settings: DetectorSettings;

  constructor(near: BlazeFace, far: BlazeFace, settings: DetectorSettings) {
    this.#near = near;
    this.#far = far;
    this.#settings = settings;
  }

  async search(picture: Picture, known: readonly Box[]): Promise<Found> {
    const { close_side: closeSide, max_overlap: maxOverlap } = this.#settings;
    const near = await seen(this.#near, picture);
    const far = await seen(this.#far, picture);
    const closePx = closeSide * Math.min(picture.width, picture.height);
    const close = near.filter((face) => width(face.box) >= closePx);
    const found = withoutDoubles([...close, ...(far.length > 0 ? far : near)], maxOverlap);
    const boxes = found.map((face) => face.box);
    const { fresh, kept } = besideKnown(boxes, known, maxOverlap, true);
    return { faces: fresh.map((i) => found[i]!), kept };
  }

  within(picture: Picture, window: Box, turns: number): Promise<readonly Detection[]> {
    return findInWindow(this.#near, picture, window, turns);
  }
}

async function seen(network: BlazeFace, picture: Picture): Promise<readonly Detection[]> {
  const [small, placement] = fitted(picture, network.side);
  return (await network.find(small)).map((face) => moved(face, placement));
}

/** Return the faces in a part of a picture, which is brought to the network's own size. */
export async function findInWindow(
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
