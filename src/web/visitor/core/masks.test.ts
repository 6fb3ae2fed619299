import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { prepareMasks, type Descriptor } from "./masks.ts";

const DOC = {
  createDocumentFragment: () => ({ appendChild: () => undefined, querySelector: () => ({}) }),
  createElement: () => ({}),
} as unknown as Document;
const AGENTS = { count: 0, agentlist: [] };
const prepare = (descriptor?: Descriptor) => prepareMasks([".site"], 7, AGENTS, descriptor, DOC);

test("the backend's selectors, the page's and the group's mark go together", async () => {
  const prepared = await prepare(async () => ({ maskedelements: [".own"] }));
  assert.ok(prepared.ok && !prepared.page);
  assert.ok(prepared.selector.endsWith(',.site,.own,[data-cobrowse-mask-groups~="7"]'));
});

test("a page may mask all of itself", async () => {
  const prepared = await prepare(() => ({ maskpage: true }));
  assert.ok(prepared.ok && prepared.page);
});

for (const [name, descriptor] of [
  ["fails", () => Promise.reject(new Error("no"))],
  ["throws", () => { throw new Error("no"); }],
  ["says nothing", () => undefined],
  ["says no list", () => ({ maskedelements: ".a" })],
  ["says no selector", () => ({ maskedelements: [7] })],
] as [string, Descriptor][]) {
  test(`there are no masks where the page ${name}`, async () => {
    assert.equal((await prepare(descriptor)).ok, false);
  });
}

test("a page that never answers has no masks", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const prepared = prepare(() => new Promise(() => undefined));
  mock.timers.tick(10_000);
  assert.equal((await prepared).ok, false);
  mock.timers.reset();
});
