import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateRawSync } from "node:zlib";

import { inflate } from "./inflate.ts";

const LIMIT = 1_000;

test("a body is inflated", async () => {
  const text = JSON.stringify(["é€", "x".repeat(100)]);
  assert.equal(await inflate(deflateRawSync(text), LIMIT), text);
});

test("a body may fill the limit and not pass it", async () => {
  assert.equal((await inflate(deflateRawSync("x".repeat(LIMIT)), LIMIT))?.length, LIMIT);
  assert.equal(await inflate(deflateRawSync("x".repeat(LIMIT + 1)), LIMIT), undefined);
});

test("a bomb is not inflated to its end", async () => {
  const bomb = deflateRawSync(Buffer.alloc(256 * 1024 * 1024));
  const before = process.memoryUsage().rss;
  assert.equal(await inflate(bomb, LIMIT), undefined);
  assert.ok(process.memoryUsage().rss - before < 64 * 1024 * 1024);
});

for (const [what, body] of [
  ["no deflate", Buffer.from("plain text")],
  ["cut off", deflateRawSync("x".repeat(500)).subarray(0, -2)],
  ["empty", Buffer.alloc(0)],
  ["no UTF-8", deflateRawSync(Buffer.from([0x22, 0xff, 0x22]))],
] as const) {
  test(`a body is refused: ${what}`, async () => {
    assert.equal(await inflate(body, LIMIT), undefined);
  });
}
