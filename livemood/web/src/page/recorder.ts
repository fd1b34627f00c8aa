/** A recording of the labelled picture, kept in memory until it is saved. */

import type { Shown } from "./playout";
import { save } from "./files";
import type { Switches, View } from "./view";

const FORMS = [
  ["video/mp4;codecs=avc1.42E01F", "mp4"],
  ["video/webm;codecs=vp9", "webm"],
  ["video/webm", "webm"],
] as const;

export class Recorder {
  readonly #canvas = document.createElement("canvas");
  #recorder: MediaRecorder | null = null;

  get recording(): boolean {
    return this.#recorder !== null;
  }

  /** Start with the current frame; return false if the browser cannot record. */
  start(first: Shown, view: View, switches: Switches, onSaved: (name: string) => void): boolean {
    const form = FORMS.find(([kind]) => typeof MediaRecorder === "function" && MediaRecorder.isTypeSupported(kind));
    if (!form) return false;
    view.copy(first, this.#canvas, switches);
    const parts: Blob[] = [];
    const recorder = new MediaRecorder(this.#canvas.captureStream(), { mimeType: form[0] });
    recorder.ondataavailable = ({ data }) => parts.push(data);
    recorder.onstop = () => onSaved(save(new Blob(parts, { type: form[0] }), form[1]));
    recorder.start(1000);
    this.#recorder = recorder;
    return true;
  }

  /** Add a frame, if a recording is running. */
  add(shown: Shown, view: View, switches: Switches): void {
    if (this.#recorder) view.copy(shown, this.#canvas, switches);
  }

  /** Stop the recording and save it. */
  stop(): void {
    this.#recorder?.stop();
    this.#recorder = null;
  }
}
