import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";

import { bundle } from "./build.mjs";

const KIB = 1024;
const LIMITS = { loader: 2 * KIB, core: 35 * KIB };
const made = await bundle();

for (const [name, limit] of Object.entries(LIMITS)) {
  test(`the ${name} is at most ${limit} bytes`, (t) => {
    const size = gzipSync(made[name].text, { level: 9 }).length;
    t.diagnostic(`${size} bytes with gzip`);
    assert.ok(size <= limit, `${size}`);
  });
}

test("bundles are the same each time, and in every charset", async () => {
  const again = await bundle();
  for (const name of ["loader", "core"]) {
    assert.equal(again[name].text, made[name].text);
    assert.match(made[name].text, /^[\x00-\x7f]*$/);
  }
});

test("the loader knows the core by name and hash", () => {
  assert.ok(made.loader.text.includes(made.core.name));
  assert.ok(made.loader.text.includes(made.core.integrity));
});

test("the bundles make no code of text, and no workers", () => {
  for (const { text } of [made.loader, made.core]) {
    assert.doesNotMatch(text, /\beval\(|new Function|new Worker|innerHTML|insertAdjacentHTML/);
  }
});

test("only sources that went in are told to cargo", () => {
  assert.ok(made.inputs.some((input) => input.endsWith("visitor/core/main.ts")));
  assert.ok(!made.inputs.some((input) => /\.test\.|\.md$/.test(input)));
});
