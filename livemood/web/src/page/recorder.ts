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
  /** What is recorded: as large as the first frame, since encoders take one size only. */
  readonly #canvas = document.createElement("canvas");
  readonly #scratch = document.createElement("canvas");
  #recorder: MediaRecorder | null = null;

  get recording(): boolean {
    return this.#recorder !== null;
  }

  /**
   * Start with the current frame; return false if the browser cannot record.
   *
   * @param onEnded Called with the name of the saved file, null if there is none, and whether the browser ended it.
   */
  start(
    first: Shown,
    view: View,
    switches: Switches,
    onEnded: (name: string | null, broken: boolean) => void,
  ): boolean {
    const form = FORMS.find(([kind]) => typeof MediaRecorder === "function" && MediaRecorder.isTypeSupported(kind));
    if (!form) return false;
    view.copy(first, this.#canvas, switches);
    const parts: Blob[] = [];
    const recorder = new MediaRecorder(this.#canvas.captureStream(), { mimeType: form[0] });
    recorder.ondataavailable = ({ data }) => parts.push(data);
    recorder.onstop = () => {
      const broken = this.#recorder === recorder;
      if (broken) this.#recorder = null;
      for (const track of recorder.stream.getTracks()) track.stop();
      const file = new Blob(parts, { type: form[0] });
      onEnded(file.size > 0 ? save(file, form[1]) : null, broken);
    };
    recorder.start(1000);
    this.#recorder = recorder;
    return true;
  }

  /** Add a frame, if a recording is running. */
  add(shown: Shown, view: View, switches: Switches): void {
    if (!this.#recorder) return;
    const { width, height } = this.#canvas;
    if (shown.bitmap.width === width && shown.bitmap.height === height) {
      view.copy(shown, this.#canvas, switches);
    } else {
      view.copy(shown, this.#scratch, switches);
      fit(this.#scratch, this.#canvas);
    }
  }

  /** Stop the recording and save it. */
  stop(): void {
    this.#recorder?.stop();
    this.#recorder = null;
  }
}

/** Draw a picture of another size, as large as it fits, in the middle of black: a phone was turned, for example. */
function fit(picture: HTMLCanvasElement, canvas: HTMLCanvasElement): void {
  const scale = Math.min(canvas.width / picture.width, canvas.height / picture.height);
  const [width, height] = [picture.width * scale, picture.height * scale];
  const context = canvas.getContext("2d")!;
  context.fillStyle = "black";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(picture, (canvas.width - width) / 2, (canvas.height - height) / 2, width, height);
}
