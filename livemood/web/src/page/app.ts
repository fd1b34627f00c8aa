/** The page: its buttons, keys and files. */

import type { Reading } from "../protocol";
import type { Settings } from "../settings";
import { Camera, listCameras } from "./camera";
import { Live } from "./live";
import { openPhoto } from "./photo";
import { Reaction } from "./reaction";
import { Requests } from "./requests";
import type { Stage } from "./stage";
import { PLAIN_HTTP, STALLED, type Trouble, cameraTrouble, damaged, readerTrouble, unreadable } from "./trouble";
import { closeVideo, isVideo, openVideo, playAloud } from "./video";

export class App {
  readonly live: Live;
  readonly #stage: Stage;
  readonly #reaction: Reaction;
  readonly #requests = new Requests();
  #camera: Camera | null = null;
  #video: HTMLVideoElement | null = null;
  #broken = false;

  constructor(base: URL, settings: Settings, stage: Stage) {
    this.#stage = stage;
    this.live = new Live(base, settings, stage, {
      onReading: (reading: Reading) => this.#reaction.hear(reading),
      onTrouble: (trouble) => this.#tell(trouble),
      onFailure: (error) => this.#fail(error),
      onStalled: (stalled) => {
        if (!this.#camera?.lost) this.#tell(stalled ? STALLED : null);
      },
    });
    this.#reaction = new Reaction(settings, stage, this.live, {
      requests: this.#requests,
      openCamera: (signal) => this.#openCamera(null, signal),
      close: () => this.#close(),
      tell: (trouble) => this.#tell(trouble),
      home: () => this.home(),
    });
    this.live.reader.ready.then(
      () => (stage.wait.hidden = true),
      (error: unknown) => this.#fail(error),
    );
    this.#wire(settings);
  }

  /** Back to the start. */
  home(): void {
    this.#requests.begin();
    this.#close();
    this.#tell(null);
    this.#stage.show(this.#stage.intro, this.#stage.start);
  }

  /** Show a camera, the browser's first choice if none is named. */
  async startCamera(id: string | null = null): Promise<void> {
    const video = await this.#openCamera(id, this.#requests.begin());
    if (!video) return;
    const beganMs = performance.now();
    this.live.open({
      name: "camera",
      video,
      timeS: (_, nowMs) => Math.max(nowMs - beganMs, 0) / 1000,
      isCamera: true,
      pausable: true,
    });
    this.#stage.show(this.#stage.stage);
  }

  /** Open a camera in place of what is open. If it cannot be opened, show why and return null. */
  async #openCamera(id: string | null, signal: AbortSignal): Promise<HTMLVideoElement | null> {
    if (this.#broken) return null;
    this.#tell(null);
    if (!navigator.mediaDevices) {
      this.#tell(PLAIN_HTTP);
      return null;
    }
    try {
      const camera = await Camera.open(id, signal, (trouble) => this.#tell(trouble));
      const { cameras } = this.#stage;
      const { hidden } = cameras;
      this.#close();
      this.#camera = camera;
      cameras.hidden = hidden; // one in which another was chosen keeps the focus
      void this.#offerCameras();
      return camera.video;
    } catch (error) {
      if (!signal.aborted) this.#tell(cameraTrouble(error));
      void this.#offerCameras(); // the chosen one is not the one that is on
      return null;
    }
  }

  /** Read the first of the files, or take all for the film to react to. */
  async openDropped(files: readonly File[]): Promise<void> {
    const [file] = files;
    if (this.#reaction.running) {
      this.live.say("press Stop before you open another file");
    } else if (!this.#stage.reaction.hidden) {
      await this.#reaction.choose(files);
    } else if (file) {
      const isOpen = await this.openFile(file);
      if (isOpen && files.length > 1) this.live.say(`only the first of ${files.length} files is opened: ${file.name}`);
    }
  }

  /**
   * Read a photo or a video from the visitor's disk, and return whether it was opened. What is open stays until the file
   * turns out to be good.
   */
  async openFile(file: File): Promise<boolean> {
    if (this.#broken) return false;
    const signal = this.#requests.begin();
    this.#tell(null);
    try {
      if (await isVideo(file)) await this.#openVideo(file, signal);
      else await this.#openPhoto(file, signal);
    } catch {
      if (!signal.aborted) this.#tell(unreadable(file.name));
      return false;
    }
    return !signal.aborted;
  }

  async #openPhoto(file: File, signal: AbortSignal): Promise<void> {
    const { bitmap, width, height } = await openPhoto(file);
    if (signal.aborted) return bitmap.close();
    this.#close();
    this.live.photo(bitmap, { name: file.name, width, height, durationS: null });
    this.#stage.show(this.#stage.stage);
  }

  async #openVideo(file: File, signal: AbortSignal): Promise<void> {
    const video = await openVideo(file);
    if (signal.aborted) return closeVideo(video);
    this.#close();
    this.#video = video;
    video.addEventListener("error", () => {
      if (video === this.#video) this.#tell(damaged("video", video.currentTime));
    });
    this.live.open({ name: file.name, video, timeS: (mediaS) => mediaS, isCamera: false, pausable: true });
    this.#stage.show(this.#stage.stage);
    await this.live.reader.ready;
    if (video === this.#video && !this.live.paused) await playAloud(video);
  }

  /** Close whatever gives pictures. */
  #close(): void {
    this.live.close();
    this.#camera?.close();
    if (this.#video) closeVideo(this.#video);
    this.#camera = this.#video = null;
    this.#stage.cameras.hidden = true;
    this.#stage.screen.replaceChildren();
  }

  async #offerCameras(): Promise<void> {
    const found = await listCameras();
    const { camera, cameras } = this.#stage;
    camera.replaceChildren(
      ...found.map(({ label, deviceId }, i) => {
        return new Option(label || `camera ${i + 1}`, deviceId, false, deviceId === this.#camera?.id);
      }),
    );
    cameras.hidden = found.length < 2 || !this.#camera || this.#reaction.running;
  }

  /** Show an error; null hides the one that was shown, unless the networks have failed. */
  #tell(trouble: Trouble | null): void {
    if (!this.#broken) this.#stage.tell(trouble);
  }

  /** The networks cannot go on: what was read can still be saved. */
  #fail(error: unknown): void {
    if (this.#broken) return;
    this.#requests.begin();
    this.#tell(readerTrouble(error));
    this.#broken = true;
    this.#stage.wait.hidden = true;
    this.#stage.enable(false);
    if (!this.live.reader.isReady) this.home();
    this.#camera?.close();
    this.#reaction.finish();
  }

  #press(key: string): boolean {
    const { stage, help, frame } = this.#stage;
    if (stage.hidden) return false;
    if (key === "f") {
      if (!document.fullscreenEnabled) return false; // on phones that show only videos so, or in a frame
      if (document.fullscreenElement) void document.exitFullscreen();
      else void frame.requestFullscreen();
    } else if (key === "h") {
      help.hidden = !help.hidden;
    } else if (key === "space" && this.#reaction.held) {
      this.#reaction.resume();
    } else if (!this.live.press(key)) {
      return false;
    }
    this.#showState();
    return true;
  }

  #showState(): void {
    const { switches, paused, pausable, recording, calibrating } = this.live;
    this.#stage.button("space")!.disabled = !pausable && !this.#reaction.held;
    const pressed = {
      space: paused || this.#reaction.held,
      m: switches.mirror,
      p: switches.panel,
      i: switches.ids,
      b: switches.blur,
      t: switches.sparklines,
      c: calibrating,
      f: document.fullscreenElement !== null,
      r: recording,
      h: !this.#stage.help.hidden,
    };
    for (const [key, on] of Object.entries(pressed)) this.#stage.press(key, on);
  }

  #wire(settings: Settings): void {
    const stage = this.#stage;
    stage.keys.replaceChildren(
      ...settings.keys.flatMap(([key, what]) => [described("dt", key), described("dd", what)]),
    );
    stage.start.addEventListener("click", () => void this.startCamera());
    stage.stop.addEventListener("click", () => (this.#reaction.running ? this.#reaction.finish() : this.home()));
    stage.records.addEventListener("click", () => this.live.saveRecords());
    stage.camera.addEventListener("change", () => void this.startCamera(stage.camera.value));
    stage.openFile.addEventListener("change", () => {
      const [file] = stage.openFile.files ?? [];
      if (file) void this.openFile(file);
      stage.openFile.value = "";
    });
    for (const button of stage.tools.querySelectorAll<HTMLButtonElement>("[data-key]")) {
      button.addEventListener("click", () => this.#press(button.dataset["key"]!));
    }
    document.addEventListener("keydown", (event) => this.#key(event));
    document.addEventListener("fullscreenchange", () => this.#showState());
    setInterval(() => this.#showState(), 500);
    navigator.mediaDevices?.addEventListener("devicechange", () => void this.#offerCameras());
    stage.button("f")!.disabled = !document.fullscreenEnabled;
    stage.enable(true);
  }

  #key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
    const target = event.target as HTMLElement;
    if (target instanceof HTMLSelectElement || target instanceof HTMLInputElement) return;
    const key = event.key === " " ? "space" : event.key.toLowerCase();
    // Space on a button presses that button.
    if (key === "space" && (target instanceof HTMLButtonElement || target instanceof HTMLAnchorElement)) return;
    if (this.#press(key)) event.preventDefault();
  }
}

function described(tag: "dt" | "dd", text: string): HTMLElement {
  const element = document.createElement(tag);
  element.textContent = text;
  return element;
}
