/** Find faces: the one seam for another search of the whole frame. */

import type { DetectorSettings } from "../settings";
import { type Box, type Detection, type Picture, area, asFloat32, intersection, width } from "../values";
import type { BlazeFace } from "./blazeface";
import { type Placement, cornerAndSide, cutOut, fitted, placedBox } from "./pixels";

export interface Detector {
  /** Return the faces of a whole frame, largest first, each once. */
  search(picture: Picture): Promise<readonly Detection[]>;
  /** Return the faces in a square window of a frame. */
  within(picture: Picture, window: Box): Promise<readonly Detection[]>;
}

/** Both BlazeFace networks, each believed in its own range, as `livemood camera` does it. */
export class NearAndFar implements Detector {
  readonly #near: BlazeFace;
  readonly #far: BlazeFace;
  readonly #settings: DetectorSettings;

  constructor(near: BlazeFace, far: BlazeFace, settings: DetectorSettings) {
    this.#near = near;
    this.#far = far;
    this.#settings = settings;
  }

  async search(picture: Picture): Promise<readonly Detection[]> {
    const near = await seen(this.#near, picture);
    const far = await seen(this.#far, picture);
    const closePx = this.#settings.close_side * Math.min(picture.width, picture.height);
    const close = near.filter((face) => width(face.box) >= closePx);
    return withoutDoubles([...close, ...(far.length > 0 ? far : near)], this.#settings.max_overlap);
  }

  async within(picture: Picture, window: Box): Promise<readonly Detection[]> {
    const { side } = this.#near;
    const found = await this.#near.find(cutOut(picture, window, side, false));
    const [left, top, across] = cornerAndSide(window);
    return found.map((face) => moved(face, { left, top, scale: across / side }));
  }
}

async function seen(network: BlazeFace, picture: Picture): Promise<readonly Detection[]> {
  const [small, placement] = fitted(picture, network.side);
  return (await network.find(small)).map((face) => moved(face, placement));
}

function moved(face: Detection, placement: Placement): Detection {
  const { left, top, scale } = placement;
  const keypoints = face.keypoints.map(([x, y]) => asFloat32([x * scale + left, y * scale + top]));
  return { box: placedBox(face.box, placement), keypoints, score: face.score };
}

/** Keep the first of any faces that overlap; the share is of the smaller box, as the networks frame differently. */
export function withoutDoubles(faces: readonly Detection[], maxOverlap: number): readonly Detection[] {
  const kept: Detection[] = [];
  for (const face of faces) {
    const share = (other: Detection): number =>
      intersection(face.box, other.box) / Math.min(area(face.box), area(other.box));
    if (kept.every((other) => share(other) <= maxOverlap)) kept.push(face);
  }
  return kept.sort((one, other) => area(other.box) - area(one.box));
}
