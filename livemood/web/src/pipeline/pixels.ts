/**
 * Resizing with exactly the same results as OpenCV, so that networks get the same input as in Python.
 */

import { type Box, type Picture, height, rint, width } from "../values";

/** Rows of `channels` values (red, green, blue and perhaps alpha, or one brightness), 0..255. */
export interface Plane {
  readonly data: Uint8Array | Uint8ClampedArray;
  readonly width: number;
  readonly height: number;
  readonly channels: number;
}

/** Brightness of one pixel, as `cvtColor` rounds it. */
export function brightness(red: number, green: number, blue: number): number {
  return (9798 * red + 19235 * green + 3735 * blue + 16384) >> 15;
}

/** A plane of red, green and blue in grey. */
export function toGrey(plane: Plane): Plane {
  const { data } = plane;
  const grey = new Uint8Array(plane.width * plane.height);
  for (let i = 0; i < grey.length; i++) grey[i] = brightness(data[3 * i]!, data[3 * i + 1]!, data[3 * i + 2]!);
  return { data: grey, width: plane.width, height: plane.height, channels: 1 };
}

/** Red, green, blue to blue, green, red, or back. */
export function redBlueSwapped<T extends Plane["data"]>(data: T): T {
  return data.map((_, i) => data[i - (i % 3) + 2 - (i % 3)]!) as T;
}

/** Left, top and side of a window in whole px of its frame. */
export function cornerAndSide(window: Box): readonly [number, number, number] {
  return [rint(window.left), rint(window.top), Math.max(rint(width(window)), 1)];
}

/** A square window of a picture, scaled to a side of `sidePx`; black beyond the picture. */
export function cutOut(picture: Picture, window: Box, sidePx: number, grey: boolean): Plane {
  const [left, top, side] = cornerAndSide(window);
  const part = square(picture, left, top, side, grey ? 1 : 3);
  return side > sidePx ? shrunk(part, sidePx) : enlarged(part, sidePx);
}

/** The position of a crop in a larger picture: its corner, and px of the picture per px of the crop. */
export interface Placement {
  readonly left: number;
  readonly top: number;
  readonly scale: number;
}

/** Rows of a 2x3 matrix. */
export type Affine = readonly [number, number, number, number, number, number];

/** Sample a square of `sidePx` bilinearly; `places` maps its px to the picture, whose border px are repeated. */
export function warped(picture: Picture, places: Affine, sidePx: number): Plane {
  const { data, width: across, height: down } = picture;
  const [a, b, c, d, e, f] = places;
  const out = new Uint8Array(sidePx * sidePx * 3);
  let at = 0;
  for (let y = 0; y < sidePx; y++) {
    for (let x = 0; x < sidePx; x++, at += 3) {
      const sx = a * x + b * y + c;
      const sy = d * x + e * y + f;
      const x0 = Math.floor(sx);
      const y0 = Math.floor(sy);
      const dx = sx - x0;
      const dy = sy - y0;
      const left = clamp(x0, across - 1);
      const right = clamp(x0 + 1, across - 1);
      const above = clamp(y0, down - 1) * across;
      const below = clamp(y0 + 1, down - 1) * across;
      for (let k = 0; k < 3; k++) {
        const upper = (1 - dx) * data[4 * (above + left) + k]! + dx * data[4 * (above + right) + k]!;
        const lower = (1 - dx) * data[4 * (below + left) + k]! + dx * data[4 * (below + right) + k]!;
        out[at + k] = rint((1 - dy) * upper + dy * lower);
      }
    }
  }
  return { data: out, width: sidePx, height: sidePx, channels: 3 };
}

function clamp(value: number, last: number): number {
  return value < 0 ? 0 : value > last ? last : value;
}

function square(picture: Picture, left: number, top: number, side: number, channels: 1 | 3): Plane {
  const out = new Uint8Array(side * side * channels);
  const [firstX, lastX] = [Math.max(left, 0), Math.min(left + side, picture.width)];
  for (let y = Math.max(top, 0); y < Math.min(top + side, picture.height); y++) {
    let from = 4 * (y * picture.width + firstX);
    let to = ((y - top) * side + firstX - left) * channels;
    for (let x = firstX; x < lastX; x++, from += 4, to += channels) {
      const red = picture.data[from]!;
      const green = picture.data[from + 1]!;
      const blue = picture.data[from + 2]!;
      if (channels === 1) {
        out[to] = brightness(red, green, blue);
      } else {
        out[to] = red;
        out[to + 1] = green;
        out[to + 2] = blue;
      }
    }
  }
  return { data: out, width: side, height: side, channels };
}

/** For each px of a shorter line: its first source px, their number, and their weights. */
interface Shares {
  readonly first: Int32Array;
  readonly count: Int32Array;
  /** This many for each px. */
  readonly most: number;
  readonly weights: Float32Array;
}

function shares(from: number, to: number): Shares {
  const scale = from / to;
  const most = Math.ceil(scale) + 2;
  const found = { first: new Int32Array(to), count: new Int32Array(to), most, weights: new Float32Array(to * most) };
  for (let place = 0; place < to; place++) {
    const start = place * scale;
    const end = start + scale;
    const cell = Math.min(scale, from - start);
    const last = Math.min(Math.floor(end), from - 1);
    const first = Math.min(Math.ceil(start), last);
    const weights: number[] = [];
    if (first - start > 1e-3) weights.push((first - start) / cell);
    found.first[place] = first - weights.length;
    for (let i = first; i < last; i++) weights.push(1 / cell);
    if (end - last > 1e-3) weights.push(Math.min(end - last, 1, cell) / cell);
    found.count[place] = weights.length;
    found.weights.set(weights, place * most);
  }
  return found;
}

/** A square plane averaged down to a side of `sidePx`. */
export function shrunk(plane: Plane, sidePx: number): Plane {
  return shrunkTo(plane, sidePx, sidePx);
}

/** A plane averaged down, or unchanged. (OpenCV would enlarge a smaller one, but no frame is smaller.) */
export function resizedTo(plane: Plane, across: number, down: number): Plane {
  return plane.width === across && plane.height === down ? plane : shrunkTo(plane, across, down);
}

function shrunkTo(plane: Plane, across: number, down: number): Plane {
  const { data, channels, width, height } = plane;
  if (width % across === 0 && height % down === 0) return averaged(plane, across, down);
  const columns = shares(width, across);
  const rows = shares(height, down);
  const row = across * channels;
  const lines = new Float32Array(row * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < across; x++) {
      const from = (y * width + columns.first[x]!) * channels;
      const to = y * row + x * channels;
      for (let k = 0; k < channels; k++) {
        let sum = 0;
        for (let i = 0; i < columns.count[x]!; i++) {
          sum += columns.weights[x * columns.most + i]! * data[from + i * channels + k]!;
        }
        lines[to + k] = sum;
      }
    }
  }
  const out = new Uint8Array(row * down);
  const sums = new Float32Array(row);
  for (let y = 0; y < down; y++) {
    sums.fill(0);
    for (let i = 0; i < rows.count[y]!; i++) {
      const weight = rows.weights[y * rows.most + i]!;
      const from = (rows.first[y]! + i) * row;
      for (let x = 0; x < row; x++) sums[x]! += weight * lines[from + x]!;
    }
    for (let x = 0; x < row; x++) out[y * row + x] = rint(sums[x]!);
  }
  return { data: out, width: across, height: down, channels };
}

function averaged(plane: Plane, across: number, down: number): Plane {
  const { data, channels, width, height } = plane;
  const [timesX, timesY] = [width / across, height / down];
  const count = timesX * timesY;
  const out = new Uint8Array(across * down * channels);
  for (let y = 0; y < down; y++) {
    for (let x = 0; x < across; x++) {
      for (let k = 0; k < channels; k++) {
        let sum = 0;
        for (let v = y * timesY; v < (y + 1) * timesY; v++) {
          for (let u = x * timesX; u < (x + 1) * timesX; u++) sum += data[(v * width + u) * channels + k]!;
        }
        // OpenCV has a separate path for a factor of 2, which rounds up.
        out[(y * across + x) * channels + k] = timesX === 2 && timesY === 2 ? (sum + 2) >> 2 : rint(sum / count);
      }
    }
  }
  return { data: out, width: across, height: down, channels };
}

/** Two source px and their weights, in 1/2048. */
type Between = readonly [number, number, number, number];

/** The source px that each px of a longer line lies between; at the edges OpenCV interpolates rows, not columns. */
function betweens(from: number, to: number, mixedEdges: boolean): readonly Between[] {
  return Array.from({ length: to }, (_, place) => {
    const at = Math.fround(((place + 0.5) * from) / to - 0.5);
    const first = Math.floor(at);
    const atEdge = first < 0 || first >= from - 1;
    const share = atEdge && !mixedEdges ? 0 : Math.fround(at - first);
    const weights = [rint(Math.fround(1 - share) * 2048), rint(share * 2048)] as const;
    return [clamp(first, from - 1), clamp(first + 1, from - 1), ...weights];
  });
}

/** A square plane enlarged bilinearly to a side of `sidePx`, in OpenCV's fixed-point steps. */
export function enlarged(plane: Plane, sidePx: number): Plane {
  const { data, channels, width: side } = plane;
  if (side === sidePx) return plane;
  const columns = betweens(side, sidePx, false);
  const rows = betweens(side, sidePx, true);
  const out = new Uint8Array(sidePx * sidePx * channels);
  const row = sidePx * channels;
  const lines = new Int32Array(row * side);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < sidePx; x++) {
      const [left, right, w0, w1] = columns[x]!;
      for (let k = 0; k < channels; k++) {
        const mixed = data[(y * side + left) * channels + k]! * w0 + data[(y * side + right) * channels + k]! * w1;
        lines[y * row + x * channels + k] = mixed >> 4;
      }
    }
  }
  for (let y = 0; y < sidePx; y++) {
    const [above, below, w0, w1] = rows[y]!;
    for (let x = 0; x < row; x++) {
      out[y * row + x] = (((w0 * lines[above * row + x]!) >> 16) + ((w1 * lines[below * row + x]!) >> 16) + 2) >> 2;
    }
  }
  return { data: out, width: sidePx, height: sidePx, channels };
}

/** A picture rotated clockwise by quarter turns. */
export function turnedPicture(picture: Picture, turns: number): Picture {
  if (turns % 4 === 0) return picture;
  const { width, height } = picture;
  const from = new Uint32Array(picture.data.buffer, picture.data.byteOffset, width * height);
  const out = new Uint32Array(width * height);
  const [across, down] = turns === 2 ? [width, height] : [height, width];
  for (let y = 0; y < down; y++) {
    for (let x = 0; x < across; x++) {
      const at = turns === 1 ? (height - 1 - x) * width + y : turns === 2 ? (height - 1 - y) * width + width - 1 - x : x * width + width - 1 - y;
      out[y * across + x] = from[at]!;
    }
  }
  return { data: new Uint8ClampedArray(out.buffer), width: across, height: down };
}

/** A square plane rotated clockwise by quarter turns. */
export function turnedPlane(plane: Plane, turns: number): Plane {
  if (turns % 4 === 0) return plane;
  const { data, width: side, channels } = plane;
  const out = new Uint8Array(data.length);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const from = turns === 1 ? (side - 1 - x) * side + y : turns === 2 ? (side - 1 - y) * side + side - 1 - x : x * side + side - 1 - y;
      for (let k = 0; k < channels; k++) out[(y * side + x) * channels + k] = data[from * channels + k]!;
    }
  }
  return { ...plane, data: out };
}

/** Map a box from a crop to the picture. */
export function placedBox(box: Box, { left, top, scale }: Placement): Box {
  return {
    left: box.left * scale + left,
    top: box.top * scale + top,
    right: box.left * scale + left + width(box) * scale,
    bottom: box.top * scale + top + height(box) * scale,
  };
}
