// Each page through the edge carries exactly one live tag, and masks where the rules say.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { launchBrowser, newPage } from "./browser.mjs";
import { startDemo } from "./demo.mjs";
import { open, TAGGED, UNTAGGED } from "./pages.mjs";

let demo, browser;

before(async () => {
  demo = await startDemo("--stand-in");
  browser = await launchBrowser();
});

after(async () => {
  await browser?.close();
  assert.equal(await demo?.stop(), 0, "Ctrl-C ends the demo cleanly");
});

for (const expected of TAGGED) {
  test(`${expected.path} has one live tag with the right groups and masks`, async () => {
    const page = await newPage(browser);
    await open(page, demo.edge, expected);
    await page.waitForFunction(() => window.__cobrowseDemo?.echo);
    assert.deepEqual(await page.evaluate(tagFacts), {
      scripts: 1,
      named: 1,
      groupid: expected.group,
      additional: expected.additional,
      loads: 1,
      ws: "open",
      echo: `hello from group ${expected.group}`,
    });
    const selectors = Object.keys(expected.masks);
    const { masks, total } = await page.evaluate(maskFacts, selectors);
    assert.deepEqual(masks, expected.masks, "masked elements by selector");
    const sum = Object.values(expected.masks).reduce((sum, count) => sum + count, 0);
    assert.equal(total, sum, "no other element is masked");
    await page.context().close();
  });
}

for (const { path } of UNTAGGED) {
  test(`${path} has no tag and no mask, and still works`, async () => {
    const page = await newPage(browser);
    await page.goto(demo.edge + path, { waitUntil: "load" });
    const facts = await page.evaluate(() => ({
      tags: document.querySelectorAll("#glance-cobrowse, script[src*=CobrowseJS]").length,
      masked: document.querySelectorAll("[glance_masked]").length,
      live: "__cobrowseDemo" in window,
      result: document.getElementById("result").textContent,
    }));
    assert.deepEqual(facts, { tags: 0, masked: 0, live: false, result: "$729.13" });
    await page.context().close();
  });
}

test("the documents in frames carry at most one tag each", async () => {
  const page = await newPage(browser);
  await page.goto(`${demo.edge}/frames.html`, { waitUntil: "load" });
  assert.equal(page.frames().length, 3);
  for (const frame of page.frames()) {
    const tags = await frame.evaluate(() => document.querySelectorAll("#glance-cobrowse").length);
    assert.ok(tags <= 1, `${frame.url()} has ${tags} tags`);
  }
  await page.context().close();
});

test("the page is tagged over TLS and HTTP/2 as well", async () => {
  const page = await newPage(browser);
  await open(page, demo.tls, TAGGED[0]);
  await page.waitForFunction(() => window.__cobrowseDemo?.echo);
  const facts = await page.evaluate(() => ({
    ws: window.__cobrowseDemo.ws,
    protocol: performance.getEntriesByType("navigation")[0].nextHopProtocol,
  }));
  assert.deepEqual(facts, { ws: "open", protocol: "h2" });
  await page.context().close();
});

function tagFacts() {
  const { groupid, additional, loads, ws, echo } = window.__cobrowseDemo;
  const scripts = document.querySelectorAll("script[src*=CobrowseJS]").length;
  const named = document.querySelectorAll("#glance-cobrowse").length;
  return { scripts, named, groupid, additional, loads, ws, echo };
}

function maskFacts(selectors) {
  const masked = (selector) => {
    const all = [...document.querySelectorAll(selector)];
    return all.filter((element) => element.getAttribute("glance_masked") === "true").length;
  };
  const masks = Object.fromEntries(selectors.map((selector) => [selector, masked(selector)]));
  return { masks, total: document.querySelectorAll("[glance_masked]").length };
}
