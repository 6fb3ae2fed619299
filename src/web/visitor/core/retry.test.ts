import assert from "node:assert/strict";
import { test } from "node:test";

import { afterClose, retryDelay } from "./retry.ts";

test("tries come soon at first and never more than 2.5 s apart", () => {
  assert.deepEqual([0, 1, 2, 3, 4, 50].map((attempt) => retryDelay(attempt, 0.5)), [200, 400, 800, 1600, 2000, 2000]);
  assert.deepEqual([0, 1].map((chance) => retryDelay(9, chance)), [1500, 2500]);
});

test("a close code means one of three things", () => {
  for (const code of [1000, 1001, 1006, 1012, 4408, 4429]) assert.equal(afterClose(code), "retry");
  for (const code of [4400, 4401, 4410]) assert.equal(afterClose(code), "over");
  assert.equal(afterClose(4409), "replaced");
});
