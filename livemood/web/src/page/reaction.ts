/** Reaction mode: a film plays while the visitor's face is read; the records are on the film's clock. */

import type { Reading } from "../protocol";
import type { Settings } from "../settings";
import { save } from "./files";
import type { Live } from "./live";
import { type Media, openMedia } from "./media";
import { type Row, faceRow } from "./records";
import { type Result, figures, gathered, reportPage } from "./report";
import type { Stage } from "./stage";
import { chartStyle } from "./timeline";
import { NOT_READABLE_FILE } from "./trouble";

export interface Surroundings {
  openCamera(): Promise<HTMLVideoElement | null>;
  closeCamera(): void;
  home(): void;
}

export class Reaction {
  readonly #settings: Settings;
  readonly #stage: Stage;
  readonly #live: Live;
  readonly #around: Surroundings;
  #media: Media | null = null;
  #rows: Row[] = [];
  #records: Blob | null = null;
  #result: Result | null = null;
  running = false;

  constructor(settings: Settings, stage: Stage, live: Live, around: Surroundings) {
    this.#settings = settings;
    this.#stage = stage;
    this.#live = live;
    this.#around = around;
    const style = new CSSStyleSheet();
    style.replaceSync(chartStyle(settings));
    document.adoptedStyleSheets.push(style);
    stage.react.addEventListener("click", () => this.#offer());
    stage.again.addEventListener("click", () => this.#offer());
    stage.leave.addEventListener("click", () => this.#leave());
    stage.play.addEventListener("click", () => void this.#run());
    stage.film.addEventListener("change", () => void this.choose([...(stage.film.files ?? [])]));
    stage.saveRecords.addEventListener("click", () => this.#saveRecords());
    stage.saveReport.addEventListener("click", () => this.#saveReport());
  }

  /** Open the film or the pictures that the visitor chose. */
  async choose(files: readonly File[]): Promise<void> {
    if (files.length === 0) return;
    this.#forgetMedia();
    try {
      this.#media = await openMedia(files, this.#stage.screen, this.#stage.slide);
    } catch {
      this.#stage.tell(NOT_READABLE_FILE);
      return;
    } finally {
      this.#stage.film.value = "";
    }
    this.#stage.chosen.textContent = `${this.#media.name}, ${Math.round(this.#media.durationS)} s`;
    this.#stage.play.disabled = false;
    this.#stage.play.focus();
  }

  /** Add a frame that was processed while the film plays. */
  hear(reading: Reading): void {
    if (!this.running) return;
    for (const mood of reading.moods) this.#rows.push(faceRow(reading.stamp, mood, this.#settings));
  }

  /** End the film early. */
  finish(): void {
    this.#media?.stop();
  }

  #offer(): void {
    this.#stage.show(this.#stage.reaction);
    this.#stage.film.focus();
  }

  #leave(): void {
    this.#forgetMedia();
    this.#around.home();
  }

  #forgetMedia(): void {
    this.#media?.close();
    this.#media = null;
    this.#result = null;
    this.#stage.play.disabled = true;
    this.#stage.chosen.textContent = "Nothing chosen yet.";
  }

  async #run(): Promise<void> {
    const media = this.#media;
    const video = media && (await this.#around.openCamera());
    if (!media || !video) return;
    await this.#live.reader.ready;
    const { stage, frame } = this.#stage;
    this.#rows = [];
    frame.classList.add("reacting");
    this.#stage.show(stage);
    this.#live.open({ name: "camera", video, timeS: () => media.nowS(), isCamera: true, pausable: false });
    this.running = true;
    try {
      await media.play();
    } catch {
      this.#stage.tell(NOT_READABLE_FILE);
    }
    this.running = false;
    this.#records = this.#live.recordsFile();
    this.#live.close();
    this.#around.closeCamera();
    frame.classList.remove("reacting");
    await this.#show(media);
  }

  async #show(media: Media): Promise<void> {
    this.#stage.show(this.#stage.result);
    this.#stage.timeline.textContent = "Gathering the moments …";
    this.#result = await gathered(this.#rows, media, this.#settings);
    this.#stage.screen.hidden = this.#stage.slide.hidden = true;
    this.#stage.timeline.innerHTML = figures(this.#result, this.#settings);
    this.#stage.saveReport.focus();
  }

  #saveRecords(): void {
    if (this.#records) save(this.#records, "jsonl");
  }

  #saveReport(): void {
    if (this.#result) save(new Blob([reportPage(this.#result, this.#settings)], { type: "text/html" }), "html");
  }
}
