/** MediaPipe's BlazeFace networks on small pictures; what `livemood/detection/blazeface.py` does. */

import type { BlazeFaceSettings } from "../settings";
import { type Box, type Detection, KEYPOINTS, type Point, iou } from "../values";
import type { Plane } from "./pixels";
import type { Network } from "./runtime";

/** Centre of a box, its size, then keypoints. */
const ROWS = 2 + KEYPOINTS;

interface Answer {
  readonly box: Box;
  /** Upper left and lower right corner, then keypoints. */
  readonly points: readonly Point[];
  readonly score: number;
}

export class BlazeFace {
  /** Of the pictures that it takes, px. */
  readonly side: number;
  readonly #network: Network;
  readonly #anchors: readonly Point[];
  readonly #places: number;
  readonly #scores: number;
  readonly #settings: BlazeFaceSettings;
  readonly #minScore: number;

  constructor(network: Network, settings: BlazeFaceSettings, minScore: number) {
    this.side = network.shape[1]!;
    this.#network = network;
    this.#anchors = anchors(this.side, settings);
    const last = network.outputs.map((shape) => shape[shape.length - 1]);
    this.#places = last.indexOf(2 * ROWS);
    this.#scores = last.indexOf(1);
    this.#settings = settings;
    this.#minScore = minScore;
    if (this.#places < 0 || this.#scores < 0) throw new Error("this is none of MediaPipe's face networks");
  }

  /** Return the faces of a picture of (side, side), surest first, in its px. */
  async find(picture: Plane): Promise<readonly Detection[]> {
    const input = new Float32Array(picture.data.length);
    for (let i = 0; i < input.length; i++) input[i] = picture.data[i]! / 127.5 - 1;
    const outputs = await this.#network.run(input);
    const [places, scores] = [outputs[this.#places]!, outputs[this.#scores]!];
    const answers: Answer[] = [];
    this.#anchors.forEach((anchor, i) => {
      const score = 1 / (1 + Math.exp(-Math.min(Math.max(scores[i]!, -80), 80)));
      if (score < this.#minScore) return;
      const answer = placed(places.subarray(2 * ROWS * i, 2 * ROWS * (i + 1)), anchor, score);
      if (answer.box.right > answer.box.left && answer.box.bottom > answer.box.top) answers.push(answer);
    });
    return averaged(answers, this.#settings.same_face);
  }
}

/** Where answers are relative to: the centre of each cell, once for each of its anchors. */
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

function placed(row: Float32Array, [x, y]: Point, score: number): Answer {
  const [middleX, middleY, across, down] = [row[0]! + x, row[1]! + y, row[2]!, row[3]!];
  const points: Point[] = [
    [middleX - across / 2, middleY - down / 2],
    [middleX + across / 2, middleY + down / 2],
  ];
  for (let k = 2; k < ROWS; k++) points.push([row[2 * k]! + x, row[2 * k + 1]! + y]);
  return { box: boxOf(points), points, score };
}

function boxOf(points: readonly Point[]): Box {
  const [[left, top], [right, bottom]] = points as [Point, Point];
  return { left, top, right, bottom };
}

/** Return each face once: the average of the answers about it, weighted by their scores. */
function averaged(answers: readonly Answer[], sameFace: number): readonly Detection[] {
  const found: Detection[] = [];
  let left = [...answers].sort((one, other) => other.score - one.score);
  while (left.length > 0) {
    const first = left[0]!;
    const same = left.filter((answer) => answer === first || iou(answer.box, first.box) > sameFace);
    left = left.filter((answer) => !same.includes(answer));
    const total = same.reduce((sum, answer) => sum + answer.score, 0);
    const mean = (row: number, axis: 0 | 1): number =>
      same.reduce((sum, answer) => sum + answer.score * answer.points[row]![axis], 0) / total;
    const points = first.points.map((_, row): Point => [mean(row, 0), mean(row, 1)]);
    found.push({ box: boxOf(points), keypoints: points.slice(2), score: first.score });
  }
  return found;
}
