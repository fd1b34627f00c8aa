/** What the page needs of a browser. */

/** (module (func (result v128) i32.const 0 i8x16.splat)) */
const SIMD = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 8, 1, 6, 0, 65, 0, 253, 15, 11,
]);

/** Return the first thing that the page needs and this browser lacks; null if it has all of them. */
export function lacking(): string | null {
  if (typeof WebAssembly !== "object" || !WebAssembly.validate(SIMD)) return "WebAssembly SIMD";
  if (typeof OffscreenCanvas !== "function") return "OffscreenCanvas";
  if (!("requestVideoFrameCallback" in HTMLVideoElement.prototype)) return "requestVideoFrameCallback";
  if (!("adoptedStyleSheets" in document)) return "adoptedStyleSheets";
  return null;
}
