/** Announces label changes to screen readers, with a minimum interval between announcements. */

import type { Mood } from "../values";
import { wordsOf } from "./overlay";

const LEAST_PAUSE_MS = 3000;

export class Announcer {
  readonly #element: HTMLElement;
  #newest = "";
  #timer = 0;
  #saidMs = -Infinity;

  constructor(element: HTMLElement) {
    this.#element = element;
  }

  /** Announce moods that differ from those before: at once, or when the interval has passed. */
  hear(moods: readonly Mood[]): void {
    this.#newest = sentence(moods);
    this.#timer ||= setTimeout(() => this.#say(), this.#saidMs + LEAST_PAUSE_MS - performance.now());
  }

  /** Another source begins: its first sentence is announced even if it is the same. */
  clear(): void {
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.#element.textContent = "";
  }

  #say(): void {
    this.#timer = 0;
    if (this.#element.textContent === this.#newest) return;
    this.#element.textContent = this.#newest;
    this.#saidMs = performance.now();
  }
}

function sentence(moods: readonly Mood[]): string {
  if (moods.length === 0) return "No face";
  const ordered = [...moods].sort((one, other) => one.track.id - other.track.id);
  return ordered.map((mood) => `Face ${mood.track.id}: ${wordsOf(mood)}`).join(". ");
}
