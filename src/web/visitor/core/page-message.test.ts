import assert from "node:assert/strict";
import { test } from "node:test";

import { pageMessage } from "./page-message.ts";

test("a message is sent as JSON can say it", () => {
  for (const [data, said] of [[undefined, null], [() => 1, null], [{ a: () => 1, b: [undefined] }, { b: [null] }], ["x", "x"], [NaN, null]]) {
    assert.deepEqual(pageMessage("a", data), { type: "message", name: "a", data: said });
  }
  assert.deepEqual(pageMessage(7, 1), { type: "message", name: "7", data: 1 });
  assert.equal(typeof pageMessage("\u{1f600}".repeat(64), 1), "object");
});

test("what the backend would close the socket for is told", () => {
  const round: unknown[] = [];
  round.push(round);
  for (const [name, data, why] of [
    ["", 1, /name/],
    ["x".repeat(65), 1, /64 characters/],
    ["a", "x".repeat(63 * 1024), /63 KiB/],
    ["a", "\u4e2d".repeat(22_000), /63 KiB/],
    ["a", round, /JSON/],
    ["a", 1n, /JSON/],
  ] as const) {
    const made = pageMessage(name, data);
    assert.ok(typeof made === "string" && why.test(made), `${made}`);
  }
});
