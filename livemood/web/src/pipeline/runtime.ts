/** Networks, run by LiteRT's WebAssembly build in this thread. */

import { type CompiledModel, Tensor, loadAndCompile, loadLiteRt, supportsFeature } from "@litertjs/core";

declare const self: { Module?: { locateFile: (name: string) => string; printErr: () => void } };

/** Load LiteRT from a folder, given as a whole URL that ends in a slash. */
export async function openRuntime(folder: string): Promise<void> {
  // Without relaxed SIMD (Safari), LiteRT has a build of its own.
  const build = (await supportsFeature("relaxedSimd")) ? "litert_wasm_internal" : "litert_wasm_compat_internal";
  // The loader would seek the .wasm beside the worker, and print notes as errors; errors proper come as exceptions.
  self.Module = { locateFile: (name) => folder + name, printErr: () => undefined };
  const warn = console.warn;
  // It looks for WebGPU and logs that there is none; nothing here needs it.
  console.warn = () => undefined;
  try {
    await loadLiteRt(`${folder}${build}.js`);
  } finally {
    console.warn = warn;
  }
}

/** One network with one input. */
export class Network {
  readonly shape: readonly number[];
  readonly #model: CompiledModel;

  private constructor(model: CompiledModel) {
    this.#model = model;
    this.shape = Array.from(model.getInputDetails()[0]!.shape);
  }

  static async open(file: Uint8Array): Promise<Network> {
    return new Network(await loadAndCompile(file, { accelerator: "wasm" }));
  }

  /** Shape of every output. */
  get outputs(): readonly (readonly number[])[] {
    return this.#model.getOutputDetails().map((output) => Array.from(output.shape));
  }

  close(): void {
    this.#model.delete();
  }

  get outputNames(): readonly string[] {
    return this.#model.getOutputDetails().map((output) => output.name);
  }

  /** Return the values of every output. */
  async run(input: Float32Array): Promise<readonly Float32Array[]> {
    const tensor = new Tensor(input, [...this.shape]);
    try {
      const answers = await this.#model.run(tensor);
      return answers.map((answer) => {
        const values = Float32Array.from(answer.toTypedArray());
        answer.delete();
        return values;
      });
    } finally {
      tensor.delete();
    }
  }
}
