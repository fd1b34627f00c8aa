/** The stimulus of a reaction: a film, or pictures one after the other. */

import { closeVideo, happened, isVideo, openVideo, playAloud, rewind } from "./video";

/** How long each picture is shown. */
const PICTURE_S = 5;
const GRABBED_WIDTH = 192;

export interface Media {
  readonly name: string;
  readonly durationS: number;
  /** Number of the chosen files that it shows. */
  readonly files: number;
  /** What the visitor looks at. */
  readonly element: HTMLElement;
  /** Current position on its own clock. */
  nowS(): number;
  /**
   * Play to the end, or until it is stopped; throws if it is damaged.
   *
   * @param onHeld Called when something else than the page pauses it, and when it goes on.
   */
  play(onHeld: (held: boolean) => void): Promise<void>;
  /** Go on after something else has paused it. */
  resume(): void;
  stop(): void;
  /** Return its frames at these ascending times as data URIs; null for those that cannot be shown. */
  grab(timesS: readonly number[], signal: AbortSignal): Promise<readonly (string | null)[]>;
  close(): void;
}

/** A file that the browser cannot show. */
export class UnreadableFile extends Error {}

/**
 * Open the first film of the chosen files, or all of them as pictures. Throws an UnreadableFile with the name of the
 * first one that the browser cannot show.
 */
export async function openMedia(files: readonly File[]): Promise<Media> {
  for (const file of files) {
    if (await isVideo(file)) return new Film(file.name, await orUnreadable(openVideo(file), file));
  }
  return Pictures.open(files);
}

function orUnreadable<T>(opening: Promise<T>, file: File): Promise<T> {
  return opening.catch(() => {
    throw new UnreadableFile(file.name);
  });
}

class Film implements Media {
  readonly files = 1;
  #end: (() => void) | null = null;
  /** The earliest time that could not be shown. */
  #damagedS = Infinity;

  constructor(
    readonly name: string,
    readonly element: HTMLVideoElement,
  ) {}

  get durationS(): number {
    return this.element.duration;
  }

  nowS(): number {
    return this.element.currentTime;
  }

  async play(onHeld: (held: boolean) => void): Promise<void> {
    const stopped = new Promise<void>((resolve) => (this.#end = resolve));
    const over = new AbortController();
    let held = false;
    const hold = (now: boolean): void => {
      if (now !== held && !this.element.ended) onHeld((held = now));
    };
    this.element.addEventListener("pause", () => hold(true), { signal: over.signal });
    this.element.addEventListener("play", () => hold(false), { signal: over.signal });
    try {
      rewind(this.element);
      const ended = happened(this.element, "ended");
      await Promise.all([playAloud(this.element), Promise.race([ended, stopped])]);
    } catch (error) {
      this.#damagedS = this.element.currentTime;
      throw error;
    } finally {
      over.abort();
    }
  }

  resume(): void {
    void playAloud(this.element);
  }

  stop(): void {
    this.element.pause();
    this.#end?.();
  }

  async grab(timesS: readonly number[], signal: AbortSignal): Promise<readonly (string | null)[]> {
    const found: (string | null)[] = [];
    for (const timeS of timesS) {
      found.push(await this.#frameAt(Math.min(timeS, Math.max(this.durationS - 0.05, 0))));
      signal.throwIfAborted();
    }
    return found;
  }

  async #frameAt(timeS: number): Promise<string | null> {
    if (timeS >= this.#damagedS) return null;
    const video = this.element;
    try {
      if (video.error) {
        video.load();
        await happened(video, "loadeddata");
      }
      video.currentTime = timeS;
      await happened(video, "seeked");
      return small(video, video.videoWidth, video.videoHeight);
    } catch {
      this.#damagedS = timeS;
      return null;
    }
  }

  close(): void {
    closeVideo(this.element);
  }
}

class Pictures implements Media {
  readonly element = new Image();
  readonly #urls: readonly string[];
  #beganMs = 0;
  #endS: number | null = 0;
  #end: (() => void) | null = null;

  private constructor(urls: readonly string[]) {
    this.#urls = urls;
    this.element.alt = "";
  }

  static async open(files: readonly File[]): Promise<Pictures> {
    const pictures = new Pictures(files.map((file) => URL.createObjectURL(file)));
    try {
      for (const [i, url] of pictures.#urls.entries()) await orUnreadable(pictures.#show(url), files[i]!);
    } catch (error) {
      pictures.close();
      throw error;
    }
    return pictures;
  }

  get name(): string {
    return `${this.files} ${this.files === 1 ? "picture" : "pictures"}`;
  }

  get files(): number {
    return this.#urls.length;
  }

  get durationS(): number {
    return PICTURE_S * this.files;
  }

  nowS(): number {
    return this.#endS ?? (performance.now() - this.#beganMs) / 1000;
  }

  async play(): Promise<void> {
    this.#beganMs = performance.now();
    this.#endS = null;
    let stopped = false;
    const stop = new Promise<void>((resolve) => {
      this.#end = () => {
        stopped = true;
        resolve();
      };
    });
    for (const url of this.#urls) {
      if (stopped) break;
      await this.#show(url);
      await Promise.race([stop, new Promise((resolve) => setTimeout(resolve, 1000 * PICTURE_S))]);
    }
    this.#endS = Math.min(this.nowS(), this.durationS);
  }

  /** Nothing else pauses pictures. */
  resume(): void {}

  stop(): void {
    this.#end?.();
  }

  async grab(timesS: readonly number[], signal: AbortSignal): Promise<readonly string[]> {
    const found: string[] = [];
    for (const timeS of timesS) {
      await this.#show(this.#urls[Math.min(Math.floor(timeS / PICTURE_S), this.files - 1)]!);
      signal.throwIfAborted();
      found.push(small(this.element, this.element.naturalWidth, this.element.naturalHeight));
    }
    return found;
  }

  close(): void {
    for (const url of this.#urls) URL.revokeObjectURL(url);
  }

  async #show(url: string): Promise<void> {
    this.element.src = url;
    await this.element.decode();
  }
}

function small(source: CanvasImageSource, width: number, height: number): string {
  const canvas = document.createElement("canvas");
  canvas.width = GRABBED_WIDTH;
  canvas.height = Math.max(1, Math.round((GRABBED_WIDTH * height) / width));
  canvas.getContext("2d")!.drawImage(source, 0, 0, canvas.width, canvas.height);
  return canvas.toDataURL("image/jpeg", 0.8);
}
