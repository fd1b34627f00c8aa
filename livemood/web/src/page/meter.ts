/** Rates at which pictures are captured, processed and drawn. */

const LAST = 60;

export class Meter {
  #drawnMs: number[] = [];
  #cameMs: number[] = [];
  #readMs: number[] = [];
  #tookMs: number[] = [];
  firstLabelMs: number | null = null;

  came(nowMs: number): void {
    keep(this.#cameMs, nowMs);
  }

  drawn(nowMs: number): void {
    keep(this.#drawnMs, nowMs);
  }

  /** Count a processed picture, with the delay since its capture. */
  read(nowMs: number, tookMs: number): void {
    keep(this.#readMs, nowMs);
    keep(this.#tookMs, tookMs);
  }

  clear(): void {
    this.#drawnMs = [];
    this.#cameMs = [];
    this.#readMs = [];
    this.#tookMs = [];
  }

  get drawnFps(): number {
    return rate(this.#drawnMs);
  }

  get cameFps(): number {
    return rate(this.#cameMs);
  }

  get readFps(): number {
    return rate(this.#readMs);
  }

  /** Median time from a picture's capture to its result. */
  get delayMs(): number {
    const sorted = [...this.#tookMs].sort((one, other) => one - other);
    return sorted[sorted.length >> 1] ?? 0;
  }
}

function keep(values: number[], value: number): void {
  values.push(value);
  if (values.length > LAST) values.shift();
}

function rate(times: readonly number[]): number {
  const [first, last] = [times[0], times.at(-1)];
  return first !== undefined && last !== undefined && last > first ? (1000 * (times.length - 1)) / (last - first) : 0;
}
