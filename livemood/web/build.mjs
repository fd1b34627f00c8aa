/**
 * Builds the page: `node build.mjs [DIR]` writes static (or DIR) from src, the same bytes each time. It replaces a page
 * that was built before, and nothing else.
 *
 * Two programs come out: the page (a module) and its worker (a classic script, since LiteRT's loader calls
 * importScripts). LiteRT's WebAssembly files are copied as they came.
 */

import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { cp, mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const out = resolve(process.argv[2] ?? join(here, "static"));
const litert = join(here, "node_modules/@litertjs/core/wasm");

const common = {
  absWorkingDir: here,
  bundle: true,
  minify: true,
  target: "es2022",
  charset: "utf8",
  legalComments: "none",
  banner: { js: "/* livemood, Apache-2.0. Its source is livemood/web/src. */" },
};

if (existsSync(out) && !existsSync(join(out, "sha256.json")) && (await readdir(out)).length > 0) {
  console.error(`${out} contains other files than a built page; choose another folder`);
  process.exit(1);
}
await rm(out, { recursive: true, force: true });
await mkdir(join(out, "litert"), { recursive: true });
await build({ ...common, entryPoints: ["src/main.ts"], format: "esm", outfile: join(out, "page.js") });
await build({ ...common, entryPoints: ["src/worker.ts"], format: "iife", outfile: join(out, "worker.js") });
for (const name of ["index.html", "style.css", "icon.svg"]) await cp(join(here, "src", name), join(out, name));
for (const name of ["litert_wasm_internal", "litert_wasm_compat_internal"]) {
  for (const suffix of [".js", ".wasm"]) {
    await writeFile(join(out, "litert", name + suffix), await readFile(join(litert, name + suffix)));
  }
}
await cp(join(here, "src/litert/NOTICE"), join(out, "litert/NOTICE"));
// Both are under the Apache License 2.0, and the npm package comes without its text.
await cp(join(here, "../../LICENSE"), join(out, "litert/LICENSE"));

const digests = {};
for (const entry of (await readdir(out, { recursive: true, withFileTypes: true })).filter((found) => found.isFile())) {
  const path = join(entry.parentPath, entry.name);
  const name = relative(out, path).replaceAll("\\", "/");
  digests[name] = createHash("sha256").update(await readFile(path)).digest("hex");
}
const sorted = Object.fromEntries(Object.entries(digests).sort());
await writeFile(join(out, "sha256.json"), `${JSON.stringify(sorted, null, 1)}\n`);
