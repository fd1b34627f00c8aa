/** See known faces again without searching the whole frame; what `livemood/detection/roi_detector.py` does. */

import type { Settings } from "../settings";
import { type Box, type Detection, type Frame, type Picture, area, iou, width } from "../values";
import type { Detector, Look } from "./detection";
import { type GreyWindow, greyWindow, moved } from "./flow";
import { brightness } from "./pixels";
import { sameFace, square, turnsToUpright } from "./transforms";

/** A face, the square window in which it is looked for next, when a network saw it last, and how it is turned. */
interface Known {
  readonly face: Detection;
  readonly seen: GreyWindow;
  readonly seenS: number;
  readonly turns: number;
}

/** How the whole frame is looked at for a first face: in turn finely, turned, plainly, turned the other way. */
const IDLE: readonly Look[] = [
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
  #lookedS = 0;
  #looks = -1;
  #sample: Int16Array | null = null;

  constructor(detector: Detector, settings: Settings) {
    this.#detector = detector;
    this.#settings = settings;
  }

  /** Return the faces of the next frame, largest first. */
  async detect(frame: Frame): Promise<readonly Detection[]> {
    const { full_frame_every_s: everyS, max_faces: most } = this.#settings.follower;
    const since = frame.timeS - this.#frameS;
    const jumped = this.#cut(frame.picture) || !(since >= 0 && since < everyS);
    const crowded = this.#known.length > most;
    let again = jumped || crowded ? [] : await this.#seenAgain(frame);
    const lost = again.length < this.#known.length;
    if (jumped || lost || again.length === 0 || frame.timeS - this.#lookedS >= everyS) {
      again = await this.#look(frame, again, jumped || lost);
    }
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
  async #look(frame: Frame, again: readonly Known[], afresh: boolean): Promise<Known[]> {
    const { smallest_px: smallest, fine_every: fineEvery } = this.#settings.follower;
    this.#looks = afresh ? 0 : this.#looks + 1;
    this.#lookedS = frame.timeS;
    const small = again.some((known) => width(known.face.box) < smallest);
    const look: Look =
      again.length > 0
        ? { fine: small || this.#looks % fineEvery === 0, turns: 0 }
        : IDLE[this.#looks % IDLE.length]!;
    const boxes = again.map((known) => known.face.box);
    const { faces, kept } = await this.#detector.search(frame.picture, boxes, look);
    // A turned face is not seen by a search of the upright frame: its window alone tells.
    const staying = again.filter((known, i) => kept[i] || known.turns !== 0);
    return [...staying, ...faces.map((face) => this.#firstSeen(frame, face))];
  }

  #firstSeen(frame: Frame, face: Detection): Known {
    const seen = greyWindow(frame.picture, this.#window(face), this.#settings.flow);
    return { face, seen, seenS: frame.timeS, turns: turnsToUpright(face) };
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
    const seen = stays ? now : greyWindow(frame.picture, window, flow);
    return { face, seen, seenS, turns: turnsToUpright(face) };
  }

  /** Return the face that the network sees in a known face's window, if it is the same. */
  async #inWindow(frame: Frame, known: Known): Promise<Detection | null> {
    const { box } = known.face;
    const found = await this.#detector.within(frame.picture, known.seen.window, known.turns);
    const [best] = [...found].sort((one, other) => iou(other.box, box) - iou(one.box, box));
    return best && iou(best.box, box) >= this.#settings.follower.min_iou ? best : null;
  }

  /** Return where to look for a face in the next frame: a square around it. */
  #window(face: Detection): Box {
    return square(face.box, this.#settings.follower.window_scale);
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
