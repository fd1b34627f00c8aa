/** Videos from the visitor's disk, each in a video element of its own. */

/** Whether a file is a video: by its type, or, where the system gives none, because it is no photo. */
export async function isVideo(file: File): Promise<boolean> {
  if (file.type) return file.type.startsWith("video/");
  const photo = await createImageBitmap(file).catch(() => null);
  photo?.close();
  return photo === null;
}

/** Load a video's first frame and its duration; throws if the browser cannot show it. */
export async function openVideo(file: File): Promise<HTMLVideoElement> {
  const video = document.createElement("video");
  video.playsInline = true;
  video.src = URL.createObjectURL(file);
  try {
    await happened(video, "loadeddata");
    if (video.videoWidth === 0) throw new Error("no picture");
    await measure(video);
    return video;
  } catch (error) {
    closeVideo(video);
    throw error;
  }
}

/** Go back to the first picture, also of a video that turned out to be damaged. */
export function rewind(video: HTMLVideoElement): void {
  if (video.error) video.load();
  video.currentTime = 0;
}

/** Free a video's file and decoder. */
export function closeVideo(video: HTMLVideoElement): void {
  URL.revokeObjectURL(video.src);
  video.removeAttribute("src");
  video.load();
}

/** Play with sound where the browser allows it: only after a click on the page. */
export async function playAloud(video: HTMLVideoElement): Promise<void> {
  video.muted = false;
  try {
    await video.play();
  } catch (error) {
    // Otherwise it was paused or closed, or is damaged, which callers handle.
    if (!(error instanceof DOMException) || error.name !== "NotAllowedError") return;
    video.muted = true;
    await video.play();
  }
}

/** Wait for an event of a video; throws if the video is damaged. */
export function happened(video: HTMLVideoElement, event: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = new AbortController();
    const { signal } = done;
    const settle = (): void => {
      done.abort();
      if (video.error) reject(video.error);
      else resolve();
    };
    video.addEventListener(event, settle, { signal });
    video.addEventListener("error", settle, { signal });
  });
}

/** Make the duration known: files recorded by browsers state it only at their end. */
async function measure(video: HTMLVideoElement): Promise<void> {
  if (Number.isFinite(video.duration)) return;
  for (const timeS of [Number.MAX_SAFE_INTEGER, 0]) {
    video.currentTime = timeS;
    await happened(video, "seeked");
  }
}
