/**
 * Pictures brought to other sizes, to the grey level what OpenCV makes of them: a network must see here what it sees
 * in Python.
 */

import { type Box, type Picture, height, rint, width } from "../values";

/** Rows of `channels` values (red, green, blue, or one brightness), 0..255. */
export interface Plane {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly channels: number;
}

/** Brightness of one pixel, as `cvtColor` rounds it. */
export function brightness(red: number, green: number, blue: number): number {
  return (9798 * red + 19235 * green + 3735 * blue + 16384) >> 15;
}

export function toGrey(plane: Plane): Plane {
  const { data } = plane;
  const grey = new Uint8Array(plane.width * plane.height);
  for (let i = 0; i < grey.length; i++) grey[i] = brightness(data[3 * i]!, data[3 * i + 1]!, data[3 * i + 2]!);
  return { data: grey, width: plane.width, height: plane.height, channels: 1 };
}

/** Left, top and side of a window in whole px of its frame. */
export function cornerAndSide(window: Box): readonly [number, number, number] {
  return [rint(window.left), rint(window.top), Math.max(rint(width(window)), 1)];
}

/** A square window of a picture, brought to a side of `sidePx`; black beyond the picture. */
export function cutOut(picture: Picture, window: Box, sidePx: number, grey: boolean): Plane {
  const [left, top, side] = cornerAndSide(window);
  const part = square(picture, left, top, side, grey ? 1 : 3);
  return side > sidePx ? shrunk(part, sidePx) : enlarged(part, sidePx);
}

/** Where a small picture lies in a larger one: its corner, and how many px one of its px is. */
export interface Placement {
  readonly left: number;
  readonly top: number;
  readonly scale: number;
}

/** A whole picture in the middle of a small square, black beside it, sampled at the corners of pixels. */
export function fitted(picture: Picture, sidePx: number): readonly [Plane, Placement] {
  const side = Math.max(picture.width, picture.height);
  const [left, top, scale] = [(picture.width - side) / 2, (picture.height - side) / 2, side / sidePx];
  const plane = warped(picture, [scale, 0, left, 0, scale, top], sidePx, false);
  return [plane, { left, top, scale }];
}

/** Rows of a 2x3 matrix. */
export type Affine = readonly [number, number, number, number, number, number];

/**
 * Sample a square of `sidePx` bilinearly.
 *
 * @param places Px of the result to px of the picture.
 * @param replicate Whether the border goes on beyond the picture, which is black otherwise.
 */
export function warped(picture: Picture, places: Affine, sidePx: number, replicate: boolean): Plane {
  const { data, width: across, height: down } = picture;
  const [a, b, c, d, e, f] = places;
  const out = new Uint8Array(sidePx * sidePx * 3);
  const lastX = across - 1;
  const lastY = down - 1;
  let at = 0;
  for (let y = 0; y < sidePx; y++) {
    for (let x = 0; x < sidePx; x++, at += 3) {
      const sx = a * x + b * y + c;
      const sy = d * x + e * y + f;
      const x0 = Math.floor(sx);
      const y0 = Math.floor(sy);
      const inside = x0 >= 0 && y0 >= 0 && x0 < lastX && y0 < lastY;
      if (!inside && !replicate && (x0 < -1 || y0 < -1 || x0 > lastX || y0 > lastY)) continue;
      const dx = sx - x0;
      const dy = sy - y0;
      let w00 = (1 - dx) * (1 - dy);
      let w01 = dx * (1 - dy);
      let w10 = (1 - dx) * dy;
      let w11 = dx * dy;
      if (!inside && !replicate) {
        if (x0 < 0) w00 = w10 = 0;
        if (x0 >= lastX) w01 = w11 = 0;
        if (y0 < 0) w00 = w01 = 0;
        if (y0 >= lastY) w10 = w11 = 0;
      }
      const left = clamp(x0, lastX);
      const right = clamp(x0 + 1, lastX);
      const above = clamp(y0, lastY) * across;
      const below = clamp(y0 + 1, lastY) * across;
      for (let k = 0; k < 3; k++) {
        const upper = w00 * data[4 * (above + left) + k]! + w01 * data[4 * (above + right) + k]!;
        out[at + k] = rint(upper + w10 * data[4 * (below + left) + k]! + w11 * data[4 * (below + right) + k]!);
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

/** Of each px of a shorter line: the first source px under it, how many there are, and their weights. */
interface Shares {
  readonly first: Int32Array;
  readonly count: Int32Array;
  /** So many for each px. */
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
  const { data, channels, width: side } = plane;
  if (side % sidePx === 0) return averaged(plane, side / sidePx);
  const { first, count, most, weights } = shares(side, sidePx);
  const row = sidePx * channels;
  const lines = new Float32Array(row * side);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < sidePx; x++) {
      const from = (y * side + first[x]!) * channels;
      const to = y * row + x * channels;
      for (let k = 0; k < channels; k++) {
        let sum = 0;
        for (let i = 0; i < count[x]!; i++) sum += weights[x * most + i]! * data[from + i * channels + k]!;
        lines[to + k] = sum;
      }
    }
  }
  const out = new Uint8Array(row * sidePx);
  const sums = new Float32Array(row);
  for (let y = 0; y < sidePx; y++) {
    sums.fill(0);
    for (let i = 0; i < count[y]!; i++) {
      const weight = weights[y * most + i]!;
      const from = (first[y]! + i) * row;
      for (let x = 0; x < row; x++) sums[x]! += weight * lines[from + x]!;
    }
    for (let x = 0; x < row; x++) out[y * row + x] = rint(sums[x]!);
  }
  return { data: out, width: sidePx, height: sidePx, channels };
}

function averaged(plane: Plane, times: number): Plane {
  const { data, channels, width: side } = plane;
  const sidePx = side / times;
  const out = new Uint8Array(sidePx * sidePx * channels);
  for (let y = 0; y < sidePx; y++) {
    for (let x = 0; x < sidePx; x++) {
      for (let k = 0; k < channels; k++) {
        let sum = 0;
        for (let v = y * times; v < (y + 1) * times; v++) {
          for (let u = x * times; u < (x + 1) * times; u++) sum += data[(v * side + u) * channels + k]!;
        }
        // OpenCV has a path of its own for halves, which rounds up.
        out[(y * sidePx + x) * channels + k] = times === 2 ? (sum + 2) >> 2 : rint(sum / (times * times));
      }
    }
  }
  return { data: out, width: sidePx, height: sidePx, channels };
}

/** Of each px of a longer line: the two source px that it lies between, and their weights in 1/2048. */
function betweens(from: number, to: number): readonly (readonly [number, number, number, number])[] {
  return Array.from({ length: to }, (_, place) => {
    const at = ((place + 0.5) * from) / to - 0.5;
    const first = Math.floor(at);
    const share = first < 0 || first >= from - 1 ? 0 : at - first;
    const left = clamp(first, from - 1);
    return [left, Math.min(left + 1, from - 1), rint((1 - share) * 2048), rint(share * 2048)];
  });
}

/** A square plane enlarged bilinearly to a side of `sidePx`, in OpenCV's fixed-point steps. */
export function enlarged(plane: Plane, sidePx: number): Plane {
  const { data, channels, width: side } = plane;
  if (side === sidePx) return plane;
  const places = betweens(side, sidePx);
  const out = new Uint8Array(sidePx * sidePx * channels);
  const row = sidePx * channels;
  const lines = new Int32Array(row * side);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < sidePx; x++) {
      const [left, right, w0, w1] = places[x]!;
      for (let k = 0; k < channels; k++) {
        const mixed = data[(y * side + left) * channels + k]! * w0 + data[(y * side + right) * channels + k]! * w1;
        lines[y * row + x * channels + k] = mixed >> 4;
      }
    }
  }
  for (let y = 0; y < sidePx; y++) {
    const [above, below, w0, w1] = places[y]!;
    for (let x = 0; x < row; x++) {
      out[y * row + x] = (((w0 * lines[above * row + x]!) >> 16) + ((w1 * lines[below * row + x]!) >> 16) + 2) >> 2;
    }
  }
  return { data: out, width: sidePx, height: sidePx, channels };
}

/** Whether a picture has the pixels that its size asks for. */
export function isWhole(picture: Picture): boolean {
  return picture.width > 0 && picture.height > 0 && picture.data.length === 4 * picture.width * picture.height;
}

/** A box moved by a placement from a small picture into the large one. */
export function placedBox(box: Box, { left, top, scale }: Placement): Box {
  return {
    left: box.left * scale + left,
    top: box.top * scale + top,
    right: box.left * scale + left + width(box) * scale,
    bottom: box.top * scale + top + height(box) * scale,
  };
}
