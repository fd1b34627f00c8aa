/** The stimulus of a reaction: a film, or pictures one after the other. */

/** How long each picture is shown. */
const PICTURE_S = 5;
const GRABBED_WIDTH = 192;

export interface Media {
  readonly name: string;
  readonly durationS: number;
  /** Current position on its own clock. */
  nowS(): number;
  /** Play to the end, or until it is stopped. */
  play(): Promise<void>;
  stop(): void;
  /** Return its frames at these times, as data URIs. */
  grab(timesS: readonly number[]): Promise<readonly string[]>;
  close(): void;
}

/** Open the chosen files; throws if the browser cannot show them. */
export async function openMedia(
  files: readonly File[],
  screen: HTMLVideoElement,
  slide: HTMLImageElement,
): Promise<Media> {
  const [first] = files;
  if (first?.type.startsWith("video/")) return Film.open(first, screen);
  return Pictures.open(files, slide);
}

class Film implements Media {
  readonly #video: HTMLVideoElement;
  #end: (() => void) | null = null;

  private constructor(
    readonly name: string,
    video: HTMLVideoElement,
  ) {
    this.#video = video;
  }

  static async open(file: File, video: HTMLVideoElement): Promise<Film> {
    video.src = URL.createObjectURL(file);
    await loaded(video);
    return new Film(file.name, video);
  }

  get durationS(): number {
    return this.#video.duration;
  }

  nowS(): number {
    return this.#video.currentTime;
  }

  async play(): Promise<void> {
    this.#video.currentTime = 0;
    this.#video.hidden = false;
    await this.#video.play();
    await new Promise<void>((resolve) => {
      this.#end = resolve;
      this.#video.onended = () => resolve();
    });
  }

  stop(): void {
    this.#video.pause();
    this.#end?.();
  }

  async grab(timesS: readonly number[]): Promise<readonly string[]> {
    const found: string[] = [];
    for (const timeS of timesS) {
      await new Promise<void>((resolve) => {
        this.#video.onseeked = () => resolve();
        this.#video.currentTime = Math.min(timeS, Math.max(this.durationS - 0.05, 0));
      });
      found.push(small(this.#video, this.#video.videoWidth, this.#video.videoHeight));
    }
    return found;
  }

  close(): void {
    URL.revokeObjectURL(this.#video.src);
    this.#video.removeAttribute("src");
    this.#video.load();
    this.#video.hidden = true;
  }
}

class Pictures implements Media {
  readonly #slide: HTMLImageElement;
  readonly #urls: readonly string[];
  #beganMs = 0;
  #endS: number | null = 0;
  #end: (() => void) | null = null;

  private constructor(
    readonly name: string,
    urls: readonly string[],
    slide: HTMLImageElement,
  ) {
    this.#urls = urls;
    this.#slide = slide;
  }

  static async open(files: readonly File[], slide: HTMLImageElement): Promise<Pictures> {
    if (files.length === 0) throw new Error("no file");
    const urls = files.map((file) => URL.createObjectURL(file));
    const pictures = new Pictures(`${files.length} ${files.length === 1 ? "picture" : "pictures"}`, urls, slide);
    for (const url of urls) await pictures.#show(url);
    return pictures;
  }

  get durationS(): number {
    return PICTURE_S * this.#urls.length;
  }

  nowS(): number {
    return this.#endS ?? (performance.now() - this.#beganMs) / 1000;
  }

  async play(): Promise<void> {
    this.#slide.hidden = false;
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

  stop(): void {
    this.#end?.();
  }

  async grab(timesS: readonly number[]): Promise<readonly string[]> {
    const found: string[] = [];
    for (const timeS of timesS) {
      await this.#show(this.#urls[Math.min(Math.floor(timeS / PICTURE_S), this.#urls.length - 1)]!);
      found.push(small(this.#slide, this.#slide.naturalWidth, this.#slide.naturalHeight));
    }
    return found;
  }

  close(): void {
    for (const url of this.#urls) URL.revokeObjectURL(url);
    this.#slide.removeAttribute("src");
    this.#slide.hidden = true;
  }

  async #show(url: string): Promise<void> {
    this.#slide.src = url;
    await this.#slide.decode();
  }
}

/** Load a video's first frame; throws if the browser cannot. */
export function loaded(video: HTMLVideoElement): Promise<void> {
  return new Promise((resolve, reject) => {
    video.onloadeddata = () => (video.videoWidth > 0 ? resolve() : reject(new Error("no picture")));
    video.onerror = () => reject(video.error ?? new Error("no video"));
  });
}

function small(source: CanvasImageSource, width: number, height: number): string {
  const canvas = document.createElement("canvas");
  canvas.width = GRABBED_WIDTH;
  canvas.height = Math.max(1, Math.round((GRABBED_WIDTH * height) / width));
  canvas.getContext("2d")!.drawImage(source, 0, 0, canvas.width, canvas.height);
  return canvas.toDataURL("image/jpeg", 0.8);
}
