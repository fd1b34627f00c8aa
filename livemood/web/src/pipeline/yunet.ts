/** YuNet: proposes candidates for faces, as OpenCV and `livemood/detection/yunet.py` do. */

import type { YuNetSettings } from "../settings";
import { type Box, type Detection, type Picture, type Point, area, asFloat32, centre, height, intersection, width } from "../values";
import { type Plane, resizedTo } from "./pixels";
import { resized } from "./resized";
import { Network } from "./runtime";

/** The sides of the network's input are multiples of this; the picture is padded with black. */
const DIVISOR = 32;
/** Number of input sizes for which a network is kept open. */
const MOST_SIZES = 6;
/** Values per cell: class, object, box and five points. */
const ROW = 16;

export class YuNet {
  readonly #file: Uint8Array;
  readonly #settings: YuNetSettings;
  readonly #minScore: number;
  readonly #networks = new Map<string, Network>();

  constructor(file: Uint8Array, settings: YuNetSettings, minScore: number) {
    this.#file = file;
    this.#settings = settings;
    this.#minScore = minScore;
  }

  /** Return the candidates in px of the picture, highest score first; its longer side is scaled to `longestPx`. */
  async find(picture: Picture, longestPx: number): Promise<readonly Detection[]> {
    const scale = longestPx / Math.max(picture.width, picture.height);
    const across = Math.max(Math.round(picture.width * scale), 1);
    const down = Math.max(Math.round(picture.height * scale), 1);
    const { data, width: wide, height: high } = picture;
    const plane = resizedTo({ data, width: wide, height: high, channels: 4 }, across, down);
    const rows = withoutDoubles(await this.#rows(plane), this.#settings.same_face);
    const [scaleX, scaleY] = [Math.fround(across / picture.width), Math.fround(down / picture.height)];
    return rows
      .map((row) => toDetection(row, scaleX, scaleY, this.#settings))
      .filter(({ box }) => width(box) > 0 && height(box) > 0);
  }

  /** A candidate with its box framed as BlazeFace's: from the brows to the chin. */
  likeBlazeFace(face: Detection): Detection {
    const { lower, width: wider, height: higher } = this.#settings;
    const [x, middle] = centre(face.box);
    const y = middle + lower * height(face.box);
    const [halfX, halfY] = [(wider * width(face.box)) / 2, (higher * height(face.box)) / 2];
    return { ...face, box: { left: x - halfX, top: y - halfY, right: x + halfX, bottom: y + halfY } };
  }

  async #rows(plane: Plane): Promise<readonly Row[]> {
    const wide = DIVISOR * Math.ceil(plane.width / DIVISOR);
    const high = DIVISOR * Math.ceil(plane.height / DIVISOR);
    const network = await this.#network(wide, high);
    const input = new Float32Array(3 * wide * high);
    for (let y = 0; y < plane.height; y++) {
      let to = 3 * y * wide;
      let from = 4 * y * plane.width;
      for (let x = 0; x < plane.width; x++, to += 3, from += 4) {
        input[to] = plane.data[from + 2]!;
        input[to + 1] = plane.data[from + 1]!;
        input[to + 2] = plane.data[from]!;
      }
    }
    const outputs = await network.run(input);
    return this.#settings.strides.flatMap((stride) => {
      const [columns, lines] = [wide / stride, high / stride];
      const map = outputs[network.outputs.findIndex((shape) => shape[1] === lines && shape[2] === columns)]!;
      return decoded(map, columns, lines, stride, this.#minScore);
    });
  }

  async #network(wide: number, high: number): Promise<Network> {
    const key = `${wide}x${high}`;
    const known = this.#networks.get(key);
    if (known) return known;
    if (this.#networks.size >= MOST_SIZES) {
      const [oldest, network] = [...this.#networks][0]!;
      this.#networks.delete(oldest);
      network.close();
    }
    const network = await Network.open(resized(this.#file, this.#settings.side_px, wide, high));
    this.#networks.set(key, network);
    return network;
  }
}

/** Left, top, width, height and five points in px of the network's input. */
interface Row {
  readonly box: readonly [number, number, number, number];
  readonly points: readonly Point[];
  readonly score: number;
}

function decoded(map: Float32Array, columns: number, lines: number, stride: number, minScore: number): Row[] {
  const f32 = Math.fround;
  const found: Row[] = [];
  for (let i = 0; i < columns * lines; i++) {
    const at = i * ROW;
    const clamped = (value: number): number => Math.min(Math.max(value, 0), 1);
    const score = f32(Math.sqrt(f32(clamped(map[at]!) * clamped(map[at + 1]!))));
    if (score < minScore) continue;
    const [column, line] = [i % columns, Math.floor(i / columns)];
    const across = f32(f32(Math.exp(map[at + 4]!)) * stride);
    const down = f32(f32(Math.exp(map[at + 5]!)) * stride);
    const left = f32(f32((column + map[at + 2]!) * stride) - across / 2);
    const top = f32(f32((line + map[at + 3]!) * stride) - down / 2);
    const points = Array.from({ length: 5 }, (_, k): Point => {
      const [x, y] = [map[at + 6 + 2 * k]!, map[at + 7 + 2 * k]!];
      return [f32((x + column) * stride), f32((y + line) * stride)];
    });
    found.push({ box: [left, top, across, down], points, score });
  }
  return found;
}

/** Non-maximum suppression on boxes in whole px; highest score first. */
function withoutDoubles(rows: readonly Row[], sameFace: number): readonly Row[] {
  const whole = ({ box }: Row): Box => {
    const [left, top, across, down] = box.map(Math.trunc) as [number, number, number, number];
    return { left, top, right: left + across, bottom: top + down };
  };
  const overlap = (one: Box, other: Box): number => {
    const shared = intersection(one, other);
    const together = area(one) + area(other);
    return together > 0 ? shared / (together - shared) : 0;
  };
  const kept: { row: Row; box: Box }[] = [];
  for (const row of [...rows].sort((one, other) => other.score - one.score)) {
    const box = whole(row);
    if (kept.every((other) => overlap(box, other.box) <= sameFace)) kept.push({ row, box });
  }
  return kept.map(({ row }) => row);
}

/** Return a detection with keypoints in BlazeFace's order and estimated ears. */
function toDetection({ box, points, score }: Row, scaleX: number, scaleY: number, settings: YuNetSettings): Detection {
  const f32 = Math.fround;
  const [left, top, across, down] = [f32(box[0] / scaleX), f32(box[1] / scaleY), f32(box[2] / scaleX), f32(box[3] / scaleY)];
  const back = points.map(([x, y]): Point => [f32(x / scaleX), f32(y / scaleY)]);
  const [right, other, nose, mouthRight, mouthLeft] = back as [Point, Point, Point, Point, Point];
  const middle: Point = [(right[0] + other[0]) / 2, (right[1] + other[1]) / 2];
  const along: Point = [other[0] - right[0], other[1] - right[1]];
  const half = settings.eyes_apart / 2;
  const ears = settings.ears.map(([x, y]): Point => [
    middle[0] + x * along[0] - y * along[1],
    middle[1] + x * along[1] + y * along[0],
  ]);
  const keypoints: readonly Point[] = [
    [middle[0] - along[0] * half, middle[1] - along[1] * half],
    [middle[0] + along[0] * half, middle[1] + along[1] * half],
    nose,
    [(mouthRight[0] + mouthLeft[0]) / 2, (mouthRight[1] + mouthLeft[1]) / 2],
    ...ears,
  ];
  return {
    box: { left, top, right: left + across, bottom: top + down },
    keypoints: keypoints.map(asFloat32),
    score: Math.min(Math.max(score, 0), 1),
  };
}
