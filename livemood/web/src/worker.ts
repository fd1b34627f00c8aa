/** Processes pictures in a worker, so that the page never waits for a network. */

import { drawOverWhite } from "./canvas";
import { Failure, fetchFile, messageOf } from "./failure";
import { BlazeFace } from "./pipeline/blazeface";
import { Classifier } from "./pipeline/classify";
import { Combined } from "./pipeline/detection";
import { Pipeline } from "./pipeline/pipeline";
import { Meter } from "./pipeline/quality";
import { Network, openRuntime } from "./pipeline/runtime";
import { YuNet } from "./pipeline/yunet";
import type { Calibration, FromWorker, Stamp, ToWorker } from "./protocol";
import type { Settings } from "./settings";
import type { Picture } from "./values";

type Bytes = Uint8Array;

interface Scope {
  onmessage: ((message: MessageEvent<ToWorker>) => void) | null;
  postMessage(message: FromWorker, transfer?: Transferable[]): void;
}
const scope = self as unknown as Scope;

let fresh: (() => Pipeline) | null = null;
let pipeline: Pipeline | null = null;
const canvas = new OffscreenCanvas(1, 1);
const context = canvas.getContext("2d", { willReadFrequently: true })!;

/** Messages are processed one after the other, because a network has one set of buffers. */
let last: Promise<void> = Promise.resolve();
scope.onmessage = ({ data }) => {
  last = last.then(() => handle(data)).catch(report);
};

async function handle(message: ToWorker): Promise<void> {
  switch (message.kind) {
    case "open":
      fresh = await open(new URL(message.base), message.settings);
      pipeline = fresh();
      scope.postMessage({ kind: "ready" });
      break;
    case "read":
      await read(message.stamp, message.bitmap);
      break;
    case "reset":
      pipeline = fresh?.() ?? null;
      break;
    case "calibrate":
      pipeline?.baseline.toggle();
  }
}

function report(error: unknown): void {
  const failure = error instanceof Failure ? error.kind : "reading";
  scope.postMessage({ kind: "failed", failure, detail: messageOf(error) });
}

async function open(base: URL, settings: Settings): Promise<() => Pipeline> {
  const { blazeface, yunet, emotion, quality, detector } = settings;
  const names = [blazeface.near, blazeface.far, emotion.file, yunet.file, quality.covered, quality.tilted];
  const files = names.map((file) => fetched(base, file, settings));
  // A failure while the runtime loads is handled below.
  for (const file of files) file.catch(() => undefined);
  try {
    await openRuntime(new URL("litert/", base).href);
  } catch (error) {
    throw new Failure("runtime", messageOf(error));
  }
  const [near, far, mood, places, covered, tilted] = (await Promise.all(files)) as [Bytes, Bytes, Bytes, Bytes, Bytes, Bytes];
  // Weak detections of the BlazeFace networks are evidence for a candidate too.
  const least = Math.min(detector.min_score, detector.evidence.weakest);
  const faces = new Combined(
    new YuNet(places, yunet, Math.min(detector.evidence.proposed_from, detector.search.kept_from)),
    new BlazeFace(await network(near), blazeface, least),
    new BlazeFace(await network(far), blazeface, least),
    detector,
  );
  const classifier = new Classifier(await network(mood), emotion);
  const meter = new Meter(covered, tilted, settings);
  return () => new Pipeline(faces, classifier, meter, settings);
}

/** Open a network and run it once, because the first run is slow. */
async function network(file: Uint8Array): Promise<Network> {
  const opened = await Network.open(file);
  await opened.run(new Float32Array(opened.shape.reduce((size, side) => size * side, 1)));
  return opened;
}

async function fetched(base: URL, file: string, settings: Settings): Promise<Uint8Array> {
  const bytes = await fetchFile(base, file, (answer) => answer.arrayBuffer());
  const expected = settings.sha256[file];
  // Browsers provide no SHA-256 on plain http.
  if (expected && globalThis.crypto?.subtle) {
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    const found = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
    if (found !== expected) throw new Failure("model", `${file}: not the file that was published`);
  }
  return new Uint8Array(bytes);
}

async function read(stamp: Stamp, bitmap: ImageBitmap): Promise<void> {
  const moods = await pipeline!.step({ ...stamp, picture: pixels(bitmap) });
  const { possible, remainingS, calibrated } = pipeline!.baseline;
  const calibration: Calibration = { possible, remainingS, calibrated };
  scope.postMessage({ kind: "read", stamp, bitmap, moods, calibration }, [bitmap]);
}

function pixels(bitmap: ImageBitmap): Picture {
  const { width, height } = bitmap;
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  drawOverWhite(context, bitmap, width, height);
  return context.getImageData(0, 0, width, height);
}
