/** Layout of labels and panels on an annotated frame, as in `livemood/overlay/label_layout.py`. */

import { type Box, Keypoint, type Mood, type Point, area, centre, grown, height, intersection, width } from "../values";

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Sizes in px that grow with the picture. */
export interface Sizes {
  readonly text: number;
  readonly small: number;
  /** Smallest text of a panel, which then may cover something; 0 where it is left out instead. */
  readonly leastPanel: number;
  readonly line: number;
  readonly outline: number;
  readonly gap: number;
  /** Distance by which a face's lines and their outline extend beyond its box. */
  readonly reach: number;
}

/** @param leastText Smallest size of text that is legible on the screen. */
export function sizesOf(frame: Size, leastText = 0): Sizes {
  const side = Math.min(frame.width, frame.height);
  const line = Math.max(1, Math.round(side / 240));
  const outline = Math.max(1, Math.round(line / 2));
  return {
    text: Math.max(11, Math.round(side / 36), Math.round(leastText)),
    small: Math.max(9, Math.round(side / 45), Math.round(0.85 * leastText)),
    leastPanel: Math.round(0.75 * leastText),
    line,
    outline,
    gap: Math.max(2, Math.round(side / 180)),
    reach: line + 2 * outline,
  };
}

/** The part of a box inside the frame, in whole px; null if there is none. */
export function visiblePart(box: Box, frame: Size): Box | null {
  const [left, right] = [Math.floor(Math.max(box.left, 0)), Math.ceil(Math.min(box.right, frame.width))];
  const [top, bottom] = [Math.floor(Math.max(box.top, 0)), Math.ceil(Math.min(box.bottom, frame.height))];
  return left < right && top < bottom ? { left, top, right, bottom } : null;
}

/** A face's box extended over the forehead, for any tilt of the head. */
export function headOf(mood: Mood, box: Box, forehead: number): Box {
  const points = mood.track.detection.keypoints;
  const [right, left, mouth] = [points[Keypoint.rightEye]!, points[Keypoint.leftEye]!, points[Keypoint.mouth]!];
  const most = Math.min(width(box), height(box)) / 2;
  const step = (axis: 0 | 1): number => {
    const wanted = forehead * ((right[axis] + left[axis]) / 2 - mouth[axis]);
    return Math.min(Math.max(wanted, -most), most);
  };
  const [dx, dy] = [step(0), step(1)];
  return {
    left: box.left + Math.min(dx, 0),
    top: box.top + Math.min(dy, 0),
    right: box.right + Math.max(dx, 0),
    bottom: box.bottom + Math.max(dy, 0),
  };
}

/** A box of a size at a place, moved into the frame and onto whole px. */
export function inside(x: number, y: number, size: Size, frame: Size): Box {
  const left = Math.round(Math.max(0, Math.min(x, frame.width - size.width)));
  const top = Math.round(Math.max(0, Math.min(y, frame.height - size.height)));
  return { left, top, right: left + size.width, bottom: top + size.height };
}

/** Boxes for a card near a face, in order of preference, all inside the frame. */
export function spotsAround(face: Box, size: Size, frame: Size, gap: number, beside = false): readonly Box[] {
  const { width: w, height: h } = size;
  const [middleX, middleY] = centre(face);
  const xs = [face.left, face.right - w, middleX - w / 2, middleX, middleX - w];
  const ys = [face.top, face.bottom - h, middleY - h / 2];
  const [above, below] = [face.top - gap - h, face.bottom + gap];
  const rows = (lines: readonly number[]): Point[] => lines.flatMap((y) => xs.map((x): Point => [x, y]));
  const upright = rows([above, below]);
  const sideways = [face.right + gap, face.left - gap - w].flatMap((x) => ys.map((y): Point => [x, y]));
  const farther = rows([above - gap - h, below + gap + h]);
  const spots = beside ? [...sideways, ...upright] : [...upright, ...sideways, ...farther];
  return spots.map(([x, y]) => inside(x, y, size, frame));
}

/** The first spot that covers none of the obstacles. */
export function clearSpot(spots: readonly Box[], obstacles: readonly Box[]): Box | null {
  return spots.find((spot) => obstacles.every((box) => intersection(spot, box) === 0)) ?? null;
}

/** The spot that covers least of the obstacles, those of the first group above all. */
export function leastCovering(spots: readonly Box[], groups: readonly (readonly Box[])[]): Box {
  const covered = (spot: Box): readonly number[] =>
    groups.map((boxes) => boxes.reduce((sum, box) => sum + intersection(spot, box), 0));
  const compared = (one: readonly number[], other: readonly number[]): number =>
    one.map((value, i) => value - other[i]!).find((difference) => difference !== 0) ?? 0;
  return [...spots].sort((one, other) => compared(covered(one), covered(other)))[0]!;
}

/** A box for each label (given its face and size) that covers neither faces nor other labels, if there is one. */
export function placeLabels(
  faces: readonly Box[],
  labels: readonly (readonly [Box, Size])[],
  frame: Size,
  gap: number,
): readonly Box[] {
  const taken: Box[] = [];
  for (const [face, size] of labels) {
    const spots = spotsAround(face, size, frame, gap);
    taken.push(clearSpot(spots, [...taken, ...faces]) ?? leastCovering(spots, [taken, faces]));
  }
  return taken;
}

/** The part of a picture that hides a face, and how many cells of a mosaic it has. */
export function mosaicOf(box: Box, frame: Size, cellsAcross: number, margin: number): readonly [Box, Size] | null {
  const side = Math.min(Math.max(width(box), height(box)), Math.max(frame.width, frame.height));
  const part = visiblePart(grown(box, margin * side), frame);
  if (!part || area(part) === 0) return null;
  const cell = Math.max(4, side / cellsAcross);
  const cells = (length: number): number => Math.max(1, Math.round(length / cell));
  return [part, { width: cells(width(part)), height: cells(height(part)) }];
}
