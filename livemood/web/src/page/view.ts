/** The canvas on the page, and the picture for recordings. */

import { type Context, drawOverWhite } from "../canvas";
import type { Settings } from "../settings";
import type { Box, Mood, Point } from "../values";
import { Keypoint } from "../values";
import type { History } from "./history";
import { Overlay, type Style } from "./overlay";
import type { Shown } from "./playout";

/** Small pictures are enlarged up to this factor, so that text is sharp. */
const LARGEST_SCALE = 2;
const LEAST_TEXT_CSS_PX = 12;

/** Options that keys turn on and off. */
export interface Switches extends Style {
  mirror: boolean;
  ids: boolean;
  panel: boolean;
  blur: boolean;
  sparklines: boolean;
}

/** Keypoints are the person's own left and right, so mirroring swaps them. */
const SWAPPED = [
  Keypoint.leftEye,
  Keypoint.rightEye,
  Keypoint.noseTip,
  Keypoint.mouth,
  Keypoint.leftEar,
  Keypoint.rightEar,
];

export class View {
  readonly overlay: Overlay;
  readonly #canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;

  constructor(canvas: HTMLCanvasElement, settings: Settings) {
    this.#canvas = canvas;
    this.#context = canvas.getContext("2d", { alpha: false })!;
    this.overlay = new Overlay(settings);
  }

  /** Show a frame with its moods, as large as the page has room for it. */
  show(shown: Shown, switches: Switches, history: History | null, lines: readonly string[], recording: boolean): void {
    const { bitmap } = shown;
    const { clientWidth, clientHeight } = this.#canvas;
    const shownScale = Math.min(clientWidth / bitmap.width, clientHeight / bitmap.height) || 1;
    const scale = Math.min(Math.max(shownScale * devicePixelRatio, 1), LARGEST_SCALE);
    const [width, height] = [Math.round(bitmap.width * scale), Math.round(bitmap.height * scale)];
    resize(this.#canvas, width, height);
    const context = this.#context;
    if (switches.mirror) context.setTransform(-1, 0, 0, 1, width, 0);
    drawOverWhite(context, bitmap, width, height);
    context.resetTransform();
    const moods = shown.moods.map((mood) => placed(mood, scale, switches.mirror ? width : null));
    const leastText = (LEAST_TEXT_CSS_PX * scale) / shownScale;
    this.overlay.draw(context, moods, { ...switches, leastText });
    if (switches.sparklines) history?.draw(context, this.overlay, leastText);
    if (recording) redDot(context);
    this.overlay.lines(context, lines, leastText);
  }

  /** Draw a frame on another canvas as a recording has it: its own size, not mirrored, no status. */
  copy(shown: Shown, canvas: HTMLCanvasElement | OffscreenCanvas, switches: Switches): void {
    const { width, height } = shown.bitmap;
    resize(canvas, width, height);
    const context = canvas.getContext("2d") as Context;
    drawOverWhite(context, shown.bitmap, width, height);
    this.overlay.draw(context, shown.moods, switches);
  }
}

function resize(canvas: HTMLCanvasElement | OffscreenCanvas, width: number, height: number): void {
  if (canvas.width === width && canvas.height === height) return;
  canvas.width = width;
  canvas.height = height;
}

/** A mood in px of a canvas; where its width is given, mirrored. */
function placed(mood: Mood, scale: number, mirrorWidth: number | null): Mood {
  const { box, keypoints, score } = mood.track.detection;
  const points = keypoints.map(([x, y]): Point => [x * scale, y * scale]);
  const scaled: Box = {
    left: box.left * scale,
    top: box.top * scale,
    right: box.right * scale,
    bottom: box.bottom * scale,
  };
  const detection =
    mirrorWidth === null
      ? { box: scaled, keypoints: points, score }
      : {
          box: { ...scaled, left: mirrorWidth - scaled.right, right: mirrorWidth - scaled.left },
          keypoints: SWAPPED.map((point): Point => [mirrorWidth - points[point]![0], points[point]![1]]),
          score,
        };
  return { ...mood, track: { id: mood.track.id, detection } };
}

/** The sign of a running recording, in the top left corner. */
function redDot(context: CanvasRenderingContext2D): void {
  const radius = Math.max(4, Math.round(Math.min(context.canvas.width, context.canvas.height) / 60));
  for (const [r, colour] of [
    [radius + Math.max(1, Math.floor(radius / 4)), "rgb(245 245 245)"],
    [radius, "rgb(230 48 48)"],
  ] as const) {
    context.fillStyle = colour;
    context.beginPath();
    context.arc(3 * radius, 3 * radius, r, 0, 2 * Math.PI);
    context.fill();
  }
}
