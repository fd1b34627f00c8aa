/** The values that flow from stage to stage; px are those of the frame. */

/** A picture: rows of red, green, blue, alpha, 0..255. */
export interface Picture {
  readonly data: Uint8ClampedArray;
  readonly width: number;
  readonly height: number;
}

export interface Frame {
  /** Index in the source, from 0. */
  readonly index: number;
  readonly timeS: number;
  readonly picture: Picture;
}

export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

export type Point = readonly [number, number];

/** Rows of `Detection.keypoints`; left and right are the person's own. */
export const Keypoint = { rightEye: 0, leftEye: 1, noseTip: 2, mouth: 3, rightEar: 4, leftEar: 5 } as const;
export const KEYPOINTS = 6;

export interface Detection {
  readonly box: Box;
  readonly keypoints: readonly Point[];
  readonly score: number;
}

export interface Track {
  /** From 1; never reused. */
  readonly id: number;
  readonly detection: Detection;
}

/** Name of the head that classifies smiles, and its labels of smiling faces. */
export const SMILE = "smile";
export const SMILE_KINDS: readonly string[] = ["closed", "open"];

/** The output of one head of the network for a face. */
export interface HeadAnswer {
  readonly label: string;
  /** Smoothed probability of the label; of the leading one where the label is `unsure`. */
  readonly confidence: number;
  /** Smoothed probabilities, in the order of the head's labels. */
  readonly scores: readonly number[];
  /** This frame's own. */
  readonly rawScores: readonly number[];
}

/** How well a face can be read; the fields of Python's `Quality`. */
export interface Quality {
  readonly sidePx: number;
  readonly yawDeg: number;
  readonly sharpness: number;
  readonly noise: number;
  readonly clipped: number;
  readonly covered: number;
  readonly tilted: number;
  readonly chosen: number;
}

/** Why a face is `unsure`. */
export type Doubt = "ambiguous" | "covered" | "turned" | "small" | "blurred" | "none of these";

export interface Mood {
  readonly track: Track;
  readonly emotion: HeadAnswer;
  /** Why the emotion is `unsure`; null for any other label. */
  readonly reason: Doubt | null;
  /** Outputs of the network's other heads, by name. */
  readonly others: Readonly<Record<string, HeadAnswer>>;
}

/** Of a box, px. */
export function width(box: Box): number {
  return box.right - box.left;
}

/** Of a box, px. */
export function height(box: Box): number {
  return box.bottom - box.top;
}

/** Of a box, px. */
export function longerSide(box: Box): number {
  return Math.max(width(box), height(box));
}

/** Of a box, square px. */
export function area(box: Box): number {
  return width(box) * height(box);
}

/** Of a box, px. */
export function centre(box: Box): Point {
  return [(box.left + box.right) / 2, (box.top + box.bottom) / 2];
}

/** The area that two boxes share, square px. */
export function intersection(one: Box, other: Box): number {
  const across = Math.min(one.right, other.right) - Math.max(one.left, other.left);
  const down = Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top);
  return Math.max(across, 0) * Math.max(down, 0);
}

/** Intersection over union, 0..1. */
export function iou(one: Box, other: Box): number {
  const shared = intersection(one, other);
  return shared / (area(one) + area(other) - shared);
}

/** The box enlarged by a margin, px, on every side. */
export function grown(box: Box, margin: number): Box {
  return {
    left: box.left - margin,
    top: box.top - margin,
    right: box.right + margin,
    bottom: box.bottom + margin,
  };
}

/** A point rounded to float32, as Python stores keypoints. */
export function asFloat32([x, y]: Point): Point {
  return [Math.fround(x), Math.fround(y)];
}

/** Round to the nearest whole number, halves to the even one, as Python and OpenCV do. */
export function rint(value: number): number {
  const rounded = Math.floor(value + 0.5);
  return rounded - value === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}
