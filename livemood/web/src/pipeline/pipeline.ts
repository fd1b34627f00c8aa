/** The order of the stages, and nothing else. Holds the state of one source. */

import type { Settings } from "../settings";
import { emotionLabels } from "../settings";
import { SMILE, SMILE_KINDS, type Frame, type HeadAnswer, type Mood, type Quality, type Track } from "../values";
import { NeutralBaseline } from "./baseline";
import type { Classifier } from "./classify";
import { aligned } from "./crop";
import type { Detector } from "./detection";
import type { Meter } from "./quality";
import { RoiDetector } from "./roi";
import { Doubter, Smoother } from "./smooth";
import { Tracker } from "./track";

export class Pipeline {
  readonly baseline: NeutralBaseline;
  readonly #settings: Settings;
  readonly #classifier: Classifier;
  readonly #meter: Meter;
  readonly #detector: RoiDetector;
  readonly #tracker: Tracker;
  readonly #smoothers: readonly Smoother[];
  readonly #doubter: Doubter;

  constructor(detector: Detector, classifier: Classifier, meter: Meter, settings: Settings) {
    this.#settings = settings;
    this.#classifier = classifier;
    this.#meter = meter;
    this.#detector = new RoiDetector(detector, settings);
    this.#tracker = new Tracker(settings.tracker);
    this.baseline = new NeutralBaseline(emotionLabels(settings), settings.baseline);
    this.#smoothers = settings.emotion.heads.map(
      (head) => new Smoother(head.labels, settings.unsure, settings.smoother),
    );
    this.#doubter = new Doubter(settings.smoother);
  }

  /** Return the moods of the next frame's faces, largest face first. */
  async step(frame: Frame): Promise<readonly Mood[]> {
    const tracks = this.#tracker.update(await this.#detector.detect(frame), frame.timeS);
    const read = new Map<number, readonly (readonly number[])[]>();
    const qualities = new Map<number, Quality>();
    for (const track of tracks) {
      const { keypoints } = track.detection;
      const crop = aligned(frame.picture, keypoints, this.#settings.emotion.crop);
      read.set(track.id, await this.#classifier.classify(crop));
      qualities.set(track.id, this.#meter.measure(crop, keypoints));
    }
    const emotions = new Map([...read].map(([id, heads]) => [id, heads[0]!]));
    const adjusted = this.baseline.adjust(emotions, this.#smiles(read), tracks, frame.timeS);
    for (const state of [...this.#smoothers, this.#doubter]) state.forget(frame.timeS);
    return tracks.map((track) => {
      const heads = [adjusted.get(track.id)!, ...read.get(track.id)!.slice(1)];
      return this.#mood(track, heads, qualities.get(track.id)!, frame.timeS);
    });
  }

  /** Return the probability of a smile by track, where the model has the head `smile` with its kinds. */
  #smiles(read: ReadonlyMap<number, readonly (readonly number[])[]>): Map<number, number> {
    const at = this.#settings.emotion.heads.findIndex((head) => head.name === SMILE);
    const kinds = at < 0 ? [] : SMILE_KINDS.map((kind) => this.#settings.emotion.heads[at]!.labels.indexOf(kind));
    const known = kinds.filter((kind) => kind >= 0);
    if (known.length === 0) return new Map();
    return new Map([...read].map(([id, heads]) => [id, known.reduce((sum, kind) => sum + heads[at]![kind]!, 0)]));
  }

  #mood(track: Track, heads: readonly (readonly number[])[], quality: Quality, timeS: number): Mood {
    const answers = heads.map((raw, i) => this.#smoothers[i]!.update(track.id, raw, timeS));
    const [found, ...rest] = answers as [HeadAnswer, ...HeadAnswer[]];
    const { unsure } = this.#settings;
    const leading = Math.max(...found.scores);
    const doubted = this.#doubter.reason(track.id, quality, leading, timeS);
    const emotion = doubted ? { ...found, label: unsure, confidence: leading } : found;
    const reason = doubted ?? (found.label === unsure ? "ambiguous" : null);
    const names = this.#settings.emotion.heads.slice(1).map((head) => head.name);
    return { track, emotion, reason, others: Object.fromEntries(names.map((name, i) => [name, rest[i]!])) };
  }
}
