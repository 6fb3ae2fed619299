import assert from "node:assert/strict";
import { test } from "node:test";

import { createPace } from "./pace.ts";

test("so much at once, then so much in a second", () => {
  let now = 0;
  const pace = createPace(() => now);
  let taken = 0;
  while (pace.take()) taken += 1;
  assert.equal(taken, 150);
  assert.ok(pace.wait() > 0 && pace.wait() <= 67, `${pace.wait()}`);
  for (let second = 0; second < 10; second += 1) {
    now += 1_000;
    while (pace.take()) taken += 1;
  }
  // The backend takes 200 at once and 20 in a second.
  assert.ok(taken >= 299 && taken <= 300, `${taken}`);
  now -= 5_000; // a clock that is set back
  assert.equal(pace.take(), false);
  now += 60_000;
  assert.equal(pace.take(), true);
});
