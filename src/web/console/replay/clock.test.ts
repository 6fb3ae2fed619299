import assert from "node:assert/strict";
import { test } from "node:test";

import { BUFFER_MS, createClock, WAIT_MS_MAX } from "./clock.ts";

const HOUR = 3_600_000;

for (const skew of [0, HOUR, -HOUR]) {
  test(`events are shown as far apart as they happened, clocks ${skew} ms apart`, () => {
    const clock = createClock();
    const now = 10 * HOUR;
    clock.heard(now + skew, now);
    assert.equal(clock.shows(now + skew - 60, now), now + BUFFER_MS - 60);
    assert.equal(clock.shows(now + skew, now), now + BUFFER_MS);
  });
}

test("what a late agent gets first is shown at once, and what follows is in time again", () => {
  const clock = createClock();
  clock.heard(1_000, 901_000);
  assert.equal(clock.shows(500, 901_000), 901_000);
  clock.heard(900_950, 901_010);
  assert.equal(clock.shows(900_000, 901_010), 901_010);
  assert.equal(clock.shows(900_950, 901_010), 901_010 + BUFFER_MS);
});

test("events keep their order when the way to us gets shorter", () => {
  const clock = createClock();
  clock.heard(1_000, 1_500);
  const first = clock.shows(1_000, 1_500);
  clock.heard(1_010, 1_510 - 400);
  assert.ok(clock.shows(1_010, 1_510) >= first);
});

test("no event waits for a clock that jumped", () => {
  const clock = createClock();
  clock.heard(0, 0);
  assert.equal(clock.shows(HOUR, 10), 10 + WAIT_MS_MAX);
});
