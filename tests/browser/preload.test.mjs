// The browser is told of the script in the head of a tagged page: it fetches it once, early, and
// finds at the tag what it has fetched.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { launchBrowser, newPage } from "./browser.mjs";
import { startEdge } from "./edge.mjs";
import { LOADER_HASH, notFound, serve } from "./servers.mjs";

const STRICT = "script-src 'strict-dynamic'";

/** Each is a site of its own: what its rules say, and under which policy its page stands. */
const PAGES = {
  plain: {},
  own: { script: "/_mount/loader.js" },
  policy: { policy: "default-src 'self'" },
  nonce: { policy: `${STRICT} 'nonce-pageNonce'` },
  "nonce-made": { policy: STRICT },
  anonymous: { rules: 'tag = { crossorigin = "anonymous" }' },
  credentials: { rules: 'tag = { crossorigin = "use-credentials" }' },
  integrity: { rules: `tag = { integrity = "${LOADER_HASH}", crossorigin = "anonymous" }` },
  hash: {
    rules: `tag = { integrity = "${LOADER_HASH}", crossorigin = "anonymous" }`,
    policy: STRICT,
  },
  head: { rules: 'placement = "head"' },
  off: { rules: "preload = false", silent: true },
};

let origin, cdn, edge, browser, rules;
const seen = {};

before(async () => {
  [origin, cdn] = await Promise.all([serve(sendPage), serve(notFound)]);
  rules = mkdtempSync(join(tmpdir(), "cobrowse-edge-preload-"));
  writeFileSync(join(rules, "rules.toml"), `version = 1\n${Object.keys(PAGES).map(site).join("")}`);
  edge = await startEdge(["--rules", rules]);
  browser = await launchBrowser();
  await Promise.all(Object.keys(PAGES).map(async (name) => (seen[name] = await visit(name))));
  await complained();
});

after(async () => {
  await browser?.close();
  [origin, cdn].forEach((server) => server?.stop());
  const code = await edge?.stop();
  if (rules) rmSync(rules, { recursive: true });
  assert.equal(code, 0, "Ctrl-C ends the edge cleanly");
});

for (const [name, { silent }] of Object.entries(PAGES)) {
  test(`the script is fetched once and used: ${name}`, () => {
    const { runs, initiator, links, messages } = seen[name];
    assert.equal(runs, 1);
    assert.equal(links, silent ? 0 : 1, "Link beside the origin's own");
    assert.equal(initiator, silent ? "script" : "link");
    assert.deepEqual(messages, []);
    const { asked } = name === "own" ? origin : cdn;
    const fetched = asked.filter((target) => target.endsWith(`loader.js?${name}`));
    assert.equal(fetched.length, 1, asked.join("\n"));
  });
}

/** Loads a page, and leaves it open: what a browser complains of comes later. */
async function visit(name) {
  const page = await newPage(browser);
  const messages = listen(page);
  const answer = await page.goto(edge.http.replace("127.0.0.1", `${name}.localhost`));
  await page.waitForFunction(() => window.__cobrowse?.runs);
  const found = await page.evaluate(() => {
    const entries = performance.getEntriesByType("resource");
    const loader = entries.find((entry) => entry.name.includes("loader.js"));
    return { runs: window.__cobrowse.runs, initiator: loader.initiatorType };
  });
  const lines = (await answer.headersArray()).filter((line) => line.name.toLowerCase() === "link");
  return { ...found, links: lines.length - 1, messages };
}

/** What the browser has to say about preloads. */
function listen(page) {
  const messages = [];
  page.on("console", (message) => {
    if (message.text().includes("preload")) messages.push(message.text());
  });
  return messages;
}

/** Waits until the browser complains of a preload that is not used, on a page that was loaded last. */
async function complained() {
  const page = await newPage(browser);
  const complaint = page.waitForEvent("console", (message) => message.text().includes("preloaded"));
  await page.goto(`http://unused.localhost:${origin.port}/`);
  await complaint;
}

function sendPage(_, response, { headers }) {
  const name = headers.host.split(".")[0];
  const unused = `<http://127.0.0.1:${cdn.port}/unused.js>; rel=preload; as=script`;
  const own = "</own.css>; rel=stylesheet";
  const { policy } = PAGES[name] ?? {};
  response.setHeader("link", name === "unused" ? unused : own);
  if (policy) response.setHeader("content-security-policy", policy);
  response.setHeader("content-type", "text/html");
  response.end("<!doctype html><title>a page</title><p>text</p>");
}

function site(name) {
  const { rules = "", script = `http://127.0.0.1:${cdn.port}/loader.js` } = PAGES[name];
  return `
[[site]]
hosts  = ["${name}.localhost"]
origin = "http://127.0.0.1:${origin.port}"
group  = 15687
script = { url = "${script}?${name}" }
${rules}
`;
}
