import assert from "node:assert/strict";
import { test } from "node:test";

import { parseGroup, parseGroupSet } from "./groups.ts";

test("a group is a number or its digits", () => {
  for (const [written, group] of [[72, 72], ["72", 72], [" 72 ", 72], ["4294967295", 4294967295]] as const) {
    assert.equal(parseGroup(written), group);
  }
  for (const other of [0, "0", -1, 1.5, "01", "1e3", "", " ", "4294967296", NaN, true, null, undefined, {}, [72], "７２"]) {
    assert.equal(parseGroup(other), undefined, String(other));
  }
});

test("a page's groups are its primary one and the others, each once", () => {
  assert.deepEqual(parseGroupSet("5", "9, 5,x,,7"), [5, 9, 7]);
  assert.deepEqual(parseGroupSet("5", ""), [5]);
});

test("a page without a primary group allows none", () => {
  for (const primary of ["", "x", "0"]) assert.deepEqual(parseGroupSet(primary, "5,6"), []);
});
