// What is not a page goes through as it is: fragments, downloads, streams, sockets, forms.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { launchBrowser, newPage } from "./browser.mjs";
import { startDemo } from "./demo.mjs";

let demo, browser, page;

before(async () => {
  demo = await startDemo("--stand-in");
  browser = await launchBrowser();
  page = await newPage(browser);
});

after(async () => {
  await browser?.close();
  await demo?.stop();
});

test("the fragment is fetched by script, untagged", async () => {
  const fetched = page.waitForResponse("**/fragment/rates");
  await page.goto(`${demo.edge}/`);
  assert.doesNotMatch(await (await fetched).text(), /<script|glance/i);
  await page.waitForSelector("#rates table");

  const headers = { "x-requested-with": "XMLHttpRequest" };
  const [edge, direct] = await download("/fragment/rates", headers);
  assert.deepEqual(edge, direct);
});

const DOWNLOADS = [
  "/download/terms.pdf",
  "/download/statement.csv",
  "/download/receipt.html",
  "/images/house.gif",
  "/favicon.ico",
  "/bank.css",
  "/js/bank.js",
];
for (const path of DOWNLOADS) {
  test(`${path} arrives byte for byte`, async () => {
    const [edge, direct] = await download(path);
    assert.deepEqual(edge, direct);
  });
}

test("a download is one in the browser, too", async () => {
  await page.goto(`${demo.edge}/account`);
  const download = page.waitForEvent("download");
  await page.click("text=Last receipt");
  assert.equal((await download).suggestedFilename(), "receipt.html");
});

test("ticks of the event stream arrive while it goes on", async () => {
  await page.goto(`${demo.edge}/markets`);
  await page.waitForFunction(() => Number(document.getElementById("ticks").textContent) >= 3);
});

test("a socket through the mount echoes text of every length", async () => {
  await page.goto(`${demo.edge}/chat`);
  const echoes = await page.evaluate(
    (lengths) =>
      new Promise((resolve, reject) => {
        const socket = new WebSocket(`ws://${location.host}/_cobrowse/cobrowse/socket`);
        const heard = [];
        socket.onerror = () => reject(new Error("the socket failed"));
        socket.onopen = () => lengths.forEach((length) => socket.send("x".repeat(length)));
        socket.onmessage = ({ data }) => {
          heard.push(data.length);
          if (heard.length === lengths.length) resolve(heard);
        };
      }),
    [0, 1, 125, 126, 4096],
  );
  assert.deepEqual(echoes, [0, 1, 125, 126, 4096]);
});

test("signing in leads to the account with every cookie", async () => {
  await page.goto(`${demo.edge}/login`);
  await page.fill("input[name=userid]", "rene");
  await page.click("input[type=submit]");
  await page.waitForSelector("text=Please type your password");
  assert.equal(await page.locator("#glance-cobrowse").count(), 1, "an answer to POST is a page");

  await page.fill("input[name=userid]", "rene");
  await page.fill("input[name=password]", "secret");
  await page.click("input[type=submit]");
  await page.waitForURL(`${demo.edge}/account`);
  const cookies = await page.context().cookies(`${demo.edge}/account`);
  const names = cookies.map((cookie) => cookie.name).sort();
  assert.deepEqual(names, ["ASPSESSIONIDQGGQ", "BankSession", "lastvisit"]);
});

test("the redirect of the old home page stays on the edge", async () => {
  await page.goto(`${demo.edge}/old-home`);
  assert.equal(page.url(), `${demo.edge}/`);
});

test("going back shows the page with its tag", async () => {
  await page.goto(`${demo.edge}/mortgage/`);
  await page.goto(`${demo.edge}/chat`);
  await page.goBack();
  await page.reload();
  await page.waitForFunction(() => window.__cobrowseDemo?.ws === "open");
  assert.equal(await page.locator("#glance-cobrowse").count(), 1);
});

/** The same address through the edge and without it: type and bytes. */
function download(path, headers = {}) {
  return Promise.all(
    [demo.edge, demo.origin].map(async (address) => {
      const response = await fetch(address + path, { headers });
      const type = response.headers.get("content-type");
      return { type, body: Buffer.from(await response.arrayBuffer()).toString("latin1") };
    }),
  );
}
