/** The last seconds of every face as a strip of coloured bars, as in `livemood/overlay/history_strip.py`. */

import type { Settings } from "../settings";
import type { Mood } from "../values";
import { type Overlay, css } from "./overlay";
import { sizesOf } from "./placement";

interface Entry {
  readonly bin: number;
  readonly label: string;
  readonly confidence: number;
}

export class History {
  readonly #settings: Settings;
  readonly #seen = new Map<number, Entry[]>();
  #now = 0;

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  get #bins(): number {
    return Math.round(this.#settings.history.length_s / this.#settings.history.bin_s);
  }

  clear(): void {
    this.#seen.clear();
  }

  /** Take one frame's moods; time never decreases. */
  add(moods: readonly Mood[], timeS: number): void {
    this.#now = Math.floor(timeS / this.#settings.history.bin_s);
    for (const { track, emotion } of moods) {
      const entries = this.#seen.get(track.id) ?? [];
      this.#seen.set(track.id, entries);
      if (entries.at(-1)?.bin === this.#now) entries.pop();
      entries.push({ bin: this.#now, label: emotion.label, confidence: emotion.confidence });
    }
    const oldest = this.#now - this.#bins;
    for (const [id, entries] of this.#seen) {
      while (entries.length > 0 && entries[0]!.bin <= oldest) entries.shift();
      if (entries.length === 0) this.#seen.delete(id);
    }
  }

  /**
   * Write the strips into the top right corner: one row per face, newest on the right.
   *
   * @param leastText Smallest size of text that is legible on the screen.
   */
  draw(context: CanvasRenderingContext2D, overlay: Overlay, leastText: number): void {
    const rows = [...this.#seen].sort(([one], [other]) => one - other).slice(-this.#settings.history.most_rows);
    const { width, height } = context.canvas;
    const { small: text } = sizesOf(context.canvas, leastText);
    const [gap, row, names] = [Math.floor(text / 2), 2 * text, 3 * text];
    const step = Math.max(1, Math.floor(width / 4 / this.#bins));
    const [wide, high] = [names + step * this.#bins + gap, row * rows.length + gap];
    if (rows.length === 0 || wide > width || high > height) return;
    const { dark, bright } = this.#settings.overlay;
    context.save();
    context.translate(width - gap - wide, gap);
    context.fillStyle = css(dark, 0.75);
    context.fillRect(0, 0, wide, high);
    context.font = `400 ${text}px system-ui, sans-serif`;
    rows.forEach(([id, entries], place) => {
      const bottom = (place + 1) * row;
      context.fillStyle = css(bright);
      context.fillText(`#${id}`, gap, bottom - gap);
      entries.forEach((entry, i) => {
        // A bar is extended to the next one, so that a low frame rate does not make stripes; longer gaps stay.
        const end = entries[i + 1]?.bin ?? this.#now + 1;
        const left = wide - gap - (this.#now + 1 - entry.bin) * step;
        const bars = Math.min(end - entry.bin, this.#settings.history.bridged);
        const tall = Math.max(1, Math.round(entry.confidence * (row - gap)));
        context.fillStyle = css(overlay.colour(entry.label));
        context.fillRect(left, bottom - tall, bars * step, tall);
      });
    });
    context.restore();
  }
}
