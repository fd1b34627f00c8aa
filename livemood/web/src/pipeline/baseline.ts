/** Adjust predictions to each person's resting face, as in `livemood/emotion/neutral_baseline.py`. */

import type { BaselineSettings } from "../settings";

const TINY = 1e-6;

export class NeutralBaseline {
  readonly #neutral: number;
  readonly #settings: BaselineSettings;
  #wantedS: number | null = null;
  #untilS: number | null = null;
  #nowS = 0;
  readonly #seen = new Map<number, number[][]>();
  readonly #offsets = new Map<number, readonly number[]>();
  readonly #lastS = new Map<number, number>();

  constructor(labels: readonly string[], settings: BaselineSettings) {
    this.#neutral = labels.indexOf("neutral");
    this.#settings = settings;
  }

  /** Whether the model has the class neutral. */
  get possible(): boolean {
    return this.#neutral >= 0;
  }

  /** Seconds for which people should still keep a resting face; 0 when not calibrating. */
  get remainingS(): number {
    if (this.#wantedS !== null) return this.#wantedS;
    return this.#untilS === null ? 0 : Math.max(this.#untilS - this.#nowS, 0);
  }

  /** Ids of the calibrated tracks. */
  get calibrated(): readonly number[] {
    return [...this.#offsets.keys()];
  }

  /** Start a calibration; if there is one already, forget it. */
  toggle(): void {
    const off = this.remainingS > 0 || this.#offsets.size > 0;
    this.#untilS = null;
    this.#seen.clear();
    this.#offsets.clear();
    this.#wantedS = off ? null : this.#settings.duration_s;
  }

  /** Return the adjusted predictions of one frame, by track. */
  adjust(predictions: ReadonlyMap<number, readonly number[]>, timeS: number): Map<number, readonly number[]> {
    if (!this.possible) return new Map(predictions);
    this.#nowS = timeS;
    this.#forget(timeS);
    for (const track of predictions.keys()) this.#lastS.set(track, timeS);
    if (this.#wantedS !== null) {
      this.#untilS = timeS + this.#wantedS;
      this.#wantedS = null;
    }
    if (this.#untilS !== null) {
      for (const [track, probabilities] of predictions) {
        this.#seen.set(track, [...(this.#seen.get(track) ?? []), logits(probabilities)]);
      }
      if (timeS >= this.#untilS) this.#finish();
    }
    return new Map([...predictions].map(([track, probabilities]) => [track, this.#adjusted(track, probabilities)]));
  }

  #finish(): void {
    const { margin, limit } = this.#settings;
    for (const [track, seen] of this.#seen) {
      const rest = seen[0]!.map((_, k) => seen.reduce((sum, row) => sum + row[k]!, 0) / seen.length);
      const offset = rest.map((value, k) =>
        k === this.#neutral ? 0 : Math.min(Math.max(value - rest[this.#neutral]! + margin, 0), limit),
      );
      this.#offsets.set(track, offset);
    }
    this.#untilS = null;
    this.#seen.clear();
  }

  #forget(timeS: number): void {
    for (const [track, lastS] of this.#lastS) {
      if (lastS >= timeS - this.#settings.forget_s) continue;
      this.#lastS.delete(track);
      this.#seen.delete(track);
      this.#offsets.delete(track);
    }
  }

  #adjusted(track: number, probabilities: readonly number[]): readonly number[] {
    const offset = this.#offsets.get(track);
    if (!offset) return probabilities;
    const powers = logits(probabilities).map((value, k) => Math.exp(value - offset[k]!));
    const sum = powers.reduce((total, power) => total + power, 0);
    return powers.map((power) => power / sum);
  }
}

function logits(probabilities: readonly number[]): number[] {
  return probabilities.map((value) => Math.log(Math.max(value, TINY)));
}
