// The visitor's script against the backend in the built binary, on the demo's bank.

import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { keep } from "../binary.mjs";
import { launchBrowser } from "../browser.mjs";
import { startDemo } from "../demo.mjs";
import { call, heard, payloads, visit, waitFor } from "./visit.mjs";

const GROUP = 15687;

let demo;
let data;
let browser;

before(async () => {
  data = await mkdtemp(join(tmpdir(), "edge-demo-"));
  demo = await startDemo("--data", data);
  browser = await launchBrowser();
});

after(async () => {
  await browser?.close();
  await demo?.stop();
  for (const name of await readdir(data)) if (name.startsWith("cobrowse.db")) keep(name, await readFile(join(data, name)));
  await rm(data, { recursive: true, force: true });
});

const key = (visitor) => call(visitor, "getKey");

test("a session starts, goes on over pages and ends", async () => {
  const visitor = await visit(browser, `${demo.edge}/account`);
  await call(visitor, "startSession");
  await waitFor(visitor, "sessionstart");
  const started = await key(visitor);
  assert.match(started, /^\d{5}$/);
  assert.equal(await call(visitor, "sessionGroupId"), GROUP);
  const cookies = await visitor.context().cookies(demo.edge);
  const token = cookies.find(({ name }) => name === "cobrowse");
  assert.equal(token.httpOnly, true);
  assert.equal(token.sameSite, "Lax");

  await visitor.goto(`${demo.edge}/mortgage/apply`);
  await waitFor(visitor, "sessioncontinue");
  assert.equal(await key(visitor), started);
  await visitor.reload();
  await waitFor(visitor, "sessioncontinue");

  // A page without a tag in between.
  await visitor.goto(`${demo.edge}/mortgage/calculators/payment`);
  await visitor.goto(`${demo.edge}/mortgage/`);
  await waitFor(visitor, "sessioncontinue");
  assert.equal(await key(visitor), started);

  await call(visitor, "stopSession");
  await waitFor(visitor, "sessionend");
  await visitor.reload();
  await visitor.waitForFunction(() => window.GLANCE?.Cobrowse?.Visitor);
  assert.equal(await call(visitor, "inSession"), false);
  assert.deepEqual(visitor.problems, []);
  await visitor.context().close();
});

test("a session in another group of the page is suspended where the group is not allowed", async () => {
  const visitor = await visit(browser, `${demo.edge}/mortgage/apply`);
  await call(visitor, "startSession", { groupid: 15690, sessionKey: "my-own-key" });
  await waitFor(visitor, "sessionstart");
  assert.equal(await key(visitor), "my-own-key");
  await visitor.goto(`${demo.edge}/account`);
  await waitFor(visitor, "error");
  const [error] = await payloads(visitor, "error");
  assert.equal(error.code, "groupid");
  await visitor.goto(`${demo.edge}/mortgage/`);
  await waitFor(visitor, "sessioncontinue");
  assert.equal(await key(visitor), "my-own-key");

  const other = await visit(browser, `${demo.edge}/mortgage/apply`);
  await call(other, "startSession", { groupid: 15690, sessionKey: "my-own-key" });
  await waitFor(other, "error");
  assert.equal((await payloads(other, "error"))[0].code, "dupkey");
  await call(other, "startSession", { groupid: 15691 });
  await waitFor(other, "error", 2);
  assert.equal((await payloads(other, "error"))[1].code, "groupid");
  await Promise.all([visitor, other].map((page) => page.context().close()));
});

test("a session outlives the process that runs it, without a click", async () => {
  const visitor = await visit(browser, `${demo.edge}/account`);
  await call(visitor, "startSession");
  await waitFor(visitor, "sessionstart");
  const started = await key(visitor);
  const { port } = new URL(demo.edge);
  await demo.kill();
  await visitor.waitForFunction(() => window.heard.some(([name, payload]) => name === "connection" && payload.status === "reconnecting"));
  const killed = Date.now();
  demo = await startDemo("--data", data, "--listen", `127.0.0.1:${port}`);
  await visitor.waitForFunction(() => window.heard.some(([name, payload]) => name === "connection" && payload.status === "ok"));
  const took = Date.now() - killed;
  assert.equal(await key(visitor), started);
  assert.ok(took < 5_000, `${took} ms`);
  assert.ok(!(await heard(visitor)).includes("sessionend"));
  await visitor.context().close();
});
