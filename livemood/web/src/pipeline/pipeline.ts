/** The order of the stages, and nothing else. Holds the state of one source. */

import type { Settings } from "../settings";
import { emotionLabels } from "../settings";
import type { Frame, HeadAnswer, Mood, Track } from "../values";
import { NeutralBaseline } from "./baseline";
import type { Classifier } from "./classify";
import { aligned } from "./crop";
import type { Detector } from "./detection";
import { RoiDetector } from "./roi";
import { Smoother } from "./smooth";
import { Tracker } from "./track";

export class Pipeline {
  readonly baseline: NeutralBaseline;
  readonly #settings: Settings;
  readonly #classifier: Classifier;
  readonly #detector: RoiDetector;
  readonly #tracker: Tracker;
  readonly #smoothers: readonly Smoother[];

  constructor(detector: Detector, classifier: Classifier, settings: Settings) {
    this.#settings = settings;
    this.#classifier = classifier;
    this.#detector = new RoiDetector(detector, settings);
    this.#tracker = new Tracker(settings.tracker);
    this.baseline = new NeutralBaseline(emotionLabels(settings), settings.baseline);
    this.#smoothers = settings.emotion.heads.map(
      (head) => new Smoother(head.labels, settings.unsure, settings.smoother),
    );
  }

  /** Return the moods of the next frame's faces, largest face first. */
  async step(frame: Frame): Promise<readonly Mood[]> {
    const tracks = this.#tracker.update(await this.#detector.detect(frame), frame.timeS);
    const read = new Map<number, readonly (readonly number[])[]>();
    for (const track of tracks) {
      const crop = aligned(frame.picture, track.detection.keypoints, this.#settings.emotion.crop);
      read.set(track.id, await this.#classifier.classify(crop));
    }
    const emotions = new Map([...read].map(([id, heads]) => [id, heads[0]!]));
    const adjusted = this.baseline.adjust(emotions, tracks, frame.timeS);
    for (const smoother of this.#smoothers) smoother.forget(frame.timeS);
    return tracks.map((track) => this.#mood(track, [adjusted.get(track.id)!, ...read.get(track.id)!.slice(1)], frame));
  }

  #mood(track: Track, heads: readonly (readonly number[])[], frame: Frame): Mood {
    const answers = heads.map((raw, i) => this.#smoothers[i]!.update(track.id, raw, frame.timeS));
    const [emotion, ...rest] = answers as [HeadAnswer, ...HeadAnswer[]];
    const names = this.#settings.emotion.heads.slice(1).map((head) => head.name);
    return { track, emotion, others: Object.fromEntries(names.map((name, i) => [name, rest[i]!])) };
  }
}
