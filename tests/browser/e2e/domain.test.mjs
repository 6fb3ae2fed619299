// A session goes from one host of a domain to another where the tags say so, and nowhere else.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { launchBrowser } from "../browser.mjs";
import { call, heard, waitFor } from "../visitor/visit.mjs";
import { openHouse } from "./house.mjs";
import { agent, joins, sees, started, visitor } from "./people.mjs";

let browser, house;
before(async () => {
  const flags = ["--host-resolver-rules=MAP *.bank.test 127.0.0.1"];
  [browser, house] = await Promise.all([launchBrowser({ flags }), openHouse()]);
});
after(async () => {
  await browser?.close();
  await house?.close();
});

const at = (host) => `http://${host}:${new URL(house.site).port}`;

test("a session goes on at the domain's other host", async (t) => {
  const page = await visitor(t, browser, { site: at("www.bank.test") }, "/");
  const key = await started(page);
  const desk = await agent(t, browser, house);
  await joins(desk, key);
  await sees(desk, "Welcome");
  await page.goto(`${at("apply.bank.test")}/mortgage/apply`);
  await waitFor(page, "sessioncontinue");
  assert.equal(await call(page, "getKey"), key);
  await sees(desk, "Apply for a mortgage");
  await desk.getByText(`${at("apply.bank.test")}/mortgage/apply`).waitFor();

  const cookies = await page.context().cookies();
  const token = cookies.find(({ name }) => name === "cobrowse");
  assert.deepEqual([token.domain, token.httpOnly], [".bank.test", true]);
  assert.equal(cookies.find(({ name }) => name === "glance_cobrowse").domain, ".bank.test");

  await page.goto(`${at("www.bank.test")}/mortgage/second`);
  await waitFor(page, "sessioncontinue");
  await call(page, "stopSession");
  await waitFor(page, "sessionend");
  await page.goto(`${at("apply.bank.test")}/`);
  assert.equal(await call(page, "inSession"), false);
  assert.deepEqual((await page.context().cookies()).filter(({ name }) => /cobrowse/.test(name)), []);
});

test("without the domain in its tag, a host has sessions of its own", async (t) => {
  const page = await visitor(t, browser, { site: at("other.bank.test") }, "/");
  await started(page);
  await page.goto(`${at("www.bank.test")}/`);
  assert.equal(await call(page, "inSession"), false);
  assert.deepEqual(await heard(page), []);
  await page.goto(`${at("other.bank.test")}/mortgage/second`);
  await waitFor(page, "sessioncontinue");
});
