/** Smooth predictions and qualities over time, with hysteresis, as in `livemood/emotion/smoother.py`. */

import type { SmootherSettings } from "../settings";
import type { Doubt, HeadAnswer, Quality } from "../values";
import { doubt } from "./doubt";

interface LabelState {
  average: readonly number[];
  readonly label: Steady<string>;
  seenS: number;
}

interface DoubtState {
  quality: Quality;
  reason: Doubt | null;
  readonly unsure: Steady<boolean>;
  seenS: number;
}

/** A value that is shown until another one has lasted for a while. */
class Steady<T> {
  shown: T;
  #candidate: T;
  #sinceS: number;

  constructor(value: T, timeS: number) {
    this.shown = value;
    this.#candidate = value;
    this.#sinceS = timeS;
  }

  update(value: T, timeS: number, holdS: number): T {
    if (value !== this.#candidate) {
      this.#candidate = value;
      this.#sinceS = timeS;
    }
    if (timeS - this.#sinceS >= holdS) this.shown = this.#candidate;
    return this.shown;
  }
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
  readonly #states = new Map<number, LabelState>();

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
      const label = new Steady(this.#choose(raw, this.#unsure), timeS);
      state = { average: raw, label, seenS: timeS };
      this.#states.set(track, state);
    }
    const label = state.label.shown;
    const place = this.#labels.indexOf(label);
    const confidence = place < 0 ? Math.max(...state.average) : state.average[place]!;
    return { label, confidence, scores: state.average, rawScores: raw };
  }

  #advance(state: LabelState, raw: readonly number[], timeS: number): void {
    const weight = weightOf(timeS - state.seenS, this.#settings.tau_s);
    state.average = state.average.map((value, i) => value + weight * (raw[i]! - value));
    state.seenS = timeS;
    state.label.update(this.#choose(state.average, state.label.shown), timeS, this.#settings.hold_s);
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

/** Decides why a face is `unsure`, from its quality averaged over time; only doubt that lasts counts. */
export class Doubter {
  readonly #settings: SmootherSettings;
  readonly #states = new Map<number, DoubtState>();

  constructor(settings: SmootherSettings) {
    this.#settings = settings;
  }

  /** Drop tracks that were not seen for long; call it once per frame. */
  forget(timeS: number): void {
    for (const [id, { seenS }] of this.#states) {
      if (seenS < timeS - this.#settings.forget_s) this.#states.delete(id);
    }
  }

  /** Return the reason, given a frame's quality and the leading emotion's confidence; null if there is none. */
  reason(track: number, now: Quality, leading: number, timeS: number): Doubt | null {
    const { margin, hold_s: holdS, tau_s: tauS } = this.#settings;
    const state = this.#states.get(track);
    if (!state) {
      const reason = this.#doubt(now, leading);
      const unsure = new Steady(reason !== null, timeS);
      this.#states.set(track, { quality: now, reason, unsure, seenS: timeS });
      return reason;
    }
    const weight = weightOf(timeS - state.seenS, tauS);
    const mixed = (old: number, found: number): number => old + weight * (found - old);
    const before = state.quality;
    state.quality = {
      sidePx: mixed(before.sidePx, now.sidePx),
      yawDeg: mixed(before.yawDeg, now.yawDeg),
      sharpness: mixed(before.sharpness, now.sharpness),
      noise: mixed(before.noise, now.noise),
      clipped: mixed(before.clipped, now.clipped),
      covered: mixed(before.covered, now.covered),
      tilted: mixed(before.tilted, now.tilted),
      chosen: mixed(before.chosen, now.chosen),
    };
    state.seenS = timeS;
    // Hysteresis, as for labels: a face that is named stays so down to a lower confidence.
    const reason = this.#doubt(state.quality, leading + (state.unsure.shown ? 0 : margin));
    state.reason = reason ?? state.reason;
    return state.unsure.update(reason !== null, timeS, holdS) ? state.reason : null;
  }

  #doubt(quality: Quality, confidence: number): Doubt | null {
    return doubt(quality, confidence, this.#settings.unsure_below, this.#settings.doubt);
  }
}
