/** See known faces again without searching the whole frame; what `livemood/detection/roi_detector.py` does. */

import type { Settings } from "../settings";
import { type Box, type Detection, type Frame, type Picture, area, centre, height, intersection, iou, width } from "../values";
import type { Detector } from "./detection";
import { type GreyWindow, greyWindow, moved } from "./flow";
import { brightness } from "./pixels";

/** A face, the square window in which it is looked for next, and when a network saw it last. */
interface Known {
  readonly face: Detection;
  readonly seen: GreyWindow;
  readonly seenS: number;
}

export class RoiDetector {
  readonly #detector: Detector;
  readonly #settings: Settings;
  #known: Known[] = [];
  #worthFollowing = false;
  #frameS = 0;
  #searchedS = 0;
  #sample: Int16Array | null = null;

  constructor(detector: Detector, settings: Settings) {
    this.#detector = detector;
    this.#settings = settings;
  }

  /** Return the faces of the next frame, largest first. */
  async detect(frame: Frame): Promise<readonly Detection[]> {
    const everyS = this.#settings.follower.full_frame_every_s;
    const since = frame.timeS - this.#frameS;
    const jumped = this.#cut(frame.picture) || !(since >= 0 && since < everyS);
    const due = !this.#worthFollowing || frame.timeS - this.#searchedS >= everyS;
    let again = jumped || !this.#worthFollowing ? [] : await this.#seenAgain(frame);
    if (jumped || due || again.length < this.#known.length) again = await this.#search(frame, again);
    this.#frameS = frame.timeS;
    this.#known = again.sort((one, other) => area(other.face.box) - area(one.face.box));
    return this.#known.map((known) => known.face);
  }

  /** Tell whether a frame has little to do with the one before. */
  #cut(picture: Picture): boolean {
    const { follower } = this.#settings;
    const sample = brightnessAt(picture, follower.sampled);
    const before = this.#sample;
    this.#sample = sample;
    if (!before) return false;
    let change = 0;
    for (let i = 0; i < sample.length; i++) change += Math.abs(sample[i]! - before[i]!);
    return change / sample.length > follower.cut_change;
  }

  /** Search the whole frame, and take the windows' word for the faces that they saw too. */
  async #search(frame: Frame, again: readonly Known[]): Promise<Known[]> {
    const { follower } = this.#settings;
    const found = await this.#detector.search(frame.picture);
    // An old box over two faces says where neither is.
    const told = again.filter((old) => found.filter((face) => this.#same(old.face, face)).length === 1);
    const faces = found.map(
      (face) => told.find((old) => this.#same(old.face, face)) ?? this.#firstSeen(frame, face),
    );
    const small = found.some((face) => width(face.box) < follower.smallest_px);
    this.#worthFollowing = faces.length > 0 && faces.length <= follower.max_faces && !small;
    this.#searchedS = frame.timeS;
    return faces;
  }

  #firstSeen(frame: Frame, face: Detection): Known {
    return { face, seen: greyWindow(frame.picture, this.#window(face), this.#settings.flow), seenS: frame.timeS };
  }

  async #seenAgain(frame: Frame): Promise<Known[]> {
    const again: Known[] = [];
    for (const known of this.#known) {
      const found = await this.#whereNow(frame, known);
      if (found && !again.some((other) => this.#same(found.face, other.face))) again.push(found);
    }
    return again;
  }

  /** Return a known face at its new place, if it is still near the old one. */
  async #whereNow(frame: Frame, known: Known): Promise<Known | null> {
    const { follower, flow } = this.#settings;
    const now = greyWindow(frame.picture, known.seen.window, flow);
    const due = frame.timeS - known.seenS >= follower.redetect_every_s;
    let face = due ? null : moved(known.face, known.seen, now, flow);
    let { seenS } = known;
    if (!face) {
      face = await this.#inWindow(frame, known);
      seenS = frame.timeS;
    }
    if (!face) return null;
    const window = this.#window(face);
    const stays = iou(window, now.window) >= follower.same_window;
    return { face, seen: stays ? now : greyWindow(frame.picture, window, flow), seenS };
  }

  /** Return the face that the network sees in a known face's window, if it is the same. */
  async #inWindow(frame: Frame, known: Known): Promise<Detection | null> {
    const { box } = known.face;
    const found = await this.#detector.within(frame.picture, known.seen.window);
    const [best] = [...found].sort((one, other) => iou(other.box, box) - iou(one.box, box));
    return best && iou(best.box, box) >= this.#settings.follower.min_iou ? best : null;
  }

  /** Return where to look for a face in the next frame: a square around it. */
  #window(face: Detection): Box {
    const [x, y] = centre(face.box);
    const half = (Math.max(width(face.box), height(face.box)) * this.#settings.follower.window_scale) / 2;
    return { left: x - half, top: y - half, right: x + half, bottom: y + half };
  }

  #same(one: Detection, other: Detection): boolean {
    const shared = intersection(one.box, other.box);
    return shared > this.#settings.detector.max_overlap * Math.min(area(one.box), area(other.box));
  }
}

function brightnessAt({ data, width: across, height: down }: Picture, points: readonly [number, number]): Int16Array {
  const [columns, rows] = points;
  const out = new Int16Array(columns * rows);
  for (let y = 0; y < rows; y++) {
    const row = Math.floor((y * down) / rows) * across;
    for (let x = 0; x < columns; x++) {
      const i = 4 * (row + Math.floor((x * across) / columns));
      out[y * columns + x] = brightness(data[i]!, data[i + 1]!, data[i + 2]!);
    }
  }
  return out;
}
