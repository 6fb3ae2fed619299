import assert from "node:assert/strict";
import { test } from "node:test";

import { step } from "./zoom.ts";

for (const [scale, up, wanted] of [
  [1, true, 1.1], [1, false, 0.9], [0.734, true, 0.8], [0.734, false, 0.67], [0.999, true, 1.1], [2, true, 2], [3, true, 2], [0.1, false, 0.25],
] as const) {
  test(`from ${scale} ${up ? "up" : "down"} to ${wanted}`, () => {
    assert.equal(step(scale, up), wanted);
  });
}
