import assert from "node:assert/strict";
import { test } from "node:test";

import { parseKey, wantedBy } from "./wanted.ts";

for (const [address, wanted] of [
  ["?SessionKey=40213&Wait=1", { key: "40213", wait: true }],
  ["?sessionkey=40213&wait=1&groupid=15687", { key: "40213", group: 15687, wait: true }],
  ["?VisitorId=crm-77&GroupId=5", { key: "crm-77", group: 5 }],
  ["?SESSIONKEY=a.b~c_d-e&partnerid=72&loginkey=x", { key: "a.b~c_d-e", group: 72 }],
  ["?SessionKey=1&SessionKey=2&Wait=0", { key: "1" }],
  ["?SessionKey=&VisitorId=v1", { key: "v1" }],
  ["?SessionKey=1&GroupId=x", { key: "1" }],
  ["#00f3a9c2b47d1e58", { session: "00f3a9c2b47d1e58" }],
  ["?SessionKey=1#00f3a9c2b47d1e58", { session: "00f3a9c2b47d1e58" }],
  ["", undefined],
  ["?SessionKey=a%20b%3Cscript%3E", undefined],
  [`?SessionKey=${"k".repeat(63)}`, undefined],
  ["#00F3A9C2B47D1E58", undefined],
  ["?Wait=1", undefined],
] as const) {
  test(`an address asks for a session: ${address}`, () => {
    assert.deepEqual(wantedBy(new URL(address, "https://agents.example/AgentView")), wanted);
  });
}

test("a key is taken as people type it", () => {
  assert.equal(parseKey(" 402 13\n"), "40213");
  assert.equal(parseKey("k".repeat(62)), "k".repeat(62));
  for (const none of ["", " ", "a/b", "k".repeat(63), "é"]) assert.equal(parseKey(none), undefined, none);
});
