/** Messages between the page and its worker. */

import type { FailureKind } from "./failure";
import type { Settings } from "./settings";
import type { Mood } from "./values";

/** Index and time of a picture in its source. */
export interface Stamp {
  readonly index: number;
  readonly timeS: number;
}

export type ToWorker =
  | { readonly kind: "open"; readonly base: string; readonly settings: Settings }
  | { readonly kind: "read"; readonly stamp: Stamp; readonly bitmap: ImageBitmap }
  /** The next picture is of another source. */
  | { readonly kind: "reset" }
  | { readonly kind: "calibrate" };

/** Progress of the calibration to resting faces. */
export interface Calibration {
  readonly possible: boolean;
  readonly remainingS: number;
  readonly calibrated: readonly number[];
}

export interface Reading {
  readonly stamp: Stamp;
  readonly bitmap: ImageBitmap;
  readonly moods: readonly Mood[];
  readonly calibration: Calibration;
}

export type FromWorker =
  | { readonly kind: "ready" }
  | ({ readonly kind: "read" } & Reading)
  | { readonly kind: "failed"; readonly failure: FailureKind; readonly detail: string };
