/** The live loop: process the pictures of one source, draw them with labels, and record them on request. */

import type { Calibration, Reading } from "../protocol";
import { type Settings, emotionLabels } from "../settings";
import { Announcer } from "./announcer";
import { save } from "./files";
import { History } from "./history";
import { Meter } from "./meter";
import type { Size } from "./placement";
import { Playout, type Shown } from "./playout";
import { Reader } from "./reader";
import { Recorder } from "./recorder";
import { type About, Records } from "./records";
import { type Tick, Ticker } from "./ticker";
import { NO_RECORDER, RECORDING_ENDED, type Trouble } from "./trouble";
import { playAloud, rewind } from "./video";
import { type Switches, View } from "./view";

const NOTICE_MS = 3000;
/** A camera without a new picture for this long is reported as stalled. */
const STALLED_MS = 3000;
/** Interval at which a still picture is redrawn and the status line is updated. */
const REDRAW_MS = 200;
/** If a smaller share of the pictures is processed, the status line reports it. */
const SLOW_SHARE = 0.9;
/** If no picture came in this much of a video's end, the status line reports it. */
const MISSING_END_S = 1;

export interface Source {
  /** Its name in records. */
  readonly name: string;
  readonly video: HTMLVideoElement;
  /** Returns a frame's time, given the video's own and the page's clock. */
  readonly timeS: (mediaS: number, nowMs: number) => number;
  readonly isCamera: boolean;
  readonly pausable: boolean;
}

export interface Places {
  readonly canvas: HTMLCanvasElement;
  readonly status: HTMLElement;
  readonly notice: HTMLElement;
  readonly said: HTMLElement;
}

export interface Listener {
  onReading?(reading: Reading): void;
  onTrouble(trouble: Trouble): void;
  onFailure(error: unknown): void;
  /** The camera has stalled, or has recovered. */
  onStalled(stalled: boolean): void;
}

export class Live {
  readonly switches: Switches = { mirror: false, panel: false, ids: true, blur: false, sparklines: false };
  readonly meter = new Meter();
  readonly reader: Reader;
  readonly #settings: Settings;
  readonly #places: Places;
  readonly #listener: Listener;
  readonly #view: View;
  readonly #playout: Playout;
  readonly #history: History;
  readonly #records: Records;
  #photo: About | null = null;
  readonly #announcer: Announcer;
  readonly #recorder = new Recorder();
  #source: Source | null = null;
  #ticker: Ticker | null = null;
  /** Aborted when the source is closed. */
  #opened: AbortController | null = null;
  #current: Shown | null = null;
  /** Size of the pictures that were read: a camera that is off has none. */
  #readPx: Size | null = null;
  #calibration: Calibration = { possible: true, remainingS: 0, calibrated: [] };
  #noticeUntilMs = 0;
  #drawnMs = 0;
  /** When the page could be seen again: a hidden one is given no pictures. */
  #visibleMs = 0;
  #stalled = false;
  paused = false;

  constructor(base: URL, settings: Settings, places: Places, listener: Listener) {
    this.#settings = settings;
    this.#places = places;
    this.#listener = listener;
    this.reader = new Reader(base, settings);
    this.#view = new View(places.canvas, settings);
    this.#history = new History(settings);
    this.#records = new Records(settings);
    this.#announcer = new Announcer(places.said);
    this.#playout = new Playout(this.reader, (reading, tookMs) => this.#keep(reading, tookMs), listener.onFailure);
    const draw = (nowMs: number): void => {
      requestAnimationFrame(draw);
      this.#draw(nowMs);
    };
    requestAnimationFrame(draw);
    document.addEventListener("visibilitychange", () => (this.#visibleMs = performance.now()));
  }

  get recording(): boolean {
    return this.#recorder.recording;
  }

  get pausable(): boolean {
    return this.#source?.pausable ?? false;
  }

  get calibrating(): boolean {
    return this.#calibration.remainingS > 0 || this.#calibration.calibrated.length > 0;
  }

  /** The frame on the screen. */
  get shown(): Shown | null {
    return this.#current;
  }

  get faces(): number {
    return this.#current?.moods.length ?? 0;
  }

  /** Start processing a source; a video begins at its first picture. */
  open(source: Source): void {
    this.close();
    this.#source = source;
    this.switches.mirror = source.isCamera;
    this.#ticker = new Ticker(source.video, source.timeS, (tick) => this.#take(tick));
    if (source.isCamera) return;
    rewind(source.video);
    // A media key or the system may pause it too.
    const { signal } = (this.#opened = new AbortController());
    source.video.addEventListener("pause", () => (this.paused = !this.#ended), { signal });
    source.video.addEventListener("play", () => (this.paused = false), { signal });
  }

  /** Process a photo, and show it until another source is opened; the bitmap may be smaller than the photo. */
  photo(bitmap: ImageBitmap, about: About): void {
    this.close();
    this.#photo = about;
    this.switches.mirror = false;
    this.#playout.push({ index: 0, timeS: 0 }, bitmap, performance.now());
  }

  /** Stop processing the source. */
  close(): void {
    if (this.recording) this.#recorder.stop();
    this.#opened?.abort();
    this.#ticker?.stop();
    this.#ticker = null;
    this.#source = this.#photo = null;
    this.#playout.clear();
    this.#history.clear();
    this.#records.clear();
    this.#announcer.clear();
    this.meter.clear();
    this.reader.reset();
    this.#calibration = { ...this.#calibration, remainingS: 0, calibrated: [] };
    this.#current?.bitmap.close();
    this.#current = this.#readPx = null;
    this.#setStalled(false);
    this.paused = false;
  }

  /** Handle a key; return false if it has no function here. */
  press(key: string): boolean {
    const { switches } = this;
    if (key === "m") switches.mirror = !switches.mirror;
    else if (key === "p") switches.panel = !switches.panel;
    else if (key === "i") switches.ids = !switches.ids;
    else if (key === "b") switches.blur = !switches.blur;
    else if (key === "t") switches.sparklines = !switches.sparklines;
    else if (key === "space" && this.#source?.pausable) this.#pause();
    else if (key === "c") this.#calibrate();
    else if (key === "s") void this.#snapshot();
    else if (key === "r") this.#record();
    else if (key === "e") this.#mark();
    else return false;
    this.#drawnMs = 0;
    return true;
  }

  /** Save the records so far. */
  saveRecords(): void {
    if (this.#records.count === 0) this.say("no face was seen yet, so there are no records");
    else this.say(`saved ${save(this.recordsFile(), "jsonl")}`);
  }

  /** The records of this source so far. */
  recordsFile(): Blob {
    return this.#records.file(this.#about());
  }

  #about(): About {
    if (!this.#source) return this.#photo ?? { name: "photo", width: 0, height: 0, durationS: null };
    const { name, video, isCamera } = this.#source;
    const durationS = isCamera || !Number.isFinite(video.duration) ? null : video.duration;
    const { width, height } = this.#readPx ?? { width: video.videoWidth, height: video.videoHeight };
    return { name, width, height, durationS };
  }

  /** Show a notice for three seconds. */
  say(notice: string): void {
    this.#places.notice.textContent = notice;
    this.#noticeUntilMs = performance.now() + NOTICE_MS;
  }

  #take({ stamp, bitmap, takenMs }: Tick): void {
    if (this.paused) {
      bitmap.close();
      return;
    }
    this.meter.came(takenMs);
    this.#playout.push(stamp, bitmap, takenMs);
  }

  #keep(reading: Reading, tookMs: number): void {
    const nowMs = performance.now();
    this.meter.read(nowMs, tookMs);
    this.#calibration = reading.calibration;
    this.#history.add(reading.moods, reading.stamp.timeS);
    const { width, height } = reading.bitmap;
    this.#readPx = { width, height };
    const scale = this.#photo ? this.#photo.width / width : 1;
    this.#records.add(reading.stamp, reading.moods, scale);
    this.#announcer.hear(reading.moods);
    if (reading.moods.length > 0) this.meter.firstLabelMs ??= nowMs;
    this.#listener.onReading?.(reading);
  }

  #draw(nowMs: number): void {
    const shown = this.#playout.take(nowMs);
    if (shown) {
      this.#current?.bitmap.close();
      this.#current = shown;
      this.meter.drawn(nowMs);
      this.#recorder.add(shown, this.#view, this.switches);
    }
    const still = nowMs - this.#drawnMs > REDRAW_MS;
    if (!shown && !still) return;
    if (still) {
      this.#drawnMs = nowMs;
      this.#watch(nowMs);
      this.#places.status.textContent = this.#lines().join("  ·  ");
      if (nowMs >= this.#noticeUntilMs) this.#places.notice.textContent = "";
    }
    if (!this.#current) return;
    const notice = this.#places.notice.textContent;
    const lines = document.fullscreenElement ? [...this.#lines(), ...(notice ? [notice] : [])] : [];
    this.#view.show(this.#current, this.switches, this.#history, lines, this.recording);
  }

  #watch(nowMs: number): void {
    if (!this.#source?.isCamera || document.hidden) return;
    this.#setStalled(nowMs - Math.max(this.#ticker!.shownMs, this.#visibleMs) > STALLED_MS);
  }

  #setStalled(stalled: boolean): void {
    if (stalled !== this.#stalled) this.#listener.onStalled(stalled);
    this.#stalled = stalled;
  }

  #lines(): string[] {
    if (!this.#source && !this.#current) return [];
    const lines: string[] = [];
    const { cameFps, readFps, drawnFps } = this.meter;
    if (this.#ended) lines.push(this.#ending());
    else if (this.#source) lines.push(this.paused ? "paused" : `${drawnFps.toFixed(0)} fps`);
    lines.push(this.faces === 1 ? "1 face" : `${this.faces} faces`);
    if (!this.paused && !this.#ended && readFps > 0 && readFps < SLOW_SHARE * cameFps) {
      lines.push(`slow: ${readFps.toFixed(0)} of ${cameFps.toFixed(0)} pictures a second are read`);
    }
    const { remainingS, calibrated } = this.#calibration;
    if (remainingS > 0) lines.push(`calibrating: keep a resting face for ${remainingS.toFixed(0)} s`);
    else if (calibrated.length > 0) lines.push(`calibrated to ${calibrated.map((id) => `#${id}`).join(", ")}`);
    if (this.recording) lines.push("recording");
    return lines;
  }

  get #ended(): boolean {
    if (!this.#source || this.#source.isCamera) return false;
    const { video } = this.#source;
    return video.ended || video.error !== null;
  }

  #ending(): string {
    const { duration } = this.#source!.video;
    const latestS = Math.max(this.#ticker!.latestS, 0);
    if (duration - latestS < MISSING_END_S) return "ended";
    return `ended: the last picture came at ${latestS.toFixed(1)} of ${duration.toFixed(1)} s`;
  }

  /** Pause or go on; a video that has ended plays again. */
  #pause(): void {
    if (this.#ended) this.open(this.#source!);
    else this.paused = !this.paused;
    const video = this.#source?.isCamera ? null : this.#source?.video;
    if (this.paused) video?.pause();
    else if (video) void playAloud(video);
  }

  #calibrate(): void {
    if (!emotionLabels(this.#settings).includes("neutral")) {
      this.say("cannot calibrate: neutral is not among the emotions");
      return;
    }
    if (!this.#source) {
      this.say("cannot calibrate: a resting face is learned from a camera or a video");
      return;
    }
    if (this.calibrating) this.say("calibration off");
    this.reader.calibrate();
  }

  async #snapshot(): Promise<void> {
    if (!this.#current) return;
    const canvas = new OffscreenCanvas(1, 1);
    this.#view.copy(this.#current, canvas, this.switches);
    this.say(`saved ${save(await canvas.convertToBlob({ type: "image/png" }), "png")}`);
  }

  #record(): void {
    if (this.recording) {
      this.#recorder.stop();
    } else if (this.#current) {
      const ended = (name: string | null, broken: boolean): void => {
        if (name !== null) this.say(`saved ${name}`);
        if (broken) this.#listener.onTrouble(RECORDING_ENDED);
      };
      if (!this.#recorder.start(this.#current, this.#view, this.switches, ended)) {
        this.#listener.onTrouble(NO_RECORDER);
      }
    }
  }

  #mark(): void {
    if (!this.#current) return;
    const { stamp } = this.#current;
    this.say(`event ${this.#records.mark(stamp)} marked at ${stamp.timeS.toFixed(1)} s`);
  }
}
