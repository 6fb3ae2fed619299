import assert from "node:assert/strict";
import { test } from "node:test";

import { EVENTS, SNAPSHOT } from "../../shared/frame.ts";
import { NOTHING, place, type Place } from "./order.ts";

/** Places of frames, each written as kind, page and sequence. */
function places(frames: readonly (readonly [1 | 2, number, number])[]): Place[] {
  let order = NOTHING;
  return frames.map(([kind, page, sequence]) => {
    const [after, found] = place(order, { kind, page, sequence });
    order = after;
    return found;
  });
}

test("a snapshot begins, events follow it one by one", () => {
  assert.deepEqual(places([[SNAPSHOT, 1, 0], [EVENTS, 1, 1], [EVENTS, 1, 2]]), ["begins", "follows", "follows"]);
});

test("nothing is shown before a snapshot", () => {
  assert.deepEqual(places([[EVENTS, 1, 0], [EVENTS, 1, 1]]), ["ignored", "ignored"]);
});

test("after a gap nothing is shown until the next snapshot, and it is asked for once", () => {
  const frames = [[SNAPSHOT, 1, 0], [EVENTS, 1, 2], [EVENTS, 1, 3], [SNAPSHOT, 1, 4], [EVENTS, 1, 5]] as const;
  assert.deepEqual(places(frames), ["begins", "gap", "ignored", "begins", "follows"]);
});

test("a frame that came twice is a gap", () => {
  assert.deepEqual(places([[SNAPSHOT, 1, 0], [EVENTS, 1, 1], [EVENTS, 1, 1]]), ["begins", "follows", "gap"]);
});

test("events of another page do not disturb the one that is shown", () => {
  assert.deepEqual(places([[SNAPSHOT, 2, 0], [EVENTS, 1, 1], [EVENTS, 2, 1]]), ["begins", "stray", "follows"]);
});

test("the visitor may turn back to a page with a smaller number", () => {
  assert.deepEqual(places([[SNAPSHOT, 2, 7], [SNAPSHOT, 1, 0], [EVENTS, 1, 1]]), ["begins", "begins", "follows"]);
});
