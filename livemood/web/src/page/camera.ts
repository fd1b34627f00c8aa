/** The visitor's cameras. */

/** Video only: no microphone is requested. */
const WISHES: MediaTrackConstraints = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } };

/** Open a camera, the browser's first choice where none is named. Throws a DOMException that says why it cannot. */
export function openCamera(id: string | null, wishes: MediaTrackConstraints = WISHES): Promise<MediaStream> {
  const video = id ? { ...wishes, deviceId: { exact: id } } : { ...wishes, facingMode: { ideal: "user" } };
  return navigator.mediaDevices.getUserMedia({ audio: false, video });
}

/** The available cameras; browsers give their names only after access to one was allowed. */
export async function listCameras(): Promise<readonly MediaDeviceInfo[]> {
  const devices = await navigator.mediaDevices.enumerateDevices();
  return devices.filter((device) => device.kind === "videoinput" && device.deviceId !== "");
}

export function cameraId(stream: MediaStream): string {
  return stream.getVideoTracks()[0]?.getSettings().deviceId ?? "";
}

export function stopStream(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}
