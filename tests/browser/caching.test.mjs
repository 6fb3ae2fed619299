// What a browser has in store never outlives the rules, and is not fetched anew without need.

import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";

import { launchBrowser, newPage } from "./browser.mjs";
import { startEdge, startOrigin, untilServed } from "./site.mjs";

let browser, origin, edge;

const MODIFIED = "Wed, 21 Oct 2015 07:28:00 GMT";

/** One page with an entity tag, one with a date only, and pages that meet others. */
const PAGES = {
  "/tag": "<!doctype html><title>a</title><p>by its tag",
  "/date": "<!doctype html><title>a</title><p>by its date",
  "/frames": "<!doctype html><title>a</title><iframe name=inner src=/tag></iframe>",
  "/popup": "<!doctype html><title>a</title><button onclick=\"window.open('/tag')\">open</button>",
  "/prefetch": "<!doctype html><title>a</title><link rel=prefetch href=/tag><a href=/tag>go</a>",
  "/speculate": `<!doctype html><title>a</title><script type=speculationrules>
    {"prefetch": [{"urls": ["/tag"], "eagerness": "immediate"}]}</script><a href=/tag>go</a>`,
};

function answer(request, response) {
  const page = PAGES[request.url];
  if (!page) return void response.writeHead(404, { "content-type": "text/plain" }).end();
  const validator = request.url === "/date" ? { "last-modified": MODIFIED } : { etag: '"v1"' };
  const asked = request.headers;
  const known = asked["if-none-match"] === '"v1"' || asked["if-modified-since"] === MODIFIED;
  if (known) return void response.writeHead(304, validator).end();
  response.writeHead(200, { "content-type": "text/html", ...validator }).end(page);
}

before(async () => {
  browser = await launchBrowser();
  origin = await startOrigin(answer);
  edge = await startEdge(origin.address, "group = 1");
});

after(async () => {
  await browser?.close();
  await edge?.stop();
  await origin?.stop();
});

beforeEach(async () => {
  await edge.write("group = 1");
  await untilServed(`${edge.address}/tag`, 'data-groupid="1"');
  origin.seen.length = 0;
});

/** The groups of the tags that are on the page, those out of action left out. */
const groups = (page) =>
  page.$$eval("#glance-cobrowse", (tags) => tags.map((tag) => tag.dataset.groupid));

const pagesSeen = (path) => origin.seen.filter((request) => request.path === path);

/** The statuses that came over the wire, whatever the page is then shown from. */
async function statuses(page) {
  const session = await page.context().newCDPSession(page);
  await session.send("Network.enable");
  const addresses = new Map();
  const came = [];
  session.on("Network.requestWillBeSent", ({ requestId, request }) =>
    addresses.set(requestId, new URL(request.url).pathname),
  );
  session.on("Network.responseReceivedExtraInfo", ({ requestId, statusCode }) =>
    came.push([requestId, statusCode]),
  );
  return (path) => came.filter(([id]) => addresses.get(id) === path).map(([, status]) => status);
}

for (const path of ["/tag", "/date"]) {
  test(`${path}: under the same rules a 304 crosses the wire`, async () => {
    const page = await newPage(browser);
    const came = await statuses(page);
    await page.goto(edge.address + path);
    await page.goto("about:blank");
    await page.goto(edge.address + path);
    assert.deepEqual(await groups(page), ["1"]);
    assert.deepEqual(came(path), [200, 304]);
    assert.deepEqual(pagesSeen(path).map((request) => request.status), [200, 304]);
    await page.context().close();
  });

  test(`${path}: new groups are on the page at the next visit`, async () => {
    const page = await newPage(browser);
    const came = await statuses(page);
    await page.goto(edge.address + path);
    assert.deepEqual(await groups(page), ["1"]);
    await edge.write("group = 2");
    await untilServed(edge.address + path, 'data-groupid="2"');
    await page.goto("about:blank");
    await page.goto(edge.address + path);
    assert.deepEqual(await groups(page), ["2"]);
    assert.deepEqual(came(path), [200, 200]);
    await page.context().close();
  });
}

test("frames get their own tag, or none where the rule says so", async () => {
  const page = await newPage(browser);
  await page.goto(`${edge.address}/frames`);
  assert.deepEqual(await groups(page), ["1"]);
  assert.deepEqual(await groups(page.frame("inner")), ["1"]);
  await edge.write('group = 3\nframes = "skip"');
  await untilServed(`${edge.address}/tag`, 'data-groupid="3"');
  await page.goto(`${edge.address}/frames`);
  assert.deepEqual(await groups(page), ["3"]);
  assert.deepEqual(await groups(page.frame("inner")), []);
  await page.goto(`${edge.address}/tag`);
  assert.deepEqual(await groups(page), ["3"], "what the frame left in store is no page");
  await page.context().close();
});

test("a popup gets the tag", async () => {
  const page = await newPage(browser);
  await page.goto(`${edge.address}/popup`);
  const opened = page.waitForEvent("popup");
  await page.click("button");
  const popup = await opened;
  await popup.waitForLoadState();
  assert.deepEqual(await groups(popup), ["1"]);
  await page.context().close();
});

for (const path of ["/prefetch", "/speculate"]) {
  test(`${path}: what was fetched ahead has the tag when it is visited`, async () => {
    const page = await newPage(browser);
    await page.goto(edge.address + path);
    await page.waitForLoadState("networkidle");
    await page.click("a");
    await page.waitForURL("**/tag");
    assert.deepEqual(await groups(page), ["1"]);
    await page.context().close();
  });
}

test("what a script fetches before a visit is no page, and is not shown as one", async () => {
  const page = await newPage(browser);
  await page.goto(`${edge.address}/popup`);
  const fetched = await page.evaluate(() => fetch("/tag").then((answer) => answer.text()));
  assert.equal(fetched, PAGES["/tag"]);
  await page.goto(`${edge.address}/tag`);
  assert.deepEqual(await groups(page), ["1"]);
  assert.equal(
    await page.evaluate(() => fetch("/tag").then((answer) => answer.text())),
    PAGES["/tag"],
    "nor is the page in store what a script gets",
  );
  await page.context().close();
});
