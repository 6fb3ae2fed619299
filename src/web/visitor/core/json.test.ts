import assert from "node:assert/strict";
import { test } from "node:test";

import { stringify } from "./json.ts";

const VALUES = [null, 1.5, "é\u2028\"", true, [], {}, [1, [undefined, () => 1], { a: undefined, b: [null] }], { "a b": { c: [{}] } }, NaN, undefined];

test("values are written as JSON.stringify writes them", () => {
  for (const value of VALUES) assert.equal(stringify(value ?? null), JSON.stringify(value ?? null));
});

test("a page's own toJSON changes nothing", () => {
  const expected = VALUES.map((value) => JSON.stringify(value ?? null));
  const prototype = Array.prototype as { toJSON?: () => string };
  prototype.toJSON = () => "broken";
  try {
    assert.equal(JSON.stringify([1]), '"broken"');
    VALUES.forEach((value, index) => assert.equal(stringify(value ?? null), expected[index]));
  } finally {
    delete prototype.toJSON;
  }
});
