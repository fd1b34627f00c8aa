/** Follow faces over time, with lasting ids, as in `livemood/tracking/tracker.py`. */

import type { TrackerSettings } from "../settings";
import { type Detection, type Point, type Track, centre, width } from "../values";

const IMPOSSIBLE = 1e6;

/** State of one track between frames. */
interface Face {
  readonly id: number;
  detection: Detection;
  lastSeenS: number;
  velocity: Point;
}

export class Tracker {
  readonly #settings: TrackerSettings;
  #faces: Face[] = [];
  #nextId = 1;

  constructor(settings: TrackerSettings) {
    this.#settings = settings;
  }

  /** Match one frame's detections to known faces: one track for each, in their order. */
  update(detections: readonly Detection[], timeS: number): readonly Track[] {
    this.#faces = this.#faces.filter((face) => timeS - face.lastSeenS <= this.#settings.max_missed_s);
    const matches = this.#match(detections, timeS);
    return detections.map((detection, i) => this.#follow(detection, matches.get(i), timeS));
  }

  #follow(detection: Detection, known: Face | undefined, timeS: number): Track {
    const face = known ?? { id: this.#nextId++, detection, lastSeenS: timeS, velocity: [0, 0] as Point };
    if (!known) this.#faces.push(face);
    const gone = timeS - face.lastSeenS;
    if (gone > 0) {
      const [[x0, y0], [x1, y1]] = [centre(face.detection.box), centre(detection.box)];
      const weight = 1 - Math.exp(-gone / this.#settings.velocity_tau_s);
      const [vx, vy] = face.velocity;
      face.velocity = [vx + weight * ((x1 - x0) / gone - vx), vy + weight * ((y1 - y0) / gone - vy)];
    }
    face.detection = detection;
    face.lastSeenS = timeS;
    return { id: face.id, detection };
  }

  #match(detections: readonly Detection[], timeS: number): Map<number, Face> {
    const matches = new Map<number, Face>();
    if (detections.length === 0 || this.#faces.length === 0) return matches;
    const costs = this.#faces.map((face) => detections.map((found) => this.#cost(face, found, timeS)));
    for (const [row, column] of assigned(costs)) {
      if (costs[row]![column]! < IMPOSSIBLE) matches.set(column, this.#faces[row]!);
    }
    return matches;
  }

  #cost(face: Face, found: Detection, timeS: number): number {
    const [old, now] = [width(face.detection.box), width(found.box)];
    const [[x, y], [x1, y1]] = [centre(face.detection.box), centre(found.box)];
    const tau = this.#settings.coasting_s;
    const reach = tau * (1 - Math.exp(-(timeS - face.lastSeenS) / tau));
    const jump = Math.hypot(x1 - x - face.velocity[0] * reach, y1 - y - face.velocity[1] * reach) / Math.max(old, now);
    const growth = Math.abs(Math.log2(now / old));
    return jump > this.#settings.max_jump || growth > 1 ? IMPOSSIBLE : jump + growth;
  }
}

/**
 * Pair rows with columns, each at most once and as many as can be, at the least total cost: shortest augmenting paths,
 * after R. Jonker and A. Volgenant (1987).
 */
export function assigned(costs: readonly (readonly number[])[]): readonly (readonly [number, number])[] {
  const [rows, columns] = [costs.length, costs[0]!.length];
  if (rows > columns) {
    const turned = Array.from({ length: columns }, (_, column) => costs.map((row) => row[column]!));
    return assigned(turned).map(([column, row]) => [row, column] as const);
  }
  const owner = new Array<number>(columns + 1).fill(-1);
  const rowPrice = new Array<number>(rows).fill(0);
  const columnPrice = new Array<number>(columns + 1).fill(0);
  for (let row = 0; row < rows; row++) {
    let column = columns;
    owner[column] = row;
    const cameFrom = new Array<number>(columns).fill(columns);
    const distance = new Array<number>(columns + 1).fill(Infinity);
    const passed = new Array<boolean>(columns + 1).fill(false);
    while (owner[column]! >= 0) {
      passed[column] = true;
      const at = owner[column]!;
      let nearest = -1;
      for (let j = 0; j < columns; j++) {
        if (passed[j]) continue;
        const step = costs[at]![j]! - rowPrice[at]! - columnPrice[j]!;
        if (step < distance[j]!) [distance[j], cameFrom[j]] = [step, column];
        if (nearest < 0 || distance[j]! < distance[nearest]!) nearest = j;
      }
      const gone = distance[nearest]!;
      for (let j = 0; j <= columns; j++) {
        if (passed[j]) {
          rowPrice[owner[j]!]! += gone;
          columnPrice[j]! -= gone;
        } else {
          distance[j]! -= gone;
        }
      }
      column = nearest;
    }
    while (column !== columns) {
      const before = cameFrom[column]!;
      owner[column] = owner[before]!;
      column = before;
    }
  }
  return owner.slice(0, columns).flatMap((row, column) => (row >= 0 ? [[row, column] as const] : []));
}
