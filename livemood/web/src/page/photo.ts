/** Photos from the visitor's disk. */

/** Larger photos are read from a copy of this longer side. */
const LARGEST_PX = 4096;

export interface Photo {
  readonly bitmap: ImageBitmap;
  /** Size of the photo, of which the bitmap may be a smaller copy. */
  readonly width: number;
  readonly height: number;
}

/** Decode a photo, upright; throws if the browser cannot. */
export async function openPhoto(file: File): Promise<Photo> {
  const whole = await createImageBitmap(file, { imageOrientation: "from-image" });
  const { width, height } = whole;
  const scale = LARGEST_PX / Math.max(width, height);
  if (scale >= 1) return { bitmap: whole, width, height };
  const scaled = (side: number): number => Math.max(1, Math.round(side * scale));
  const bitmap = await createImageBitmap(whole, {
    resizeWidth: scaled(width),
    resizeHeight: scaled(height),
    resizeQuality: "high",
  });
  whole.close();
  return { bitmap, width, height };
}
