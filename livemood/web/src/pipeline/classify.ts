/** Crops to calibrated probabilities of every head, as in `livemood/emotion/classifier.py`. */

import type { EmotionSettings, HeadSettings } from "../settings";
import type { Network } from "./runtime";

const TINY = 1e-7;

export class Classifier {
  readonly #network: Network;
  readonly #heads: readonly HeadSettings[];
  /** Index of each head's output; several outputs are identified by name. */
  readonly #outputs: readonly number[];

  constructor(network: Network, settings: EmotionSettings) {
    this.#network = network;
    this.#heads = settings.heads;
    this.#outputs = settings.heads.map((head) => {
      const place = settings.heads.length === 1 ? 0 : network.outputNames.indexOf(head.name);
      if (network.outputs[place]?.at(-1) !== head.labels.length) throw new Error(`the model has no head ${head.name}`);
      return place;
    });
  }

  /** Return the probabilities of every head for one crop of raw values 0..255. */
  async classify(crop: ArrayLike<number>): Promise<readonly (readonly number[])[]> {
    const answers = await this.#network.run(Float32Array.from(crop));
    return this.#heads.map((head, i) => calibrated(answers[this.#outputs[i]!]!, head));
  }
}

/** Probabilities to the power 1/T, renormalised: the softmax of logits, plus the prior's offsets, divided by T. */
function calibrated(raw: Float32Array, { temperature, offsets }: HeadSettings): readonly number[] {
  const powers = Array.from(
    raw,
    (value, k) => Math.max(value, TINY) ** (1 / temperature) * Math.exp((offsets[k] ?? 0) / temperature),
  );
  const sum = powers.reduce((total, power) => total + power, 0);
  const found = powers.map((power) => power / sum);
  if (!found.every(Number.isFinite)) throw new Error("the model answers with no probabilities");
  return found;
}
