import assert from "node:assert/strict";
import { test } from "node:test";

import { scaleFor } from "./stage.ts";

const PAGE = { width: 1000, height: 500 };

for (const [zoom, width, height, scale] of [
  ["fit", 500, 500, 0.5], ["fit", 1000, 100, 0.2], ["fit", 4000, 4000, 1], ["fit", 0, 0, 1], [1.5, 10, 10, 1.5], [99, 10, 10, 4], [0, 10, 10, 0.1],
] as const) {
  test(`a page of 1000 x 500 in ${width} x ${height}, ${zoom}: ${scale}`, () => {
    assert.equal(scaleFor(zoom, PAGE, { width, height }), scale);
  });
}
