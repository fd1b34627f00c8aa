/** Smooth predictions and qualities over time, with hysteresis, as in `livemood/emotion/smoother.py`. */

import type { SmootherSettings } from "../settings";
import type { Doubt, HeadAnswer, Quality } from "../values";
import { doubt } from "./doubt";

interface State {
  average: readonly number[];
  label: string;
  seenS: number;
  wanted: string;
  wantedSinceS: number;
}

/** The weight of a new value in an exponential average. */
function weightOf(elapsedS: number, tauS: number): number {
  return 1 - Math.exp(-elapsedS / tauS);
}

/** Smooths one head. */
export class Smoother {
  readonly #labels: readonly string[];
  readonly #unsure: string;
  readonly #settings: SmootherSettings;
  readonly #states = new Map<number, State>();

  constructor(labels: readonly string[], unsure: string, settings: SmootherSettings) {
    this.#labels = labels;
    this.#unsure = unsure;
    this.#settings = settings;
  }

  /** Drop tracks that were not seen for long; call it once per frame. */
  forget(timeS: number): void {
    for (const [id, state] of this.#states) {
      if (state.seenS < timeS - this.#settings.forget_s) this.#states.delete(id);
    }
  }

  /** Advance one track to `timeS`, which never decreases, and return its smoothed output. */
  update(track: number, raw: readonly number[], timeS: number): HeadAnswer {
    let state = this.#states.get(track);
    if (state) {
      this.#advance(state, raw, timeS);
    } else {
      const label = this.#choose(raw, this.#unsure);
      state = { average: raw, label, seenS: timeS, wanted: label, wantedSinceS: timeS };
      this.#states.set(track, state);
    }
    const place = this.#labels.indexOf(state.label);
    const confidence = place < 0 ? Math.max(...state.average) : state.average[place]!;
    return { label: state.label, confidence, scores: state.average, rawScores: raw };
  }

  #advance(state: State, raw: readonly number[], timeS: number): void {
    const weight = weightOf(timeS - state.seenS, this.#settings.tau_s);
    state.average = state.average.map((value, i) => value + weight * (raw[i]! - value));
    state.seenS = timeS;
    const wanted = this.#choose(state.average, state.label);
    if (wanted !== state.wanted) {
      state.wanted = wanted;
      state.wantedSinceS = timeS;
    }
    if (timeS - state.wantedSinceS >= this.#settings.hold_s) state.label = state.wanted;
  }

  /** Return the label for the averaged probabilities, given the label `shown` so far. */
  #choose(average: readonly number[], shown: string): string {
    const { unsure_below: least, margin } = this.#settings;
    const highest = Math.max(...average);
    const shownP = shown === this.#unsure ? 0 : average[this.#labels.indexOf(shown)]!;
    if (highest >= least && highest >= shownP + margin) return this.#labels[average.indexOf(highest)]!;
    return shown !== this.#unsure && shownP >= least - margin ? shown : this.#unsure;
  }
}

/** Says why a face is `unsure`, by its quality averaged over time. */
export class Doubter {
  readonly #settings: SmootherSettings;
  readonly #averages = new Map<number, { readonly quality: Quality; readonly seenS: number }>();

  constructor(settings: SmootherSettings) {
    this.#settings = settings;
  }

  /** Drop tracks that were not seen for long; call it once per frame. */
  forget(timeS: number): void {
    for (const [id, { seenS }] of this.#averages) {
      if (seenS < timeS - this.#settings.forget_s) this.#averages.delete(id);
    }
  }

  /** Return the reason, given a frame's quality and the leading emotion's confidence; null if there is none. */
  reason(track: number, now: Quality, leading: number, timeS: number): Doubt | null {
    const { quality: before, seenS } = this.#averages.get(track) ?? { quality: now, seenS: timeS };
    const weight = weightOf(timeS - seenS, this.#settings.tau_s);
    const mixed = (old: number, found: number): number => old + weight * (found - old);
    const quality: Quality = {
      sidePx: mixed(before.sidePx, now.sidePx),
      yawDeg: mixed(before.yawDeg, now.yawDeg),
      sharpness: mixed(before.sharpness, now.sharpness),
      noise: mixed(before.noise, now.noise),
      covered: mixed(before.covered, now.covered),
      chosen: mixed(before.chosen, now.chosen),
    };
    this.#averages.set(track, { quality, seenS: timeS });
    return doubt(quality, leading, this.#settings.unsure_below, this.#settings.doubt);
  }
}
