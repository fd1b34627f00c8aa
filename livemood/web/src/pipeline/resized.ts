/** Adapt a convolutional LiteRT network to another input size, by scaling the dimensions that its file declares. */

/** Field numbers in LiteRT's schema. */
const MODEL = { graphs: 2, buffers: 4 };
const GRAPH = { tensors: 0 };
const TENSOR = { shape: 0, buffer: 2 };
const BUFFER = { data: 0 };

/**
 * @param file A network with one input of (1, side, side, C), maps of (1, side / n, side / n, C), or of two px more for
 * a margin, and constants, none of which is a size.
 * @param side Input size that the file declares.
 */
export function resized(file: Uint8Array, side: number, width: number, height: number): Uint8Array {
  const copy = file.slice();
  const view = new DataView(copy.buffer, copy.byteOffset, copy.byteLength);
  const pointed = (at: number): number => at + view.getUint32(at, true);
  const field = (table: number, number: number): number | null => {
    const layout = table - view.getInt32(table, true);
    const place = 4 + 2 * number;
    const offset = place < view.getUint16(layout, true) ? view.getUint16(layout + place, true) : 0;
    return offset === 0 ? null : table + offset;
  };
  const tables = (table: number, number: number): number[] => {
    const at = field(table, number);
    if (at === null) return [];
    const start = pointed(at);
    return Array.from({ length: view.getUint32(start, true) }, (_, i) => pointed(start + 4 + 4 * i));
  };
  const scaled = (at: number, length: number): void => {
    const old = view.getInt32(at, true);
    view.setInt32(at, old === side + 2 ? length + 2 : (old * length) / side, true);
  };

  const model = pointed(0);
  const constant = tables(model, MODEL.buffers).map((buffer) => field(buffer, BUFFER.data) !== null);
  const done = new Set<number>();
  for (const tensor of tables(model, MODEL.graphs).flatMap((graph) => tables(graph, GRAPH.tensors))) {
    const [shapeAt, bufferAt] = [field(tensor, TENSOR.shape), field(tensor, TENSOR.buffer)];
    if (shapeAt === null || (bufferAt !== null && constant[view.getUint32(bufferAt, true)])) continue;
    const shape = pointed(shapeAt);
    if (view.getUint32(shape, true) !== 4 || done.has(shape)) continue;
    done.add(shape);
    scaled(shape + 8, height);
    scaled(shape + 12, width);
  }
  return copy;
}
