/** The page's interface to the worker: takes one picture at a time and returns its moods. */

import { Failure } from "../failure";
import type { FromWorker, Reading, Stamp, ToWorker } from "../protocol";
import type { Settings } from "../settings";

interface Waiting<T> {
  resolve(value: T): void;
  reject(error: Error): void;
}

export class Reader {
  readonly #worker: Worker;
  /** Settles when the networks are loaded. */
  readonly ready: Promise<void>;
  isReady = false;
  #opening: Waiting<void> | null = null;
  #reading: Waiting<Reading> | null = null;
  #broken: Error | null = null;

  constructor(base: URL, settings: Settings) {
    this.#worker = new Worker(new URL("worker.js", base));
    this.#worker.onmessage = ({ data }: MessageEvent<FromWorker>) => this.#hear(data);
    this.#worker.onerror = (event) => this.#fail(new Failure("runtime", event.message || "it did not start"));
    this.ready = new Promise((resolve, reject) => {
      this.#opening = { resolve, reject };
    });
    this.ready.catch(() => undefined); // an error is reported to those that await it
    this.#tell({ kind: "open", base: base.href, settings });
  }

  get busy(): boolean {
    return this.#reading !== null;
  }

  /** Process one picture; resolves with it and its moods. Only one may be in progress. */
  read(stamp: Stamp, bitmap: ImageBitmap): Promise<Reading> {
    if (this.#broken) return Promise.reject(this.#broken);
    return new Promise((resolve, reject) => {
      this.#reading = { resolve, reject };
      this.#tell({ kind: "read", stamp, bitmap }, [bitmap]);
    });
  }

  /** Reset all state: the next picture is of another source. */
  reset(): void {
    this.#tell({ kind: "reset" });
  }

  /** Start or stop the calibration to resting faces. */
  calibrate(): void {
    this.#tell({ kind: "calibrate" });
  }

  #tell(message: ToWorker, transfer: Transferable[] = []): void {
    this.#worker.postMessage(message, transfer);
  }

  #hear(message: FromWorker): void {
    if (message.kind === "ready") {
      this.isReady = true;
      this.#opening?.resolve();
    } else if (message.kind === "failed") {
      this.#fail(new Failure(message.failure, message.detail));
    } else {
      const reading = this.#reading;
      this.#reading = null;
      reading?.resolve(message);
    }
  }

  #fail(error: Error): void {
    this.#broken = error;
    this.#opening?.reject(error);
    this.#reading?.reject(error);
    this.#reading = null;
  }
}
