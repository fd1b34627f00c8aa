/** Reaction mode: a film plays while the visitor's face is read; the records are on the film's clock. */

import type { Reading } from "../protocol";
import type { Settings } from "../settings";
import { save } from "./files";
import type { Live } from "./live";
import { type Media, UnreadableFile, openMedia } from "./media";
import { type Row, faceRow } from "./records";
import { type Result, figures, gathered, reportPage } from "./report";
import type { Requests } from "./requests";
import type { Stage } from "./stage";
import { chartStyle } from "./timeline";
import { FILM_HELD, type Trouble, damaged, unreadable } from "./trouble";

export interface Surroundings {
  readonly requests: Requests;
  /** Returns null if none can be opened, in which case the error is shown, or if another request has begun. */
  openCamera(signal: AbortSignal): Promise<HTMLVideoElement | null>;
  /** Close whatever gives pictures. */
  close(): void;
  tell(trouble: Trouble | null): void;
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
  /** Whether something else than the page has paused the film. */
  held = false;

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
    stage.film.addEventListener("change", () => {
      const files = [...(stage.film.files ?? [])];
      stage.film.value = "";
      void this.choose(files);
    });
    stage.saveRecords.addEventListener("click", () => this.#saveRecords());
    stage.saveReport.addEventListener("click", () => this.#saveReport());
  }

  /** Open the film or the pictures that the visitor chose. */
  async choose(files: readonly File[]): Promise<void> {
    if (files.length === 0) return;
    const signal = this.#around.requests.begin();
    this.#around.tell(null);
    this.#forgetMedia();
    const { chosen, play } = this.#stage;
    try {
      const media = await openMedia(files);
      if (signal.aborted) return media.close();
      this.#media = media;
      const others = files.length - media.files;
      const left = others > 0 ? `; ${others} more ${others === 1 ? "file is" : "files are"} left out` : "";
      const said = `${media.name}, ${Math.round(media.durationS)} s${left}`;
      if (!this.#live.reader.isReady) chosen.textContent = `${said}. Loading the networks …`;
      await this.#live.reader.ready;
      if (signal.aborted) return;
      chosen.textContent = said;
      play.disabled = false;
      play.focus();
    } catch (error) {
      if (!signal.aborted && error instanceof UnreadableFile) this.#around.tell(unreadable(error.message));
    }
  }

  /** Add a frame that was processed while the film plays. */
  hear(reading: Reading): void {
    if (!this.running) return;
    for (const mood of reading.moods) this.#rows.push(faceRow(reading.stamp, mood, this.#settings));
  }

  /** Go on with a film that something else has paused. */
  resume(): void {
    this.#media?.resume();
  }

  /** End the film early. */
  finish(): void {
    this.#media?.stop();
  }

  #offer(): void {
    this.#around.requests.begin();
    this.#around.tell(null);
    this.#stage.show(this.#stage.reaction, this.#stage.film);
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
    const media = this.#media!;
    const signal = this.#around.requests.begin();
    const video = await this.#around.openCamera(signal);
    if (!video) return;
    const { stage, screen } = this.#stage;
    this.#rows = [];
    screen.replaceChildren(media.element);
    this.#stage.show(stage);
    this.#live.open({ name: "camera", video, timeS: () => media.nowS(), isCamera: true, pausable: false });
    this.running = true;
    try {
      await media.play((held) => {
        this.held = held;
        this.#around.tell(held ? FILM_HELD : null);
      });
    } catch {
      this.#around.tell(damaged("film", media.nowS()));
    }
    if (this.held) this.#around.tell(null);
    this.running = this.held = false;
    this.#records = this.#live.recordsFile();
    this.#around.close();
    // A request of its own: if the networks have failed, the one that played the film is aborted.
    await this.#show(media, this.#around.requests.begin());
  }

  async #show(media: Media, signal: AbortSignal): Promise<void> {
    const { result, timeline, saved, saveReport } = this.#stage;
    saved.textContent = "";
    timeline.textContent = "Gathering the moments …";
    saveReport.disabled = true;
    this.#stage.show(result);
    try {
      this.#result = await gathered(this.#rows, media, this.#settings, signal);
    } catch (error) {
      if (signal.aborted) return;
      throw error;
    }
    timeline.innerHTML = figures(this.#result, this.#settings);
    saveReport.disabled = false;
    saveReport.focus();
  }

  #saveRecords(): void {
    if (this.#records) this.#save(this.#records, "jsonl");
  }

  #saveReport(): void {
    if (this.#result) this.#save(new Blob([reportPage(this.#result, this.#settings)], { type: "text/html" }), "html");
  }

  #save(file: Blob, suffix: string): void {
    this.#stage.saved.textContent = `saved ${save(file, suffix)}`;
  }
}
