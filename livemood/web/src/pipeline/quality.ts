/** How well a face can be read, from its keypoints and its crop, as in `livemood/emotion/quality.py`. */

import type { CropSettings, QualitySettings, Settings } from "../settings";
import { Keypoint, type Point, type Quality } from "../values";
import { sideOf } from "./crop";
import { enlarged, shrunk, toGrey } from "./pixels";

type Pixels = Uint8Array | Uint8ClampedArray;

/** Measures crops. Sums are float64, where Python's are float32: they differ by less than a millionth. */
export class Meter {
  readonly #crop: CropSettings;
  readonly #settings: QualitySettings;
  readonly #network: CoveredNetwork;

  constructor(weights: Uint8Array, settings: Settings) {
    this.#crop = settings.emotion.crop;
    this.#settings = settings.quality;
    this.#network = new CoveredNetwork(weights, settings.quality);
  }

  /** Measure a crop of (S, S, C), as `aligned` returns it. */
  measure(crop: Pixels, keypoints: readonly Point[]): Quality {
    const how = this.#settings;
    const grey = this.#grey(crop);
    const spread = deviation(grey);
    return {
      sidePx: sideOf(keypoints, this.#crop),
      yawDeg: yawDeg(keypoints, how.nose),
      sharpness: sharpness(grey, spread, how),
      noise: noise(grey, spread, how),
      covered: how.knows_covered ? this.#network.covered(grey) : how.not_covered,
      // The page chooses among all emotions.
      chosen: 1,
    };
  }

  #grey(crop: Pixels): Pixels {
    const { size_px: side, colour } = this.#crop;
    const { reference_px: wanted } = this.#settings;
    let plane = { data: crop, width: side, height: side, channels: 1 };
    if (colour === "bgr") plane = toGrey({ ...plane, data: reversed(crop) });
    return (side > wanted ? shrunk(plane, wanted) : enlarged(plane, wanted)).data;
  }
}

/** The small network for covered faces: one hidden layer. */
class CoveredNetwork {
  readonly #settings: QualitySettings;
  /** A row of weights for each pixel, then biases; the output's weights, and its bias. */
  readonly #weights: Float32Array;
  readonly #units: number;

  constructor(file: Uint8Array, settings: QualitySettings) {
    this.#settings = settings;
    this.#weights = new Float32Array(file.slice().buffer);
    this.#units = (this.#weights.length - 1) / (settings.covered_side_px ** 2 + 2);
    if (!Number.isInteger(this.#units)) throw new Error(`${settings.covered} has another size`);
  }

  /** Return the logit that mouth, nose or eyes are covered. */
  covered(grey: Pixels): number {
    const { covered_side_px: side, reference_px: wide, steady } = this.#settings;
    const small = averaged(grey, wide, side);
    const [middle, scale] = [mean(small), deviation(small) + steady];
    const [weights, units] = [this.#weights, this.#units];
    const biases = side * side * units;
    const hidden = Float64Array.from(weights.subarray(biases, biases + units));
    for (let i = 0; i < side * side; i++) {
      const value = (small[i]! - middle) / scale;
      for (let unit = 0; unit < units; unit++) hidden[unit]! += value * weights[i * units + unit]!;
    }
    let answer = weights[biases + 2 * units]!;
    for (let unit = 0; unit < units; unit++) answer += Math.max(hidden[unit]!, 0) * weights[biases + units + unit]!;
    return answer;
  }
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

function reversed(bgr: Pixels): Pixels {
  return bgr.map((_, i) => bgr[i - (i % 3) + 2 - (i % 3)]!);
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
