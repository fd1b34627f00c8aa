/** One person's resting face, estimated over time, as `livemood/emotion/resting_face.py` does it. */

import type { BaselineSettings } from "../settings";
import { Keypoint, type Point } from "../values";

const TINY = 1e-6;
const MOST = 30;

export class RestingFace {
  readonly #neutral: number;
  readonly #smile: number;
  readonly #settings: BaselineSettings;
  #samples: (readonly number[])[] = [];
  #sampledS = -Infinity;
  #lowered: readonly number[];
  #raised = 0;
  #nose: Point = [0, 0];

  constructor(labels: readonly string[], settings: BaselineSettings) {
    this.#neutral = labels.indexOf("neutral");
    this.#smile = labels.indexOf(settings.resting.raised);
    this.#settings = settings;
    this.#lowered = labels.map(() => 0);
  }

  /**
   * Return the adjusted probabilities of a frame, and take a sample of it if one is due.
   *
   * `smile` is the probability of a smile, of whichever kind, by the head `smile`; null without one.
   */
  read(
    probabilities: readonly number[],
    keypoints: readonly Point[],
    timeS: number,
    smile: number | null,
  ): readonly number[] {
    const [values, nose, resting] = [logits(probabilities), nosePlace(keypoints), this.#settings.resting];
    const lead = this.#lead(values, smile);
    const adjusted = this.#adjusted(values, lead, nose);
    if (best(values) !== this.#smile || this.#smile < 0) {
      const intervals = best(adjusted) === this.#smile ? resting.raised_sample_every : 1;
      if (timeS - this.#sampledS >= intervals * resting.sample_every_s) {
        this.#sampledS = timeS;
        this.#samples.push([...values.map((value) => value - values[this.#neutral]!), lead, ...nose]);
        this.#samples = this.#samples.slice(-resting.max_samples);
        this.#estimate();
      }
    }
    return adjusted;
  }

  /** How clearly a face smiles, in logits; 0 between a smile and none. */
  #lead(values: readonly number[], smile: number | null): number {
    if (this.#smile < 0) return 0;
    const lead = values[this.#smile]! - values[this.#neutral]!;
    if (smile === null) return lead;
    const [smiling, still] = logits([smile, 1 - smile]) as [number, number];
    return (lead + smiling - still) / 2;
  }

  #adjusted(values: readonly number[], lead: number, nose: Point): readonly number[] {
    const found = softmax(values.map((value, k) => value - this.#lowered[k]!));
    if (this.#smile < 0) return found;
    const resting = this.#settings.resting;
    const away = Math.hypot(nose[0] - this.#nose[0], nose[1] - this.#nose[1]);
    const part = Math.min(Math.max((resting.other_pose - away) / (resting.other_pose - resting.same_pose), 0), 1);
    const [neutral, smile] = [found[this.#neutral]!, found[this.#smile]!];
    const ahead = lead + this.#raised * part;
    const share = 1 / (1 + Math.exp(-Math.min(Math.max(resting.steepness * ahead, -MOST), MOST)));
    if (part > 0 && this.#raised > 0 && share * (neutral + smile) > smile) {
      found[this.#neutral] = (1 - share) * (neutral + smile);
      found[this.#smile] = share * (neutral + smile);
    }
    return found;
  }

  #estimate(): void {
    const resting = this.#settings.resting;
    if (this.#samples.length < resting.min_samples) return;
    const column = (k: number): number[] => this.#samples.map((sample) => sample[k]!);
    const middle = this.#samples[0]!.map((_, k) => quantile(column(k), 0.5));
    const [lead, ...nose] = middle.slice(-3) as [number, number, number];
    this.#nose = nose;
    if (this.#smile >= 0) {
      const noise = quantile(column(middle.length - 3), resting.noise_quantile) - lead;
      const rise = Math.max(resting.min_rise, resting.noise_factor * noise);
      this.#raised = Math.min(Math.max(-lead - rise, 0), resting.max_raise);
    }
    if (this.#samples.length >= resting.lower_from) {
      const offset = lowered(middle.slice(0, -3), this.#neutral, this.#settings);
      this.#lowered = offset.map((value, k) => (k === this.#smile ? 0 : value));
    }
  }
}

/** Return by how much each emotion's logit is lowered for someone whose resting face has the logits `rest`. */
export function lowered(rest: readonly number[], neutral: number, { margin, limit }: BaselineSettings): number[] {
  return rest.map((value, k) => (k === neutral ? 0 : Math.min(Math.max(value - rest[neutral]! + margin, 0), limit)));
}

/** Logarithms of probabilities. */
export function logits(probabilities: readonly number[]): number[] {
  return probabilities.map((value) => Math.log(Math.max(value, TINY)));
}

/** Probabilities of logits. */
export function softmax(values: readonly number[]): number[] {
  const powers = values.map(Math.exp);
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

function best(values: readonly number[]): number {
  return values.indexOf(Math.max(...values));
}

/** As numpy has it: between two values, on the line between them. */
function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = share * (sorted.length - 1);
  const [low, high] = [sorted[Math.floor(at)]!, sorted[Math.ceil(at)]!];
  return low + (at - Math.floor(at)) * (high - low);
}

/** The place of the nose tip relative to the middle between the eyes, along and across their line, in eye distances. */
function nosePlace(keypoints: readonly Point[]): Point {
  const [right, left, nose] = [keypoints[Keypoint.rightEye]!, keypoints[Keypoint.leftEye]!, keypoints[Keypoint.noseTip]!];
  const [ax, ay] = [left[0] - right[0], left[1] - right[1]];
  const [nx, ny] = [nose[0] - (right[0] + left[0]) / 2, nose[1] - (right[1] + left[1]) / 2];
  const square = Math.max(ax * ax + ay * ay, TINY);
  return [(nx * ax + ny * ay) / square, (ny * ax - nx * ay) / square];
}
