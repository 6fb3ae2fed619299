import assert from "node:assert/strict";
import { test } from "node:test";

import { parseAddresses, parseDesk } from "./demo.mjs";

const ORIGIN = "without the edge origin http://127.0.0.1:3\n";
const EDGE = "through the edge http://127.0.0.1:1   https://127.0.0.1:2 (home-made)\n";
const ADMIN = "admin http://127.0.0.1:4/metrics\n";

test("addresses are read from what the demo says, in any order", () => {
  const expected = {
    edge: "http://127.0.0.1:1",
    tls: "https://127.0.0.1:2",
    admin: "http://127.0.0.1:4",
    origin: "http://127.0.0.1:3",
  };
  assert.deepEqual(parseAddresses(ORIGIN + EDGE + ADMIN), expected);
  assert.deepEqual(parseAddresses(EDGE + ADMIN + ORIGIN), expected);
});

test("nothing is read until all of it is said", () => {
  for (const missing of [ORIGIN, EDGE, ADMIN]) {
    const said = (ORIGIN + EDGE + ADMIN).replace(missing, "");
    assert.equal(parseAddresses(said), undefined, missing);
  }
  assert.equal(parseAddresses(`${EDGE}${ADMIN}origin http://127.0.0.1:3`), undefined);
});

test("the console is read from what the demo says, and who may log in", () => {
  const said = `${ORIGIN}  agents' console    http://127.0.0.1:5
    agent ada  password abcd-efgh   groups 15687, 15688
    agent bo   password (as told before)   groups 15691
Log in there, start a session on a page, and join it from the list.`;
  assert.deepEqual(parseDesk(said), {
    console: "http://127.0.0.1:5",
    agents: [{ name: "ada", password: "abcd-efgh", groups: [15687, 15688] }],
  });
  assert.equal(parseDesk(said.slice(0, -80)), undefined);
});
