/**
 * The playout buffer between camera and screen. Every frame waits until its moods are known and is then drawn with them,
 * so that a box never belongs to another picture. Faces of frames that were not processed are interpolated between the
 * processed frames before and after.
 */

import type { Reading, Stamp } from "../protocol";
import type { Box, Mood, Point } from "../values";
import type { Reader } from "./reader";

/** Longest delay of a frame; moods that are not known by then are not drawn. */
const LONGEST_DELAY_MS = 250;
/** A frame that waited longer to be processed is dropped: while the networks load, a camera gives hundreds. */
const LONGEST_WAIT_MS = 2 * LONGEST_DELAY_MS;
/** Factor by which the delay shrinks in a second in which a shorter one would have been enough. */
const DELAY_DECAY = 0.7;

export interface Shown {
  readonly stamp: Stamp;
  readonly bitmap: ImageBitmap;
  readonly moods: readonly Mood[];
  /** Whether its faces were detected, rather than interpolated. */
  readonly wasRead: boolean;
}

interface Waiting {
  readonly stamp: Stamp;
  readonly takenMs: number;
  bitmap: ImageBitmap | null;
  moods: readonly Mood[] | null;
  wasRead: boolean;
}

export class Playout {
  readonly #reader: Reader;
  readonly #onRead: (reading: Reading, tookMs: number) => void;
  readonly #onFailure: (error: unknown) => void;
  #frames: Waiting[] = [];
  #lastMoods: readonly Mood[] = [];
  #lastTakenMs = 0;
  #delayMs = 0;
  #delayAtMs = 0;
  #generation = 0;

  constructor(
    reader: Reader,
    onRead: (reading: Reading, tookMs: number) => void,
    onFailure: (error: unknown) => void,
  ) {
    this.#reader = reader;
    this.#onRead = onRead;
    this.#onFailure = onFailure;
  }

  /** Add a frame that was captured at `takenMs` of the page's clock. */
  push(stamp: Stamp, bitmap: ImageBitmap, takenMs: number): void {
    this.#dropOld(takenMs);
    this.#frames.push({ stamp, takenMs, bitmap, moods: null, wasRead: false });
    this.#readNewest();
  }

  /** Return the newest frame that is due, once; earlier ones are dropped. */
  take(nowMs: number): Shown | null {
    let due = -1;
    this.#frames.forEach((frame, i) => {
      if (frame.moods && frame.bitmap && nowMs - frame.takenMs >= this.#delayMs) due = i;
    });
    if (due < 0) return null;
    const passed = this.#frames.splice(0, due + 1);
    const frame = passed.pop()!;
    for (const { bitmap } of passed) bitmap?.close();
    return { stamp: frame.stamp, bitmap: frame.bitmap!, moods: frame.moods!, wasRead: frame.wasRead };
  }

  /** Drop all frames: another source begins. */
  clear(): void {
    this.#generation += 1;
    for (const { bitmap } of this.#frames) bitmap?.close();
    this.#frames = [];
    this.#lastMoods = [];
    this.#delayMs = 0;
  }

  /** Drop frames that would never be drawn. The one that is being processed has no bitmap here, and stays. */
  #dropOld(nowMs: number): void {
    const isOld = ({ bitmap, moods, takenMs }: Waiting): boolean =>
      bitmap !== null && moods === null && nowMs - takenMs > LONGEST_WAIT_MS;
    for (const frame of this.#frames) if (isOld(frame)) frame.bitmap?.close();
    this.#frames = this.#frames.filter((frame) => !isOld(frame));
  }

  #readNewest(): void {
    const frame = this.#frames[this.#frames.length - 1];
    if (this.#reader.busy || !frame?.bitmap || frame.moods) return;
    const bitmap = frame.bitmap;
    const generation = this.#generation;
    frame.bitmap = null;
    this.#reader.read(frame.stamp, bitmap).then((reading) => {
      if (generation !== this.#generation) {
        reading.bitmap.close();
      } else {
        this.#known(frame, reading);
      }
      this.#readNewest();
    }, this.#onFailure);
  }

  #known(frame: Waiting, reading: Reading): void {
    const nowMs = performance.now();
    frame.bitmap = reading.bitmap;
    frame.moods = reading.moods;
    frame.wasRead = true;
    let waitedMs = nowMs - frame.takenMs;
    for (const between of this.#frames) {
      if (between === frame) break;
      if (between.moods) continue;
      const share = (between.takenMs - this.#lastTakenMs) / (frame.takenMs - this.#lastTakenMs);
      between.moods = this.#lastMoods.map((mood) => movedTowards(mood, reading.moods, share));
      waitedMs = Math.max(waitedMs, nowMs - between.takenMs);
    }
    const decayed = this.#delayMs * DELAY_DECAY ** ((nowMs - this.#delayAtMs) / 1000);
    this.#delayMs = Math.min(Math.max(waitedMs, decayed), LONGEST_DELAY_MS);
    this.#delayAtMs = nowMs;
    this.#lastMoods = reading.moods;
    this.#lastTakenMs = frame.takenMs;
    this.#onRead(reading, nowMs - frame.takenMs);
  }
}

/** A mood whose face is interpolated towards its position in the next processed frame. */
function movedTowards(mood: Mood, next: readonly Mood[], share: number): Mood {
  const then = next.find((other) => other.track.id === mood.track.id);
  if (!then) return mood;
  const { id, detection } = mood.track;
  const goal = then.track.detection;
  const between = (from: number, to: number): number => from + share * (to - from);
  const box: Box = {
    left: between(detection.box.left, goal.box.left),
    top: between(detection.box.top, goal.box.top),
    right: between(detection.box.right, goal.box.right),
    bottom: between(detection.box.bottom, goal.box.bottom),
  };
  const keypoints = detection.keypoints.map(([x, y], i): Point => {
    const [toX, toY] = goal.keypoints[i]!;
    return [between(x, toX), between(y, toY)];
  });
  return { ...mood, track: { id, detection: { ...detection, box, keypoints } } };
}
