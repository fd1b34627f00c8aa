/** Crop an aligned face from a picture, as in `livemood/emotion/crop.py`. */

import type { CropSettings } from "../settings";
import { Keypoint, type Picture, type Point } from "../values";
import { type Affine, redBlueSwapped, shrunk, toGrey, warped } from "./pixels";

const ALIGNED = [Keypoint.rightEye, Keypoint.leftEye, Keypoint.noseTip, Keypoint.mouth];

/** Rotation and scale as one complex factor, and a shift: picture px to crop px. */
interface Alignment {
  readonly re: number;
  readonly im: number;
  readonly dx: number;
  readonly dy: number;
}

function alignment(keypoints: readonly Point[], crop: CropSettings): Alignment {
  const source = ALIGNED.map((point) => keypoints[point]!);
  const target = crop.template.map(([x, y]): Point => [x * crop.size_px - 0.5, y * crop.size_px - 0.5]);
  const [sx, sy] = mean(source);
  const [tx, ty] = mean(target);
  let [re, im, spread] = [0, 0, 0];
  source.forEach(([x, y], i) => {
    const [px, py, qx, qy] = [x - sx, y - sy, target[i]![0] - tx, target[i]![1] - ty];
    re += px * qx + py * qy;
    im += px * qy - py * qx;
    spread += px * px + py * py;
  });
  spread = Math.max(spread, 1e-6);
  re /= spread;
  im /= spread;
  return { re, im, dx: tx - (re * sx - im * sy), dy: ty - (im * sx + re * sy) };
}

function mean(points: readonly Point[]): Point {
  const sum = (axis: 0 | 1): number => points.reduce((total, point) => total + point[axis], 0);
  return [sum(0) / points.length, sum(1) / points.length];
}

/** Side of a face's crop, px of the picture. */
export function sideOf(keypoints: readonly Point[], crop: CropSettings): number {
  return crop.size_px / scaleOf(alignment(keypoints, crop));
}

/** Px of the crop per px of the picture. */
function scaleOf({ re, im }: Alignment): number {
  return Math.max(Math.hypot(re, im), 1e-6);
}

/** Crop a face so that its keypoints match the template: (S, S, C), grey or blue, green, red. */
export function aligned(picture: Picture, keypoints: readonly Point[], crop: CropSettings): Uint8Array | Uint8ClampedArray {
  const found = alignment(keypoints, crop);
  const { re, im, dx, dy } = found;
  const samples = Math.min(Math.max(Math.ceil(1 / scaleOf(found) - 0.01), 1), crop.max_supersampling);
  // The inverse transform, from px of the supersampled crop to px of the picture.
  const shift = (samples - 1) / 2;
  const [a, b] = [re * samples, im * samples];
  const [shiftX, shiftY] = [dx * samples + shift, dy * samples + shift];
  const size = a * a + b * b;
  const back: Affine = [
    a / size,
    b / size,
    -(a * shiftX + b * shiftY) / size,
    -b / size,
    a / size,
    (b * shiftX - a * shiftY) / size,
  ];
  const side = crop.size_px * samples;
  let plane = warped(picture, back, side);
  if (samples > 1) plane = shrunk(plane, crop.size_px);
  return crop.colour === "grey" ? toGrey(plane).data : redBlueSwapped(plane.data);
}
