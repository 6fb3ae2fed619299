// Who follows the demo's own text is in a live session within a minute.

import assert from "node:assert/strict";
import { test } from "node:test";

import { launchBrowser } from "../browser.mjs";
import { drawn } from "../console/agent.mjs";
import { startDemo } from "../demo.mjs";

const MINUTE_MS = 60_000;

test("the demo's text leads to a live session within a minute", async (t) => {
  const begun = Date.now();
  const demo = await startDemo();
  t.after(() => demo.stop());
  const browser = await launchBrowser();
  t.after(() => browser.close());
  const { name, password } = demo.agents.find(({ groups }) => groups.includes(15687));

  const visitor = await (await browser.newContext()).newPage();
  await visitor.goto(`${demo.edge}/account`);
  await visitor.keyboard.press("Control+Enter");
  await visitor.waitForFunction(() => GLANCE.Cobrowse.Visitor.loaded && GLANCE.Cobrowse.Visitor.getKey());
  const key = await visitor.evaluate(() => GLANCE.Cobrowse.Visitor.getKey());

  const desk = await (await browser.newContext()).newPage();
  await desk.goto(demo.console);
  await desk.getByLabel("Name").fill(name);
  await desk.getByLabel("Password").fill(password);
  await desk.keyboard.press("Enter");
  await desk.getByRole("complementary").getByRole("button", { name: new RegExp(`(?<!\\d)${key}(?!\\d)`) }).click();
  await drawn(desk).getByText("Everyday Checking").waitFor();
  assert.ok(!(await drawn(desk).locator("body").innerText()).includes("0001 4420 7713"), "account numbers are masked");
  assert.equal(await visitor.evaluate(() => GLANCE.Cobrowse.Visitor.getSessionState().state), "live");
  const took = Date.now() - begun;

  // The frames of an old page are seen by grants of their own.
  await visitor.goto(`${demo.edge}/frames.html`);
  const frames = drawn(desk).locator("iframe");
  await frames.nth(0).contentFrame().getByText("Our branches").waitFor();
  await frames.nth(1).contentFrame().getByText("22 Mill Lane").first().waitFor();
  assert.ok(took < MINUTE_MS, `${took} ms`);
});

test("each of the demo's agents can log in, with a password of his own", async (t) => {
  const demo = await startDemo();
  t.after(() => demo.stop());
  assert.equal(demo.agents.length, 2);
  assert.notEqual(demo.agents[0].password, demo.agents[1].password);
  for (const { name, password } of demo.agents) {
    const login = (body) =>
      fetch(`${demo.console}/api/login`, { method: "POST", headers: { origin: demo.console, "content-type": "application/json" }, body: JSON.stringify(body) });
    assert.equal((await login({ name, password })).ok, true, name);
    assert.equal((await login({ name, password: `${password}x` })).ok, false, name);
  }
});
