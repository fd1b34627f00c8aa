/** Announces label changes to screen readers, with a minimum interval between announcements. */

import type { Mood } from "../values";
import { wordsOf } from "./overlay";

const LEAST_PAUSE_MS = 3000;

export class Announcer {
  readonly #element: HTMLElement;
  #said = "";
  #saidMs = -Infinity;

  constructor(element: HTMLElement) {
    this.#element = element;
  }

  hear(moods: readonly Mood[], nowMs: number): void {
    if (nowMs - this.#saidMs < LEAST_PAUSE_MS) return;
    const said = sentence(moods);
    if (said === this.#said) return;
    this.#said = said;
    this.#saidMs = nowMs;
    this.#element.textContent = said;
  }
}

function sentence(moods: readonly Mood[]): string {
  if (moods.length === 0) return "No face";
  const ordered = [...moods].sort((one, other) => one.track.id - other.track.id);
  return ordered.map((mood) => `Face ${mood.track.id}: ${wordsOf(mood)}`).join(". ");
}
