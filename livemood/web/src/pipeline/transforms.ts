/** Map detections between pictures and remove duplicates, as in `livemood/detection/transforms.py`. */

import {
  type Box,
  type Detection,
  Keypoint,
  type Point,
  area,
  asFloat32,
  centre,
  height,
  intersection,
  iou,
  rint,
  width,
} from "../values";
import { type Placement, placedBox } from "./pixels";

/** Map a face from a cropped and scaled picture to the original. */
export function moved(face: Detection, placement: Placement): Detection {
  const { left, top, scale } = placement;
  const f32 = Math.fround;
  const place = (at: number, corner: number): number => f32(f32(at * f32(scale)) + f32(corner));
  const keypoints = face.keypoints.map(([x, y]): Point => [place(x, left), place(y, top)]);
  return { box: placedBox(face.box, placement), keypoints, score: face.score };
}

/** Map a face from a rotated picture to the original, of size (`across`, `down`). */
export function turnedBack(face: Detection, turns: number, across: number, down: number): Detection {
  if (turns % 4 === 0) return face;
  const back = ([x, y]: Point): Point => {
    if (turns === 1) return [y, down - x];
    return turns === 2 ? [across - x, down - y] : [across - y, x];
  };
  const [[x0, y0], [x1, y1]] = [back([face.box.left, face.box.top]), back([face.box.right, face.box.bottom])];
  const box = { left: Math.min(x0, x1), top: Math.min(y0, y1), right: Math.max(x0, x1), bottom: Math.max(y0, y1) };
  return { box, keypoints: face.keypoints.map((point) => asFloat32(back(point))), score: face.score };
}

/** The number of clockwise quarter turns, 0..3, that bring a face upright. */
export function turnsToUpright({ keypoints }: Detection): number {
  const [right, left, mouth] = [Keypoint.rightEye, Keypoint.leftEye, Keypoint.mouth].map((i) => keypoints[i]!) as [
    Point,
    Point,
    Point,
  ];
  const [x, y] = [mouth[0] - (right[0] + left[0]) / 2, mouth[1] - (right[1] + left[1]) / 2];
  return (rint(Math.atan2(x, y) / (Math.PI / 2)) + 4) % 4;
}

/** The square around a box's centre whose side is `scale` times the longer side of the box. */
export function square(box: Box, scale: number): Box {
  const [x, y] = centre(box);
  const half = (Math.max(width(box), height(box)) * scale) / 2;
  return { left: x - half, top: y - half, right: x + half, bottom: y + half };
}

/** The face whose box has the highest IoU with `box`; null if all are below `minIou`. */
export function bestMatch(faces: readonly Detection[], box: Box, minIou: number): Detection | null {
  const [best] = [...faces].sort((one, other) => iou(other.box, box) - iou(one.box, box));
  return best && iou(best.box, box) >= minIou ? best : null;
}

/** Whether the intersection is more than `maxOverlap` of the smaller box; not IoU, as networks frame faces differently. */
export function sameFace(one: Box, other: Box, maxOverlap: number): boolean {
  return intersection(one, other) > maxOverlap * Math.min(area(one), area(other));
}

/** The faces without duplicates, largest first; of overlapping ones, the first stays. */
export function withoutDoubles(faces: readonly Detection[], maxOverlap: number): readonly Detection[] {
  const kept: Detection[] = [];
  for (const face of faces) {
    if (!kept.some((other) => sameFace(face.box, other.box, maxOverlap))) kept.push(face);
  }
  return kept.sort((one, other) => area(other.box) - area(one.box));
}

/**
 * Match the boxes of a search with the known ones: the indices of new boxes, and which known ones are kept. A known box
 * that covers two found ones lies between two faces and is dropped.
 */
export function besideKnown(
  found: readonly Box[],
  known: readonly Box[],
  maxOverlap: number,
  dropUnseen: boolean,
): { readonly fresh: readonly number[]; readonly kept: readonly boolean[] } {
  const same = known.map((old) => found.map((box) => sameFace(box, old, maxOverlap)));
  const kept = same.map((row) => {
    const count = row.filter(Boolean).length;
    return count === 1 || (count === 0 && !dropUnseen);
  });
  const staying = same.filter((_, i) => kept[i]);
  const fresh = [...found.keys()].filter((i) => !staying.some((row) => row[i]));
  return { fresh, kept };
}
