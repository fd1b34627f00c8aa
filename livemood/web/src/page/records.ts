/** Every face of every processed frame as JSON lines, in the schema of docs/records.md. */

import type { Stamp } from "../protocol";
import type { HeadSettings, Settings } from "../settings";
import type { Doubt, HeadAnswer, Mood } from "../values";

/** Rows per compressed pack, and the number of packs that are kept: about two hours of one face. */
const PACK = 2000;
const MOST_PACKS = 100;

/** One row, its numbers rounded as Python rounds them. */
export interface Row {
  readonly frame: number;
  readonly time_s: number;
  readonly track: number | null;
  readonly box: readonly number[] | null;
  readonly label: string | null;
  readonly confidence: number | null;
  readonly scores: Readonly<Record<string, number>>;
  readonly raw_scores: Readonly<Record<string, number>>;
  readonly keypoints: readonly (readonly [number, number])[];
  readonly event: number | null;
  readonly event_name: null;
  readonly reason: Doubt | null;
  readonly v: number;
}

/** What the records are of. */
export interface About {
  readonly name: string;
  readonly width: number;
  readonly height: number;
  /** Null for a camera. */
  readonly durationS: number | null;
}

/** The first line of a file: who made it, and of what, as `livemood/records/origin.py` writes it. */
function origin(about: About, settings: Settings): string {
  const { prior } = settings.emotion;
  const said = {
    version: settings.version,
    source: about.name,
    width: about.width,
    height: about.height,
    rate: null,
    duration_s: about.durationS === null ? null : rounded(about.durationS, 6),
    model: settings.emotion.name,
    model_sha256: settings.sha256[settings.emotion.file] ?? null,
    options: { detector: "auto", engine: "browser", ...(prior === "training" ? {} : { prior }) },
  };
  return `${JSON.stringify({ livemood: said })}\n`;
}

function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

function named(labels: readonly string[], scores: readonly number[]): Record<string, number> {
  return Object.fromEntries(labels.map((label, i) => [label, rounded(scores[i]!, 6)]));
}

function ofHead(head: HeadSettings, answer: HeadAnswer): { label: string; scores: Record<string, number> } {
  return { label: answer.label, scores: named(head.labels, answer.scores) };
}

/** Return the row of one face; `scale` is the source's px per px of the picture that was read. */
export function faceRow(stamp: Stamp, mood: Mood, settings: Settings, scale = 1): Row {
  const [emotion, ...others] = settings.emotion.heads;
  const { box, keypoints } = mood.track.detection;
  return {
    frame: stamp.index,
    time_s: rounded(stamp.timeS, 6),
    track: mood.track.id,
    box: [box.left, box.top, box.right, box.bottom].map((side) => rounded(scale * side, 2)),
    label: mood.emotion.label,
    confidence: rounded(mood.emotion.confidence, 6),
    scores: named(emotion!.labels, mood.emotion.scores),
    raw_scores: named(emotion!.labels, mood.emotion.rawScores),
    keypoints: keypoints.map(([x, y]) => [rounded(scale * x, 2), rounded(scale * y, 2)] as const),
    event: null,
    event_name: null,
    reason: mood.reason,
    ...Object.fromEntries(others.map((head) => [head.name, ofHead(head, mood.others[head.name]!)])),
    v: settings.records_version,
  };
}

/** Rows by a number, such as their person's, each group in the order of the rows. */
export function grouped(rows: readonly Row[], key: (row: Row) => number): ReadonlyMap<number, readonly Row[]> {
  const groups = new Map<number, Row[]>();
  for (const row of rows) {
    const group = groups.get(key(row));
    if (group) group.push(row);
    else groups.set(key(row), [row]);
  }
  return groups;
}

export class Records {
  readonly #settings: Settings;
  #packs: Blob[] = [];
  #rows: string[] = [];
  #events = 0;
  count = 0;

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  clear(): void {
    this.#packs = [];
    this.#rows = [];
    this.#events = 0;
    this.count = 0;
  }

  /** Add one row for each face of a frame; `scale` as in `faceRow`. */
  add(stamp: Stamp, moods: readonly Mood[], scale: number): void {
    for (const mood of moods) this.#keep(faceRow(stamp, mood, this.#settings, scale));
  }

  /** Add a row for an event at a frame; return its number. */
  mark(stamp: Stamp): number {
    this.#events += 1;
    this.#keep({
      frame: stamp.index,
      time_s: rounded(stamp.timeS, 6),
      track: null,
      box: null,
      label: null,
      confidence: null,
      scores: {},
      raw_scores: {},
      keypoints: [],
      event: this.#events,
      event_name: null,
      reason: null,
      v: this.#settings.records_version,
    });
    return this.#events;
  }

  /** Return all rows as a file. */
  file(about: About): Blob {
    const parts = [origin(about, this.#settings), ...this.#packs, this.#rows.join("")];
    return new Blob(parts, { type: "application/jsonl" });
  }

  #keep(row: Row): void {
    this.#rows.push(`${JSON.stringify(row)}\n`);
    this.count += 1;
    if (this.#rows.length < PACK) return;
    this.#packs.push(new Blob([this.#rows.join("")]));
    this.#rows = [];
    if (this.#packs.length > MOST_PACKS) this.#packs.shift();
  }
}
