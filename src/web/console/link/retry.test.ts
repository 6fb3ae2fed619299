import assert from "node:assert/strict";
import { test } from "node:test";

import { isLost, retryDelay } from "./retry.ts";

test("tries again soon, then every two seconds, for ever", () => {
  assert.deepEqual([0, 1, 2, 3, 4, 50, 5_000].map((attempt) => retryDelay(attempt, 0.5)), [200, 400, 800, 1_600, 2_000, 2_000, 2_000]);
});

test("not all at once", () => {
  assert.deepEqual([0, 0.999].map((chance) => retryDelay(9, chance)), [1_500, 2_499]);
});

test("only lost connections are looked for", () => {
  for (const code of [1000, 1001, 1005, 1006, 1011, 1012]) assert.ok(isLost(code), `${code}`);
  for (const code of [4400, 4401, 4403, 4410, 4429]) assert.ok(!isLost(code), `${code}`);
});
