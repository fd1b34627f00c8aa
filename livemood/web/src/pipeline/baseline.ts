/** Adjust predictions to each person's resting face, as in `livemood/emotion/neutral_baseline.py`. */

import type { BaselineSettings } from "../settings";
import type { Track } from "../values";
import { RestingFace, logits, lowered, softmax } from "./resting";

export class NeutralBaseline {
  readonly #labels: readonly string[];
  readonly #neutral: number;
  readonly #settings: BaselineSettings;
  #wantedS: number | null = null;
  #untilS: number | null = null;
  #nowS = 0;
  readonly #seen = new Map<number, number[][]>();
  readonly #offsets = new Map<number, readonly number[]>();
  readonly #resting = new Map<number, RestingFace>();
  readonly #lastS = new Map<number, number>();

  constructor(labels: readonly string[], settings: BaselineSettings) {
    this.#labels = labels;
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

  /** Ids of the tracks that were calibrated on request. */
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

  /** Return the predictions of one frame, by track; `smiles` are the probabilities of a smile, by the head `smile`. */
  adjust(
    predictions: ReadonlyMap<number, readonly number[]>,
    smiles: ReadonlyMap<number, number>,
    tracks: readonly Track[],
    timeS: number,
  ): Map<number, readonly number[]> {
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
    return new Map(
      tracks.map((track) => {
        const [own, smile] = [predictions.get(track.id)!, smiles.get(track.id) ?? null];
        return [track.id, this.#adjusted(track, own, smile, timeS)];
      }),
    );
  }

  #finish(): void {
    for (const [track, seen] of this.#seen) {
      const rest = seen[0]!.map((_, k) => seen.reduce((sum, row) => sum + row[k]!, 0) / seen.length);
      this.#offsets.set(track, lowered(rest, this.#neutral, this.#settings));
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
      this.#resting.delete(track);
    }
  }

  #adjusted(
    track: Track,
    probabilities: readonly number[],
    smile: number | null,
    timeS: number,
  ): readonly number[] {
    let resting = this.#resting.get(track.id);
    if (!resting) this.#resting.set(track.id, (resting = new RestingFace(this.#labels, this.#settings)));
    // It goes on learning under a calibration, for when that ends.
    const found = resting.read(probabilities, track.detection.keypoints, timeS, smile);
    const offset = this.#offsets.get(track.id);
    return offset ? softmax(logits(probabilities).map((value, k) => value - offset[k]!)) : found;
  }
}
