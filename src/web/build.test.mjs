import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";

import { bundle, notices } from "./build.mjs";

const KIB = 1024;
const LIMITS = { loader: 2 * KIB, core: 35 * KIB };
const AGENTS_LIMIT = 110 * KIB;
const made = await bundle();
const inConsole = (name) => made.console.files.find((file) => file.name.startsWith(name));

for (const [name, limit] of Object.entries(LIMITS)) {
  test(`the ${name} is at most ${limit} bytes`, (t) => {
    const size = gzipSync(made[name].text, { level: 9 }).length;
    t.diagnostic(`${size} bytes with gzip`);
    assert.ok(size <= limit, `${size}`);
  });
}

test(`what an agent loads is at most ${AGENTS_LIMIT} bytes`, (t) => {
  const sizes = made.console.files.map(({ text }) => gzipSync(text, { level: 9 }).length);
  t.diagnostic(`${sizes.join(" + ")} bytes with gzip`);
  assert.ok(sizes.reduce((sum, size) => sum + size) <= AGENTS_LIMIT, `${sizes}`);
});

test("the console's documents name its files, with their hashes, and hold no script or style", () => {
  const { html, replayHtml, files } = made.console;
  assert.deepEqual(files.map(({ name }) => name.replace(/\.[0-9a-f]{16}\./, ".")), ["console.js", "console.css", "replay.js"]);
  for (const { name, integrity } of files) {
    const page = name.startsWith("replay") ? replayHtml : html;
    assert.ok(page.includes(`/assets/${name}" integrity="${integrity}"`), name);
  }
  assert.doesNotMatch(html + replayHtml, /__|<style|style=|<script>| on\w+=/);
});

test("the console has nothing of the replayer in it, and makes no markup of text", () => {
  assert.doesNotMatch(inConsole("console").text, /rrweb|\beval\(|new Function|innerHTML|insertAdjacentHTML|document\.write/);
});

test("notices of all packages are shipped, those within others too", async () => {
  const modules = new URL("node_modules", import.meta.url).pathname;
  const text = await notices(made.inputs, modules);
  for (const name of ["@rrweb/record", "@rrweb/replay", "@xstate/fsm", "base64-arraybuffer", "mitt", "nanoid", "picocolors", "postcss", "source-map-js"]) {
    assert.match(text, new RegExp(`^${name} \\d+\\.\\d+\\.\\d+$`, "m"), name);
  }
  assert.equal(text.split("Permission").length - 1 + text.split("Redistribution and use").length - 1, 9);
});

test("bundles are the same each time, and in every charset", async () => {
  const again = await bundle();
  for (const name of ["loader", "core"]) {
    assert.equal(again[name].text, made[name].text);
    assert.match(made[name].text, /^[\x00-\x7f]*$/);
  }
  assert.deepEqual(again.console, made.console);
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
