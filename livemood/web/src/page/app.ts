/** The page: its buttons, keys and files. */

import type { Reading } from "../protocol";
import type { Settings } from "../settings";
import { cameraId, listCameras, openCamera, stopStream } from "./camera";
import { Live } from "./live";
import { loaded } from "./media";
import { Reaction } from "./reaction";
import type { Stage } from "./stage";
import {
  NOT_READABLE_FILE,
  PLAIN_HTTP,
  STALLED,
  UNPLUGGED,
  cameraTrouble,
  readerTrouble,
} from "./trouble";

/** Larger photos are scaled down to this. */
const LARGEST_PHOTO_PX = 4096;

export class App {
  readonly live: Live;
  readonly #stage: Stage;
  readonly #video = document.createElement("video");
  readonly #reaction: Reaction;
  #stream: MediaStream | null = null;
  #lostCamera: string | null = null;
  #broken = false;

  constructor(base: URL, settings: Settings, stage: Stage) {
    this.#stage = stage;
    this.#video.playsInline = true;
    this.live = new Live(base, settings, stage, {
      onReading: (reading: Reading) => this.#reaction.hear(reading),
      onTrouble: (trouble) => this.#stage.tell(trouble),
      onFailure: (error) => this.#fail(error),
      onStalled: (stalled) => (stalled ? this.#stage.tell(STALLED) : this.calm()),
    });
    this.#reaction = new Reaction(settings, stage, this.live, {
      openCamera: () => this.#cameraVideo(null),
      closeCamera: () => this.#closeCamera(),
      home: () => this.home(),
    });
    this.live.reader.ready.then(
      () => (stage.wait.hidden = true),
      (error: unknown) => this.#fail(error),
    );
    this.#wire(settings);
  }

  calm(): void {
    if (!this.#broken) this.#stage.trouble.hidden = true;
  }

  /** Back to the start. */
  home(): void {
    this.live.close();
    this.#closeCamera();
    this.#leaveVideo();
    this.#stage.show(this.#stage.intro);
    this.#stage.start.focus();
  }

  async startCamera(id: string | null = null): Promise<void> {
    const video = await this.#cameraVideo(id);
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

  /** Open a camera in a video element of its own; if it cannot be opened, show why and return null. */
  async #cameraVideo(id: string | null): Promise<HTMLVideoElement | null> {
    this.calm();
    if (!navigator.mediaDevices) {
      this.#stage.tell(PLAIN_HTTP);
      return null;
    }
    try {
      const stream = await openCamera(id);
      this.#closeCamera();
      this.#leaveVideo();
      this.#stream = stream;
      stream.getVideoTracks()[0]?.addEventListener("ended", () => this.#unplugged(stream));
      this.#video.srcObject = stream;
      this.#video.muted = true;
      await this.#video.play();
      this.#stage.wait.hidden = this.live.reader.isReady;
      void this.#offerCameras();
      return this.#video;
    } catch (error) {
      this.#stage.tell(cameraTrouble(error));
      return null;
    }
  }

  /** Read the first of the files, or take all for the film to react to. */
  async openDropped(files: readonly File[]): Promise<void> {
    const [file] = files;
    if (!this.#stage.reaction.hidden) await this.#reaction.choose(files);
    else if (file) await this.openFile(file);
  }

  /** Read a photo or a video from the visitor's disk. */
  async openFile(file: File): Promise<void> {
    this.calm();
    this.#closeCamera();
    this.#leaveVideo();
    try {
      if (file.type.startsWith("video/")) await this.#openVideo(file);
      else await this.live.photo(await photo(file), file.name);
      this.#stage.cameras.hidden = true;
      this.#stage.show(this.#stage.stage);
    } catch {
      if (!this.#broken) this.#stage.tell(NOT_READABLE_FILE);
    }
  }

  async #openVideo(file: File): Promise<void> {
    const video = this.#video;
    video.src = URL.createObjectURL(file);
    video.muted = false;
    await loaded(video);
    await this.live.reader.ready;
    this.live.open({ name: file.name, video, timeS: (mediaS) => mediaS, isCamera: false, pausable: true });
    await video.play().catch(() => {
      // Browsers play sound only after a click on the page.
      video.muted = true;
      return video.play();
    });
  }

  #leaveVideo(): void {
    this.#video.pause();
    if (this.#video.src) URL.revokeObjectURL(this.#video.src);
    this.#video.removeAttribute("src");
    this.#video.srcObject = null;
    this.#video.load();
  }

  #closeCamera(): void {
    if (this.#stream) stopStream(this.#stream);
    this.#stream = null;
    this.#lostCamera = null;
  }

  #unplugged(stream: MediaStream): void {
    if (stream !== this.#stream) return;
    this.#lostCamera = cameraId(stream);
    this.#stage.tell(UNPLUGGED);
  }

  async #offerCameras(): Promise<void> {
    const found = await listCameras();
    const { camera, cameras } = this.#stage;
    const now = this.#stream ? cameraId(this.#stream) : "";
    camera.replaceChildren(
      ...found.map((device, i) => new Option(device.label || `camera ${i + 1}`, device.deviceId, false, device.deviceId === now)),
    );
    cameras.hidden = found.length < 2;
  }

  /** A camera was plugged in or unplugged. */
  async #devicesChanged(): Promise<void> {
    if (this.#lostCamera !== null) {
      const back = (await listCameras()).some((device) => device.deviceId === this.#lostCamera);
      if (back) await this.startCamera(this.#lostCamera);
    }
    if (this.#stream) await this.#offerCameras();
  }

  #fail(error: unknown): void {
    this.#broken = true;
    this.#stage.wait.hidden = true;
    this.#stage.tell(readerTrouble(error));
  }

  #press(key: string): boolean {
    const { stage, help, frame } = this.#stage;
    if (stage.hidden) return false;
    if (key === "f") {
      if (document.fullscreenElement) void document.exitFullscreen();
      else void frame.requestFullscreen?.();
    } else if (key === "h") {
      help.hidden = !help.hidden;
    } else if (!this.live.press(key)) {
      return false;
    }
    this.#showState();
    return true;
  }

  #showState(): void {
    const { switches, paused, pausable, recording, calibrating } = this.live;
    this.#stage.button("space")!.disabled = !pausable;
    const pressed = {
      space: paused,
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
    navigator.mediaDevices?.addEventListener("devicechange", () => void this.#devicesChanged());
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

async function photo(file: File): Promise<ImageBitmap> {
  const whole = await createImageBitmap(file, { imageOrientation: "from-image" });
  const side = Math.max(whole.width, whole.height);
  if (side <= LARGEST_PHOTO_PX) return whole;
  const scale = LARGEST_PHOTO_PX / side;
  const small = await createImageBitmap(whole, {
    resizeWidth: Math.round(whole.width * scale),
    resizeHeight: Math.round(whole.height * scale),
    resizeQuality: "high",
  });
  whole.close();
  return small;
}

function described(tag: "dt" | "dd", text: string): HTMLElement {
  const element = document.createElement(tag);
  element.textContent = text;
  return element;
}
