/** How well a face can be read, from its keypoints and its crop, as in `livemood/emotion/quality.py`. */

import type { CropSettings, QualitySettings, Settings } from "../settings";
import { Keypoint, type Point, type Quality } from "../values";
import { sideOf } from "./crop";
import { enlarged, redBlueSwapped, shrunk, toGrey } from "./pixels";

type Pixels = Uint8Array | Uint8ClampedArray;

/** Measures crops. Sums are float64, where Python's are float32: they differ by less than a millionth. */
export class Meter {
  readonly #crop: CropSettings;
  readonly #settings: QualitySettings;
  readonly #covered: SmallNetwork;
  readonly #tilted: SmallNetwork;

  /** The files are those of the networks for covered and for tilted faces. */
  constructor(covered: Uint8Array, tilted: Uint8Array, settings: Settings) {
    this.#crop = settings.emotion.crop;
    this.#settings = settings.quality;
    this.#covered = new SmallNetwork(covered, settings.quality);
    this.#tilted = new SmallNetwork(tilted, settings.quality);
  }

  /** Measure a crop of (S, S, C), as `aligned` returns it. */
  measure(crop: Pixels, keypoints: readonly Point[]): Quality {
    const how = this.#settings;
    const grey = this.#grey(crop);
    const spread = deviation(grey);
    const inputs = how.has_trained_framing ? networkInput(grey, how) : null;
    return {
      sidePx: sideOf(keypoints, this.#crop),
      yawDeg: yawDeg(keypoints, how.nose),
      sharpness: sharpness(grey, spread, how),
      noise: noise(grey, spread, how),
      clipped: clipped(grey, how),
      covered: inputs ? this.#covered.logit(inputs) : how.not_measured,
      tilted: inputs ? this.#tilted.logit(inputs) : how.not_measured,
      // The page chooses among all emotions.
      chosen: 1,
    };
  }

  #grey(crop: Pixels): Pixels {
    const { size_px: side, colour } = this.#crop;
    const { reference_px: wanted } = this.#settings;
    let plane = { data: crop, width: side, height: side, channels: 1 };
    if (colour === "bgr") plane = toGrey({ ...plane, data: redBlueSwapped(crop) });
    return (side > wanted ? shrunk(plane, wanted) : enlarged(plane, wanted)).data;
  }
}

/** A network with one hidden layer and one output. */
class SmallNetwork {
  /** A row of weights for each input, then biases; the output's weights, and its bias. */
  readonly #weights: Float32Array;
  readonly #inputs: number;
  readonly #units: number;

  constructor(file: Uint8Array, { network_side_px: side }: QualitySettings) {
    this.#weights = new Float32Array(file.slice().buffer);
    this.#inputs = side ** 2;
    this.#units = (this.#weights.length - 1) / (this.#inputs + 2);
    if (!Number.isInteger(this.#units)) throw new Error("a network that measures quality has an unexpected size");
  }

  /** Return the logit of what the network detects: the mean over a crop and its mirror image. */
  logit(inputs: readonly [Float64Array, Float64Array]): number {
    return (this.#logit(inputs[0]) + this.#logit(inputs[1])) / 2;
  }

  #logit(inputs: Float64Array): number {
    const [weights, units] = [this.#weights, this.#units];
    const biases = this.#inputs * units;
    const hidden = Float64Array.from(weights.subarray(biases, biases + units));
    for (let i = 0; i < this.#inputs; i++) {
      for (let unit = 0; unit < units; unit++) hidden[unit]! += inputs[i]! * weights[i * units + unit]!;
    }
    let answer = weights[biases + 2 * units]!;
    for (let unit = 0; unit < units; unit++) answer += Math.max(hidden[unit]!, 0) * weights[biases + units + unit]!;
    return answer;
  }
}

/** Return the grey levels of a crop and of its mirror image as the networks take them: smaller and standardised. */
function networkInput(grey: Pixels, settings: QualitySettings): [Float64Array, Float64Array] {
  const side = settings.network_side_px;
  const small = averaged(grey, settings.reference_px, side);
  const [middle, scale] = [mean(small), deviation(small) + settings.steady];
  const found = small.map((value) => (value - middle) / scale);
  return [found, found.map((_, i) => found[i - (i % side) + side - 1 - (i % side)]!)];
}

/** Return the share of black and white pixels. */
function clipped(grey: Pixels, { black_to: black, white_from: white }: QualitySettings): number {
  let found = 0;
  for (let i = 0; i < grey.length; i++) if (grey[i]! <= black || grey[i]! >= white) found++;
  return found / grey.length;
}

/** Average a square of side `from` down to `to`, a whole number of times smaller; not rounded. */
function averaged(grey: Pixels, from: number, to: number): Float64Array {
  const times = from / to;
  const small = new Float64Array(to * to);
  for (let y = 0; y < to; y++) {
    for (let x = 0; x < to; x++) {
      let sum = 0;
      for (let v = 0; v < times; v++) {
        const first = (y * times + v) * from + x * times;
        for (let u = 0; u < times; u++) sum += grey[first + u]!;
      }
      small[y * to + x] = sum / (times * times);
    }
  }
  return small;
}

/** The angle by which a head is turned to the side, 0..90. */
function yawDeg(keypoints: readonly Point[], reach: number): number {
  const [right, left] = [keypoints[Keypoint.rightEar]!, keypoints[Keypoint.leftEar]!];
  const nose = keypoints[Keypoint.noseTip]!;
  const [acrossX, acrossY] = [(left[0] - right[0]) / 2, (left[1] - right[1]) / 2];
  const [noseX, noseY] = [nose[0] - (left[0] + right[0]) / 2, nose[1] - (left[1] + right[1]) / 2];
  const wide = Math.max(Math.hypot(acrossX, acrossY), 1e-6);
  const aside = Math.abs(noseX * acrossX + noseY * acrossY);
  return (Math.atan2(aside, reach * wide ** 2) * 180) / Math.PI;
}

/** Logarithm of RMS gradient over standard deviation. */
function sharpness(grey: Pixels, spread: number, { reference_px: side, least }: QualitySettings): number {
  let squares = 0;
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const value = grey[y * side + x]!;
      if (x + 1 < side) squares += (grey[y * side + x + 1]! - value) ** 2;
      if (y + 1 < side) squares += (grey[(y + 1) * side + x]! - value) ** 2;
    }
  }
  const slope = Math.sqrt(squares / (side * (side - 1)) / 4);
  return Math.log(slope / (spread + least) + least);
}

/** Logarithm of estimated noise over standard deviation. */
function noise(grey: Pixels, spread: number, settings: QualitySettings): number {
  const { reference_px: side, noise_kernel: kernel } = settings;
  const mask = Float64Array.from(kernel.flat());
  const places = Int32Array.from(mask, (_, i) => (Math.floor(i / 3) - 1) * side + (i % 3) - 1);
  let total = 0;
  for (let y = 1; y < side - 1; y++) {
    for (let x = 1; x < side - 1; x++) {
      let response = 0;
      for (let i = 0; i < mask.length; i++) response += mask[i]! * grey[y * side + x + places[i]!]!;
      total += Math.abs(response);
    }
  }
  const found = (settings.noise_of_response * total) / (side - 2) ** 2;
  return Math.log(found / (spread + settings.noise_steady) + settings.noise_least);
}

function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return sum / values.length;
}

/** Standard deviation. */
function deviation(values: ArrayLike<number>): number {
  const middle = mean(values);
  let squares = 0;
  for (let i = 0; i < values.length; i++) squares += (values[i]! - middle) ** 2;
  return Math.sqrt(squares / values.length);
}
