/** How long a gap between rows means that a person was away, as in `livemood/reporting/summary.py`. */

import type { GapSettings } from "../settings";
import type { Row } from "./records";

/** Return the longest time between two points of one stretch, s, given the time from one point to the next. */
export function longestGap(stepS: number, settings: GapSettings): number {
  return Math.max(settings.shortest_s, settings.steps * stepS);
}

/** Return the shortest time from one row's frame to the next one's, s; 0 if there is but one. */
export function frameStep(rows: readonly Row[]): number {
  let shortest = Infinity;
  rows.forEach((row, i) => {
    const step = row.time_s - (rows[i - 1]?.time_s ?? row.time_s);
    if (step > 0) shortest = Math.min(shortest, step);
  });
  return Number.isFinite(shortest) ? shortest : 0;
}
