// What looks for leaks finds them, and notices when there is nothing to look at.

import assert from "node:assert/strict";
import { test } from "node:test";

import { problems } from "../leaks.mjs";

const good = () => [
  ["1-cobrowse.db", "visitor continue allowed"],
  ["2-serve.log", "GET /mortgage/apply 200, GET /canary-in-path 404"],
  ["3-e2e.sockets", "Apply for a mortgage SECRET-retail-0422 ***"],
];

test("nothing is found where nothing is", () => {
  assert.deepEqual(problems(good()), []);
});

for (const word of ["SECRET-ssn-0417", "CANARY", "canary-in-frame"]) {
  for (const [index, [name]] of good().entries()) {
    test(`${word} is found in ${name}`, () => {
      const files = good();
      files[index][1] += ` ${word}; ${word}`;
      assert.deepEqual(problems(files), [`${word} is in ${name}`]);
    });
  }
}

test("what one group must not see is in no file and no log", () => {
  const files = good();
  files[0][1] += "SECRET-retail-0422";
  assert.deepEqual(problems(files), ["SECRET-retail-0422 is in 1-cobrowse.db"]);
});

for (const [index, [name]] of good().entries()) {
  test(`without ${name} there is nothing to search`, () => {
    const files = good();
    const empty = files.map(([file, text], at) => [file, at === index ? "" : text]);
    assert.equal(problems(empty).length, 1);
    assert.equal(problems(files.filter((_, at) => at !== index)).length, 1);
  });
}
