/**
 * Robust fit of a similarity transform to pairs of points: least median of squares (Rousseeuw 1984), with the random
 * samples, the threshold and the single refinement step of OpenCV's `estimateAffinePartial2D`.
 */

import type { Point } from "../values";

/** x' = a x - b y + c, y' = b x + a y + d. */
export interface Similarity {
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly d: number;
}

const DRAWS = 13;
const LEAST_SIGMA = 0.001;
/** Damping: the diagonal of the normal equations is multiplied by 1 plus this. */
const DAMPING = 1e-4;

/** OpenCV's generator of random numbers: multiply with carry. */
function* drawn(): Generator<number> {
  let state = 0xffffffffffffffffn;
  for (;;) {
    state = (state & 0xffffffffn) * 4164903690n + (state >> 32n);
    yield Number(state & 0xffffffffn);
  }
}

/** The pairs of points of each sample, by the number of points. */
const drawsOf = new Map<number, readonly (readonly [number, number])[]>();

function draws(count: number): readonly (readonly [number, number])[] {
  const known = drawsOf.get(count);
  if (known) return known;
  const random = drawn();
  const next = (): number => (random.next().value as number) % count;
  const pairs = Array.from({ length: DRAWS }, () => {
    const first = next();
    let second = next();
    while (second === first) second = next();
    return [first, second] as const;
  });
  drawsOf.set(count, pairs);
  return pairs;
}

/** Return the transform from `from` to `to` and its number of inliers; null if there is none. */
export function agreement(
  from: readonly Point[],
  to: readonly Point[],
): { readonly found: Similarity; readonly agreeing: number } | null {
  if (from.length < 3) return null;
  let best: Similarity | null = null;
  let leastMedian = Infinity;
  for (const [i, j] of draws(from.length)) {
    const candidate = ofTwo(from[i]!, from[j]!, to[i]!, to[j]!);
    const median = errors(candidate, from, to).sort((one, other) => one - other)[from.length >> 1]!;
    if (median < leastMedian) [best, leastMedian] = [candidate, median];
  }
  if (!best) return null;
  const sigma = Math.max(2.5 * 1.4826 * (1 + 5 / (from.length - 2)) * Math.sqrt(leastMedian), LEAST_SIGMA);
  const inliers = errors(best, from, to).map((error) => error <= sigma * sigma);
  const agreeing = inliers.filter(Boolean).length;
  if (agreeing < 2) return null;
  const keep = (points: readonly Point[]): readonly Point[] => points.filter((_, i) => inliers[i]);
  return { found: refined(best, keep(from), keep(to)), agreeing };
}

function ofTwo([x1, y1]: Point, [x2, y2]: Point, [u1, v1]: Point, [u2, v2]: Point): Similarity {
  const squared = (x1 - x2) ** 2 + (y1 - y2) ** 2;
  const a = ((u1 - u2) * (x1 - x2) + (v1 - v2) * (y1 - y2)) / squared;
  const b = ((v1 - v2) * (x1 - x2) - (u1 - u2) * (y1 - y2)) / squared;
  return { a, b, c: u1 - a * x1 + b * y1, d: v1 - b * x1 - a * y1 };
}

function errors({ a, b, c, d }: Similarity, from: readonly Point[], to: readonly Point[]): number[] {
  return from.map(([x, y], i) => (a * x - b * y + c - to[i]![0]) ** 2 + (b * x + a * y + d - to[i]![1]) ** 2);
}

/** One step of the Levenberg-Marquardt algorithm. */
function refined(start: Similarity, from: readonly Point[], to: readonly Point[]): Similarity {
  const n = from.length;
  let [xs, ys, squares] = [0, 0, 0];
  const slope = [0, 0, 0, 0];
  from.forEach(([x, y], i) => {
    const ex = start.a * x - start.b * y + start.c - to[i]![0];
    const ey = start.b * x + start.a * y + start.d - to[i]![1];
    xs += x;
    ys += y;
    squares += x * x + y * y;
    slope[0]! += x * ex + y * ey;
    slope[1]! += x * ey - y * ex;
    slope[2]! += ex;
    slope[3]! += ey;
  });
  const matrix = [
    [squares, 0, xs, ys],
    [0, squares, -ys, xs],
    [xs, -ys, n, 0],
    [ys, xs, 0, n],
  ].map((row, i) => row.map((value, j) => (i === j ? value * (1 + DAMPING) : value)));
  const [da, db, dc, dd] = solved(matrix, slope) as [number, number, number, number];
  const moved = { a: start.a - da, b: start.b - db, c: start.c - dc, d: start.d - dd };
  const total = (all: readonly number[]): number => all.reduce((sum, error) => sum + error, 0);
  return total(errors(moved, from, to)) < total(errors(start, from, to)) ? moved : start;
}

/** Gaussian elimination with pivoting. */
function solved(matrix: readonly (readonly number[])[], right: readonly number[]): number[] {
  const rows = matrix.map((row, i) => [...row, right[i]!]);
  const size = rows.length;
  for (let k = 0; k < size; k++) {
    let pivot = k;
    for (let i = k + 1; i < size; i++) if (Math.abs(rows[i]![k]!) > Math.abs(rows[pivot]![k]!)) pivot = i;
    [rows[k], rows[pivot]] = [rows[pivot]!, rows[k]!];
    for (let i = k + 1; i < size; i++) {
      const share = rows[i]![k]! / rows[k]![k]!;
      for (let j = k; j <= size; j++) rows[i]![j]! -= share * rows[k]![j]!;
    }
  }
  const found = new Array<number>(size).fill(0);
  for (let k = size - 1; k >= 0; k--) {
    let rest = rows[k]![size]!;
    for (let j = k + 1; j < size; j++) rest -= rows[k]![j]! * found[j]!;
    found[k] = rest / rows[k]![k]!;
  }
  return found;
}
