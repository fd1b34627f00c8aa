/** The page's elements, by purpose. */

import type { Trouble } from "./trouble";

function element<T extends HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no ${id}`);
  return found as T;
}

export class Stage {
  readonly trouble = element("trouble");
  readonly intro = element("intro");
  readonly start = element<HTMLButtonElement>("start");
  readonly openFile = element<HTMLInputElement>("open");
  readonly react = element<HTMLButtonElement>("react");
  readonly stage = element("stage");
  readonly frame = element("frame");
  readonly canvas = element<HTMLCanvasElement>("view");
  readonly screen = element("screen");
  readonly wait = element("wait");
  readonly status = element("status");
  readonly notice = element("notice");
  readonly tools = element("tools");
  readonly cameras = element("cameras");
  readonly camera = element<HTMLSelectElement>("camera");
  readonly records = element<HTMLButtonElement>("records");
  readonly stop = element<HTMLButtonElement>("stop");
  readonly help = element("help");
  readonly keys = element("keys");
  readonly said = element("said");
  readonly reaction = element("reaction");
  readonly film = element<HTMLInputElement>("film");
  readonly play = element<HTMLButtonElement>("play");
  readonly leave = element<HTMLButtonElement>("leave");
  readonly chosen = element("chosen");
  readonly result = element("result");
  readonly timeline = element("timeline");
  readonly saveRecords = element<HTMLButtonElement>("save-records");
  readonly saveReport = element<HTMLButtonElement>("save-report");
  readonly saved = element("saved");
  readonly again = element<HTMLButtonElement>("again");

  /** Show one of the page's sections in place of the others, and move the focus there. */
  show(section: HTMLElement, focused = section): void {
    const isShown = !section.hidden;
    for (const other of [this.intro, this.reaction, this.stage, this.result]) other.hidden = other !== section;
    if (!isShown) focused.focus();
  }

  /** Let the visitor choose, or not while nothing would happen. */
  enable(enabled: boolean): void {
    for (const control of [this.start, this.openFile, this.react]) control.disabled = !enabled;
  }

  /** Show an error and its remedy; null hides the one that was shown. */
  tell(trouble: Trouble | null): void {
    this.trouble.hidden = !trouble;
    if (!trouble) return;
    const strong = document.createElement("strong");
    strong.textContent = trouble.what;
    this.trouble.replaceChildren(strong, ` ${trouble.remedy}`);
  }

  /** The button of a key. */
  button(key: string): HTMLButtonElement | null {
    return this.tools.querySelector(`[data-key="${key}"]`);
  }

  /** Show a button as pressed, or its section as open. */
  press(key: string, pressed: boolean): void {
    const button = this.button(key);
    const name = button?.hasAttribute("aria-expanded") ? "aria-expanded" : "aria-pressed";
    if (button?.getAttribute(name) !== String(pressed)) button?.setAttribute(name, String(pressed));
  }
}
