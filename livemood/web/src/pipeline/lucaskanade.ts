/**
 * Sparse optical flow: Lucas and Kanade 1981, in the pyramids of Bouguet 2000, in the fixed-point steps in which
 * OpenCV computes it, so that the results equal Python's.
 */

import { type Point, rint } from "../values";

/** OpenCV stores coordinates and sums as float32. */
const f32 = Math.fround;

const WINDOW = 13;
const HALF = (WINDOW - 1) / 2;
const MAX_LEVEL = 2;
const MAX_STEPS = 30;
const STEP_PX = 0.01;
const LEAST_EIGENVALUE = 1e-4;
const WEIGHT_BITS = 14;
const WEIGHT = 1 << WEIGHT_BITS;
/** Patches are kept in 1/32 of a grey level. */
const PATCH_BITS = WEIGHT_BITS - 5;
const SCALE = 1 / (1 << 20);

/** A grey picture with a mirrored border. */
interface Level {
  readonly side: number;
  readonly stride: number;
  readonly grey: Uint8Array | Uint8ClampedArray;
}

/** The picture at three sizes, each half of the one before. */
export type Pyramid = readonly Level[];

export interface Followed {
  readonly at: Point;
  readonly found: boolean;
  /** Mean absolute difference of the patches around it, grey levels. */
  readonly change: number;
}

/** Return the pyramid of a square grey picture. */
export function pyramid(grey: Uint8Array | Uint8ClampedArray, side: number): Pyramid {
  const levels = [bordered(grey, side)];
  let [picture, across] = [grey, side];
  while (levels.length <= MAX_LEVEL && across > 2 * WINDOW) {
    picture = halved(picture, across);
    across = Math.ceil(across / 2);
    levels.push(bordered(picture, across));
  }
  return levels;
}

/** Track points from one picture to another. */
export function follow(before: Pyramid, now: Pyramid, points: readonly Point[]): readonly Followed[] {
  const slopes = before.map(derivatives);
  return points.map((point) => followed(before, slopes, now, point));
}

function mirrorIndex(at: number, size: number): number {
  if (at < 0) return -at;
  return at >= size ? 2 * size - 2 - at : at;
}

function bordered(grey: Uint8Array | Uint8ClampedArray, side: number): Level {
  const stride = side + 2 * WINDOW;
  const out = new Uint8Array(stride * stride);
  for (let y = 0; y < stride; y++) {
    const row = mirrorIndex(y - WINDOW, side) * side;
    for (let x = 0; x < stride; x++) out[y * stride + x] = grey[row + mirrorIndex(x - WINDOW, side)]!;
  }
  return { side, stride, grey: out };
}

/** Blur by 1, 4, 6, 4, 1 both ways and keep every second pixel. */
function halved(grey: Uint8Array | Uint8ClampedArray, side: number): Uint8Array {
  const half = Math.ceil(side / 2);
  const lines = new Int32Array(side * half);
  const out = new Uint8Array(half * half);
  const blur = (at: (step: number) => number): number =>
    at(-2) + at(2) + 4 * (at(-1) + at(1)) + 6 * at(0);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < half; x++) {
      lines[y * half + x] = blur((step) => grey[y * side + mirrorIndex(2 * x + step, side)]!);
    }
  }
  for (let y = 0; y < half; y++) {
    for (let x = 0; x < half; x++) {
      out[y * half + x] = (blur((step) => lines[mirrorIndex(2 * y + step, side) * half + x]!) + 128) >> 8;
    }
  }
  return out;
}

/** Scharr derivatives, interleaved in x and y; 0 outside the picture. */
function derivatives(level: Level): Int16Array {
  const { side, stride, grey } = level;
  const out = new Int16Array(2 * stride * stride);
  for (let y = WINDOW; y < WINDOW + side; y++) {
    for (let x = WINDOW; x < WINDOW + side; x++) {
      const i = y * stride + x;
      const p = (dx: number, dy: number): number => grey[i + dx + dy * stride]!;
      out[2 * i] = 3 * (p(1, -1) + p(1, 1) - p(-1, -1) - p(-1, 1)) + 10 * (p(1, 0) - p(-1, 0));
      out[2 * i + 1] = 3 * (p(-1, 1) + p(1, 1) - p(-1, -1) - p(1, -1)) + 10 * (p(0, 1) - p(0, -1));
    }
  }
  return out;
}

/** A window's corner in whole px, and the fixed-point bilinear weights of its px. */
interface Place {
  readonly x: number;
  readonly y: number;
  readonly w00: number;
  readonly w01: number;
  readonly w10: number;
  readonly w11: number;
}

/** Return the position of a window; null if it is outside the picture. */
function place(level: Level, x: number, y: number): Place | null {
  const left = Math.floor(x);
  const top = Math.floor(y);
  if (left < -WINDOW || left >= level.side || top < -WINDOW || top >= level.side) return null;
  const dx = f32(x - left);
  const dy = f32(y - top);
  const w00 = rint(f32(f32(1 - dx) * f32(1 - dy)) * WEIGHT);
  const w01 = rint(f32(dx * f32(1 - dy)) * WEIGHT);
  const w10 = rint(f32(f32(1 - dx) * dy) * WEIGHT);
  return { x: left, y: top, w00, w01, w10, w11: WEIGHT - w00 - w01 - w10 };
}

function sampled(at: Place, values: ArrayLike<number>, i: number, across: number, down: number, bits: number): number {
  const sum =
    values[i]! * at.w00 + values[i + across]! * at.w01 + values[i + down]! * at.w10 + values[i + down + across]! * at.w11;
  return (sum + (1 << (bits - 1))) >> bits;
}

/** Number of columns that OpenCV processes in vectors of four or eight; the rest of a row is added one by one. */
const VECTOR = 8;

/** Sum of the products of slopes over a window, added up in the order in which OpenCV does it. */
function spread(one: Int32Array, other: Int32Array): number {
  let [s0, s1, s2, s3, rest] = [0, 0, 0, 0, 0];
  for (let row = 0; row < WINDOW * WINDOW; row += WINDOW) {
    for (let k = row; k < row + VECTOR; k += 4) {
      s0 = f32(s0 + f32(one[k]! * other[k]!));
      s1 = f32(s1 + f32(one[k + 1]! * other[k + 1]!));
      s2 = f32(s2 + f32(one[k + 2]! * other[k + 2]!));
      s3 = f32(s3 + f32(one[k + 3]! * other[k + 3]!));
    }
    for (let k = row + VECTOR; k < row + WINDOW; k++) rest = f32(rest + f32(one[k]! * other[k]!));
  }
  return f32(rest + f32(f32(s0 + s2) + f32(s1 + s3)));
}

/** Likewise of differences with slopes, which OpenCV adds in pairs as whole numbers first. */
function mismatch(differences: Int32Array, slopes: Int32Array): number {
  const pair = (k: number): number => differences[k]! * slopes[k]! + differences[k + 4]! * slopes[k + 4]!;
  let [s0, s1, s2, s3, rest] = [0, 0, 0, 0, 0];
  for (let row = 0; row < WINDOW * WINDOW; row += WINDOW) {
    s0 = f32(s0 + f32(pair(row)));
    s1 = f32(s1 + f32(pair(row + 1)));
    s2 = f32(s2 + f32(pair(row + 2)));
    s3 = f32(s3 + f32(pair(row + 3)));
    for (let k = row + VECTOR; k < row + WINDOW; k++) rest = f32(rest + f32(differences[k]! * slopes[k]!));
  }
  return f32(rest + f32(f32(s0 + s2) + f32(s1 + s3)));
}

function followed(before: Pyramid, slopes: readonly Int16Array[], now: Pyramid, point: Point): Followed {
  const grey = new Int32Array(WINDOW * WINDOW);
  const across = new Int32Array(WINDOW * WINDOW);
  const down = new Int32Array(WINDOW * WINDOW);
  const differences = new Int32Array(WINDOW * WINDOW);
  let [atX, atY] = [0, 0];
  for (let l = before.length - 1; l >= 0; l--) {
    const [level, next] = [before[l]!, now[l]!];
    const scale = 1 / (1 << l);
    [atX, atY] = l === before.length - 1 ? [f32(point[0] * scale), f32(point[1] * scale)] : [atX * 2, atY * 2];
    const from = place(level, f32(point[0] * scale - HALF), f32(point[1] * scale - HALF));
    if (!from) {
      if (l === 0) return { at: [atX, atY], found: false, change: 0 };
      continue;
    }
    for (let v = 0; v < WINDOW; v++) {
      for (let u = 0; u < WINDOW; u++) {
        const i = (from.y + v + WINDOW) * level.stride + from.x + u + WINDOW;
        const k = v * WINDOW + u;
        grey[k] = sampled(from, level.grey, i, 1, level.stride, PATCH_BITS);
        across[k] = sampled(from, slopes[l]!, 2 * i, 2, 2 * level.stride, WEIGHT_BITS);
        down[k] = sampled(from, slopes[l]!, 2 * i + 1, 2, 2 * level.stride, WEIGHT_BITS);
      }
    }
    const a11 = f32(spread(across, across) * SCALE);
    const a12 = f32(spread(across, down) * SCALE);
    const a22 = f32(spread(down, down) * SCALE);
    const determinant = f32(f32(a11 * a22) - f32(a12 * a12));
    const inverse = f32(1 / determinant);
    const least = (a22 + a11 - Math.hypot(a11 - a22, 2 * a12)) / (2 * WINDOW * WINDOW);
    if (least < LEAST_EIGENVALUE || determinant < 1.19e-7) {
      if (l === 0) return { at: [atX, atY], found: false, change: 0 };
      continue;
    }
    let [x, y, lastX, lastY] = [atX - HALF, atY - HALF, 0, 0];
    for (let step = 0; step < MAX_STEPS; step++) {
      const to = place(next, x, y);
      if (!to) {
        if (l === 0) return { at: [atX, atY], found: false, change: 0 };
        break;
      }
      for (let v = 0; v < WINDOW; v++) {
        for (let u = 0; u < WINDOW; u++) {
          const k = v * WINDOW + u;
          const i = (to.y + v + WINDOW) * next.stride + to.x + u + WINDOW;
          differences[k] = sampled(to, next.grey, i, 1, next.stride, PATCH_BITS) - grey[k]!;
        }
      }
      const b1 = f32(mismatch(differences, across) * SCALE);
      const b2 = f32(mismatch(differences, down) * SCALE);
      const dx = f32(f32(f32(a12 * b2) - f32(a22 * b1)) * inverse);
      const dy = f32(f32(f32(a12 * b1) - f32(a11 * b2)) * inverse);
      x = f32(x + dx);
      y = f32(y + dy);
      atX = f32(x + HALF);
      atY = f32(y + HALF);
      if (dx * dx + dy * dy <= STEP_PX * STEP_PX) break;
      if (step > 0 && Math.abs(f32(dx + lastX)) < STEP_PX && Math.abs(f32(dy + lastY)) < STEP_PX) {
        atX = f32(atX - dx / 2);
        atY = f32(atY - dy / 2);
        break;
      }
      [lastX, lastY] = [dx, dy];
    }
  }
  const end = place(now[0]!, atX - HALF, atY - HALF);
  if (!end) return { at: [atX, atY], found: false, change: 0 };
  let change = 0;
  for (let v = 0; v < WINDOW; v++) {
    for (let u = 0; u < WINDOW; u++) {
      const i = (end.y + v + WINDOW) * now[0]!.stride + end.x + u + WINDOW;
      change += Math.abs(sampled(end, now[0]!.grey, i, 1, now[0]!.stride, PATCH_BITS) - grey[v * WINDOW + u]!);
    }
  }
  return { at: [atX, atY], found: true, change: change / (32 * WINDOW * WINDOW) };
}
