/** MediaPipe's BlazeFace networks, as in `livemood/detection/blazeface.py`. */

import type { BlazeFaceSettings } from "../settings";
import { type Box, type Detection, KEYPOINTS, type Point, iou } from "../values";
import type { Plane } from "./pixels";
import type { Network } from "./runtime";

/** Centre of a box, its size, then keypoints. */
const ROWS = 2 + KEYPOINTS;

/** Coordinates are rounded to float32 as in Python, so that crops get the same pixels. */
const f32 = Math.fround;

interface RawFace {
  readonly box: Box;
  /** Upper left and lower right corner, then keypoints. */
  readonly points: readonly Point[];
  readonly score: number;
}

export class BlazeFace {
  /** Side of its square input, px. */
  readonly side: number;
  readonly #network: Network;
  readonly #anchors: readonly Point[];
  readonly #boxes: number;
  readonly #scores: number;
  readonly #settings: BlazeFaceSettings;
  readonly #minScore: number;

  constructor(network: Network, settings: BlazeFaceSettings, minScore: number) {
    this.side = network.shape[1]!;
    this.#network = network;
    this.#anchors = anchors(this.side, settings);
    const last = network.outputs.map((shape) => shape[shape.length - 1]);
    this.#boxes = last.indexOf(2 * ROWS);
    this.#scores = last.indexOf(1);
    this.#settings = settings;
    this.#minScore = minScore;
    if (this.#boxes < 0 || this.#scores < 0) throw new Error("the network is not one of MediaPipe's face networks");
  }

  /** Return the faces of a (side, side) picture in its px, highest score first. */
  async find(picture: Plane): Promise<readonly Detection[]> {
    const input = new Float32Array(picture.data.length);
    for (let i = 0; i < input.length; i++) input[i] = picture.data[i]! / 127.5 - 1;
    const outputs = await this.#network.run(input);
    const [boxes, scores] = [outputs[this.#boxes]!, outputs[this.#scores]!];
    const raw: RawFace[] = [];
    this.#anchors.forEach((anchor, i) => {
      const score = f32(1 / (1 + f32(Math.exp(-Math.min(Math.max(scores[i]!, -80), 80)))));
      if (score < this.#minScore) return;
      const face = decoded(boxes.subarray(2 * ROWS * i, 2 * ROWS * (i + 1)), anchor, score);
      if (face.box.right > face.box.left && face.box.bottom > face.box.top) raw.push(face);
    });
    return averaged(raw, this.#settings);
  }
}

/** The anchors: the centre of each cell, once for each of its anchors. */
function anchors(side: number, settings: BlazeFaceSettings): readonly Point[] {
  const found: Point[] = [];
  for (const [cells, each] of settings.maps[side] ?? []) {
    for (let y = 0; y < cells; y++) {
      for (let x = 0; x < cells; x++) {
        const centre: Point = [((x + 0.5) * side) / cells, ((y + 0.5) * side) / cells];
        for (let k = 0; k < each; k++) found.push(centre);
      }
    }
  }
  return found;
}

function decoded(row: Float32Array, anchor: Point, score: number): RawFace {
  const point = (k: number): Point => [f32(row[2 * k]! + anchor[0]), f32(row[2 * k + 1]! + anchor[1])];
  const [middleX, middleY] = point(0);
  const [halfX, halfY] = [row[2]! / 2, row[3]! / 2];
  const corners: Point[] = [
    [f32(middleX - halfX), f32(middleY - halfY)],
    [f32(middleX + halfX), f32(middleY + halfY)],
  ];
  const points = [...corners, ...Array.from({ length: KEYPOINTS }, (_, k) => point(k + 2))];
  return { box: boxOf(points), points, score };
}

function boxOf(points: readonly Point[]): Box {
  const [[left, top], [right, bottom]] = points as [Point, Point];
  return { left, top, right, bottom };
}

/** Return each face once: the average of its detections, weighted by their scores. */
function averaged(raw: readonly RawFace[], settings: BlazeFaceSettings): readonly Detection[] {
  const found: Detection[] = [];
  let left = [...raw].sort((one, other) => other.score - one.score);
  while (left.length > 0) {
    const first = left[0]!;
    const same = left.filter((face) => face === first || iou(face.box, first.box) > settings.same_face);
    left = left.filter((face) => !same.includes(face));
    const weighted = same.filter((face) => face.score >= Math.min(first.score, settings.averaged_from));
    const total = weighted.reduce((sum, face) => f32(sum + face.score), 0);
    const mean = (row: number, axis: 0 | 1): number =>
      f32(weighted.reduce((sum, face) => f32(sum + f32(face.score * face.points[row]![axis])), 0) / total);
    const points = first.points.map((_, row): Point => [mean(row, 0), mean(row, 1)]);
    found.push({ box: boxOf(points), keypoints: points.slice(2), score: first.score });
  }
  return found;
}
