/** Follow known faces without searching every whole frame, as in `livemood/detection/roi_detector.py`. */

import type { Settings } from "../settings";
import { type Box, type Detection, type Frame, type Picture, area, iou, width } from "../values";
import type { Detector, Search } from "./detection";
import { type GreyWindow, greyWindow, moved } from "./flow";
import { brightness } from "./pixels";
import { bestMatch, sameFace, square, turnsToUpright } from "./transforms";

/** A known face, its window, the time at which a network last detected it, and its quarter turns to upright. */
interface Known {
  readonly face: Detection;
  readonly roi: GreyWindow;
  readonly seenS: number;
  readonly turns: number;
}

/** Searches while no face is known, in this order: fine, rotated, ordinary, rotated the other way. */
const IDLE: readonly Search[] = [
  { fine: true, turns: 0 },
  { fine: false, turns: 1 },
  { fine: false, turns: 0 },
  { fine: false, turns: 3 },
];

export class RoiDetector {
  readonly #detector: Detector;
  readonly #settings: Settings;
  #known: readonly Known[] = [];
  #frameS = 0;
  #searchedS = 0;
  #searches = -1;
  #sample: Int16Array | null = null;

  constructor(detector: Detector, settings: Settings) {
    this.#detector = detector;
    this.#settings = settings;
  }

  /** Return the faces of the next frame, largest first. */
  async detect(frame: Frame): Promise<readonly Detection[]> {
    const { full_frame_every_s: everyS, max_faces: most } = this.#settings.roi;
    const since = frame.timeS - this.#frameS;
    const jumped = this.#isCut(frame.picture) || !(since >= 0 && since < everyS);
    const crowded = this.#known.length > most;
    let followed = jumped || crowded ? [] : await this.#follow(frame);
    const lost = followed.length < this.#known.length;
    if (jumped || lost || followed.length === 0 || frame.timeS - this.#searchedS >= everyS) {
      followed = await this.#search(frame, followed, jumped || lost);
    }
    this.#frameS = frame.timeS;
    this.#known = followed.sort((one, other) => area(other.face.box) - area(one.face.box));
    return this.#known.map((known) => known.face);
  }

  /** Return whether a new scene begins. */
  #isCut(picture: Picture): boolean {
    const { roi } = this.#settings;
    const sample = brightnessAt(picture, roi.sampled);
    const before = this.#sample;
    this.#sample = sample;
    if (!before) return false;
    let change = 0;
    for (let i = 0; i < sample.length; i++) change += Math.abs(sample[i]! - before[i]!);
    return change / sample.length > roi.cut_change;
  }

  /** Search the whole frame; return the followed faces that stay, and the new ones. */
  async #search(frame: Frame, followed: readonly Known[], restart: boolean): Promise<Known[]> {
    const { smallest_px: smallest, fine_every: fineEvery } = this.#settings.roi;
    this.#searches = restart ? 0 : this.#searches + 1;
    this.#searchedS = frame.timeS;
    const small = followed.some((known) => width(known.face.box) < smallest);
    const search: Search =
      followed.length > 0
        ? { fine: small || this.#searches % fineEvery === 0, turns: 0 }
        : IDLE[this.#searches % IDLE.length]!;
    const boxes = followed.map((known) => known.face.box);
    const { faces, kept } = await this.#detector.search(frame.picture, boxes, search);
    // A search of the upright frame does not detect a rotated face, so it cannot drop one.
    const staying = followed.filter((known, i) => kept[i] || known.turns !== 0);
    return [...staying, ...faces.map((face) => this.#new(frame, face))];
  }

  #new(frame: Frame, face: Detection): Known {
    const roi = greyWindow(frame.picture, this.#window(face), this.#settings.flow);
    return { face, roi, seenS: frame.timeS, turns: turnsToUpright(face) };
  }

  async #follow(frame: Frame): Promise<Known[]> {
    const followed: Known[] = [];
    for (const known of this.#known) {
      const found = await this.#moved(frame, known);
      if (found && !followed.some((other) => this.#same(found.face, other.face))) followed.push(found);
    }
    return followed;
  }

  /** Return a known face at its new position; null if it was lost. */
  async #moved(frame: Frame, known: Known): Promise<Known | null> {
    const { roi: settings, flow } = this.#settings;
    const now = greyWindow(frame.picture, known.roi.window, flow);
    const due = frame.timeS - known.seenS >= settings.redetect_every_s;
    let face = due ? null : moved(known.face, known.roi, now, flow);
    let { seenS } = known;
    if (!face) {
      face = await this.#inWindow(frame, known);
      seenS = frame.timeS;
    }
    if (!face) return null;
    const window = this.#window(face);
    const stays = iou(window, now.window) >= settings.same_window;
    const roi = stays ? now : greyWindow(frame.picture, window, flow);
    return { face, roi, seenS, turns: turnsToUpright(face) };
  }

  /** Return the network's detection of a known face in its window; null if it finds none there. */
  async #inWindow(frame: Frame, known: Known): Promise<Detection | null> {
    const found = await this.#detector.within(frame.picture, known.roi.window, known.turns);
    return bestMatch(found, known.face.box, this.#settings.roi.min_iou);
  }

  /** Return the window in which a face is searched in the next frame: a square around it. */
  #window(face: Detection): Box {
    return square(face.box, this.#settings.roi.window_scale);
  }

  #same(one: Detection, other: Detection): boolean {
    return sameFace(one.box, other.box, this.#settings.detector.max_overlap);
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
