import assert from "node:assert/strict";
import { test } from "node:test";

import { functionOf, parseHotKeys } from "./hot-keys.ts";

const press = (keyCode: number, held = "") => ({
  keyCode,
  ctrlKey: held.includes("c"),
  altKey: held.includes("a"),
  shiftKey: held.includes("s"),
});

test("hot keys are read in the forms that pages use", () => {
  for (const [text, expected] of [
    ['{"ctrl-13":"startSession"}', { "ctrl-13": "startSession" }],
    ['{"shift-46":"showTerms","shift-8":"showTerms"}', { "shift-46": "showTerms", "shift-8": "showTerms" }],
    ['{"Ctrl-13" : "startSession", "ctrl-9" : "toggleButton"}', { "ctrl-13": "startSession", "ctrl-9": "toggleButton" }],
    ["{'ctrl-13':'startSession'}", { "ctrl-13": "startSession" }],
    ["", {}],
    ["{", {}],
    ['{"ctrl-13": 5}', {}],
  ] as const) {
    assert.deepEqual(parseHotKeys(text), expected, text);
  }
});

test("a hot key needs exactly its own modifier", () => {
  const keys = parseHotKeys('{"ctrl-13":"startSession","alt-13":"showTerms"}');
  assert.equal(functionOf(keys, press(13, "c")), "startSession");
  assert.equal(functionOf(keys, press(13, "a")), "showTerms");
  for (const other of [press(13), press(13, "s"), press(13, "ca"), press(13, "cs"), press(9, "c")]) {
    assert.equal(functionOf(keys, other), undefined);
  }
});
