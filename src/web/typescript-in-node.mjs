// Lets node run the TypeScript beside its tests: node --import ./typescript-in-node.mjs --test

import { readFile } from "node:fs/promises";
import { register } from "node:module";
import { isMainThread } from "node:worker_threads";

import { transform } from "esbuild";

if (isMainThread) register(import.meta.url);

export async function load(url, context, next) {
  if (!url.endsWith(".ts")) return next(url, context);
  const source = await readFile(new URL(url), "utf8");
  const { code } = await transform(source, { loader: "ts", sourcemap: "inline", sourcefile: url });
  return { format: "module", source: code, shortCircuit: true };
}
