/** Turns the pictures of a video element into frames with times. */

import type { Stamp } from "../protocol";

export interface Tick {
  readonly stamp: Stamp;
  readonly bitmap: ImageBitmap;
  /** Time of capture on the page's clock. */
  readonly takenMs: number;
}

export class Ticker {
  readonly #video: HTMLVideoElement;
  readonly #onTick: (tick: Tick) => void;
  readonly #timeS: (mediaS: number, nowMs: number) => number;
  #stopped = false;
  #index = 0;
  #presented: number | null = null;
  /** Time of the newest frame. */
  latestS = -Infinity;
  /** When the video showed its newest picture, on the page's clock, whether its time was a new one or not. */
  shownMs: number;

  /**
   * @param timeS Returns a frame's time, given the element's own and the page's clock.
   * @param onTick Called with each frame; the callee closes its bitmap.
   */
  constructor(
    video: HTMLVideoElement,
    timeS: (mediaS: number, nowMs: number) => number,
    onTick: (tick: Tick) => void,
  ) {
    this.#video = video;
    this.#timeS = timeS;
    this.#onTick = onTick;
    this.shownMs = performance.now();
    this.#wait();
  }

  stop(): void {
    this.#stopped = true;
  }

  #wait(): void {
    this.#video.requestVideoFrameCallback((nowMs, frame) => void this.#take(nowMs, frame));
  }

  async #take(nowMs: number, frame: VideoFrameCallbackMetadata): Promise<void> {
    if (this.#stopped) return;
    this.#wait();
    this.shownMs = nowMs;
    // The browser counts anew when a camera comes back.
    if (this.#presented !== null) this.#index += Math.max(frame.presentedFrames - this.#presented, 1);
    this.#presented = frame.presentedFrames;
    const timeS = this.#timeS(frame.mediaTime, nowMs);
    if (timeS <= this.latestS) return;
    this.latestS = timeS;
    const index = this.#index;
    const bitmap = await createImageBitmap(this.#video).catch(() => null);
    if (!bitmap) return;
    if (this.#stopped) bitmap.close();
    else this.#onTick({ stamp: { index, timeS }, bitmap, takenMs: nowMs });
  }
}
