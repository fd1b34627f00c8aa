/** The visitor's cameras. */

import { TAKEN_AWAY, type Trouble, UNPLUGGED, cameraTrouble } from "./trouble";

/** Video only: no microphone is requested. */
const WISHES: MediaTrackConstraints = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } };

/** An open camera. If it is unplugged and comes back, its pictures go on in the same video element. */
export class Camera {
  readonly video = document.createElement("video");
  readonly id: string;
  readonly #tell: (trouble: Trouble | null) => void;
  readonly #life = new AbortController();
  #stream: MediaStream;
  /** Whether the visitor allows cameras; null where the browser does not report it. */
  #permission: PermissionStatus | null = null;
  lost = false;

  private constructor(stream: MediaStream, tell: (trouble: Trouble | null) => void) {
    this.#stream = stream;
    this.#tell = tell;
    this.id = stream.getVideoTracks()[0]?.getSettings().deviceId ?? "";
    this.video.playsInline = this.video.muted = true;
    this.#show();
    const { signal } = this.#life;
    navigator.mediaDevices.addEventListener("devicechange", () => void this.#reopen(), { signal });
    void this.#watchPermission(signal);
  }

  /**
   * Open a camera, the browser's first choice if none is named. Throws a DOMException with the reason if it cannot, or
   * if the signal was aborted.
   *
   * @param tell Called when it is unplugged or cannot be opened again, and with null when it is back.
   */
  static async open(id: string | null, signal: AbortSignal, tell: (trouble: Trouble | null) => void): Promise<Camera> {
    return new Camera(await openStream(id, signal), tell);
  }

  /** Turn the camera off. */
  close(): void {
    if (this.lost) this.#tell(null);
    this.#life.abort();
    stopStream(this.#stream);
    this.video.srcObject = null;
  }

  #show(): void {
    this.video.srcObject = this.#stream;
    // It plays as soon as the camera gives a picture; that it is closed before is no error.
    this.video.play().catch(() => undefined);
    this.#stream.getVideoTracks()[0]?.addEventListener("ended", () => this.#ended(), { signal: this.#life.signal });
  }

  async #watchPermission(signal: AbortSignal): Promise<void> {
    const permission = await navigator.permissions?.query({ name: "camera" }).catch(() => null);
    // Some browsers never report that a camera is allowed, not even while it is on.
    if (permission?.state !== "granted" || signal.aborted) return;
    this.#permission = permission;
    permission.addEventListener("change", () => (this.#allowed ? void this.#reopen() : this.#tellLost()), { signal });
  }

  get #allowed(): boolean {
    return this.#permission === null || this.#permission.state === "granted";
  }

  #ended(): void {
    this.lost = true;
    this.#tellLost();
  }

  #tellLost(): void {
    if (this.lost) this.#tell(this.#allowed ? UNPLUGGED : TAKEN_AWAY);
  }

  async #reopen(): Promise<void> {
    if (!this.lost || !(await listCameras()).some((device) => device.deviceId === this.id)) return;
    try {
      const stream = await openStream(this.id, this.#life.signal);
      stopStream(this.#stream);
      this.#stream = stream;
      this.lost = false;
      this.#show();
      this.#tell(null);
    } catch (error) {
      if (!this.#life.signal.aborted) this.#tell(cameraTrouble(error));
    }
  }
}

/** The available cameras; browsers give their names only after access to one was allowed. */
export async function listCameras(): Promise<readonly MediaDeviceInfo[]> {
  const devices = await navigator.mediaDevices.enumerateDevices();
  return devices.filter((device) => device.kind === "videoinput" && device.deviceId !== "");
}

async function openStream(id: string | null, signal: AbortSignal): Promise<MediaStream> {
  const video = id ? { ...WISHES, deviceId: { exact: id } } : { ...WISHES, facingMode: { ideal: "user" } };
  const stream = await navigator.mediaDevices.getUserMedia({ audio: false, video });
  if (signal.aborted) stopStream(stream);
  signal.throwIfAborted();
  return stream;
}

function stopStream(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}
