/** Drawing that the page and its worker share. */

export type Context = CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D;

/** Draw a picture over white, as Python composites transparent ones; nothing that was drawn before shows through. */
export function drawOverWhite(context: Context, picture: CanvasImageSource, width: number, height: number): void {
  context.fillStyle = "white";
  context.fillRect(0, 0, width, height);
  context.drawImage(picture, 0, 0, width, height);
}
