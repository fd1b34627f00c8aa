/** Moments of large change of a person's smoothed scores, as in `livemood/reporting/changes.py`. */

import type { ChangeSettings } from "../settings";
import type { Row } from "./records";

export interface Change {
  /** Half the summed difference of the scores before and after, 0..1. */
  readonly size: number;
  readonly before: Row;
  readonly after: Row;
}

/** Finds local maxima of change of one person's scores. */
class Peaks {
  readonly #settings: ChangeSettings;
  #recent: Row[] = [];
  #best: Change | null = null;
  #valley = 0;

  constructor(settings: ChangeSettings) {
    this.#settings = settings;
  }

  /** Add a row; return a peak that has ended, if any. */
  add(row: Row): Change | null {
    const { window_s: windowS, least } = this.#settings;
    this.#recent.push(row);
    while (this.#recent.length > 1 && this.#recent[1]!.time_s <= row.time_s - windowS) this.#recent.shift();
    const before = this.#recent[0]!;
    const moved = Object.entries(row.scores).map(([label, score]) => Math.abs(score - (before.scores[label] ?? 0)));
    const size = moved.reduce((sum, value) => sum + value, 0) / 2;
    if (this.#best && size <= this.#best.size - least) {
      this.#valley = size;
      return this.finish();
    }
    if (this.#best ? size > this.#best.size : size >= this.#valley + least) this.#best = { size, before, after: row };
    this.#valley = Math.min(this.#valley, size);
    return null;
  }

  finish(): Change | null {
    const done = this.#best;
    this.#best = null;
    return done;
  }
}

/** Return the strongest changes of one person, strongest first; none spans an absence, longer than `gapS`. */
export function strongestChanges(rows: readonly Row[], gapS: number, settings: ChangeSettings): readonly Change[] {
  const found: (Change | null)[] = [];
  let peaks = new Peaks(settings);
  rows.forEach((row, i) => {
    if (i > 0 && row.time_s - rows[i - 1]!.time_s > gapS) {
      found.push(peaks.finish());
      peaks = new Peaks(settings);
    }
    found.push(peaks.add(row));
  });
  found.push(peaks.finish());
  return found
    .filter((change) => change !== null)
    .sort((one, other) => other.size - one.size)
    .slice(0, settings.kept);
}
