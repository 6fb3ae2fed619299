// A page that is fetched ahead and visited later has its tag exactly once, and what its scripts
// fetch meanwhile has none.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";

import { openAlone } from "./browser.mjs";
import { startEdge } from "./edge.mjs";
import { serve } from "./servers.mjs";

const TIMEOUT = 30_000;

let origin, edge, rules, told, tell, asked;

before(async () => {
  origin = await serve(sendPage);
  rules = mkdtempSync(join(tmpdir(), "cobrowse-edge-prerender-"));
  writeFileSync(join(rules, "rules.toml"), rulesText());
  edge = await startEdge(["--rules", rules]);
});

beforeEach(() => {
  asked = [];
  told = new Promise((resolve) => (tell = resolve));
});

after(async () => {
  origin?.stop();
  const code = await edge?.stop();
  if (rules) rmSync(rules, { recursive: true });
  assert.equal(code, 0, "Ctrl-C ends the edge cleanly");
});

test("a page that is prerendered and then visited has one live tag", { timeout: TIMEOUT }, async () => {
  const seen = await openAlone(`${edge.http}/start/prerender`, told);
  assert.ok(seen.activationStart > 0, "it was prerendered");
  assert.deepEqual(seen.whilePrerendering, { tags: 1, runs: 1 });
  assert.deepEqual([seen.tags, seen.runs], [1, 1]);
  assert.equal(seen.masked, "true");
  assert.deepEqual(asked, ["document prefetch;prerender"], "it was asked for once");
  assert.ok(!seen.fetched.includes("glance-cobrowse"), seen.fetched);
});

for (const [how, purpose] of [["prefetch", "document prefetch"], ["link", "empty prefetch"]]) {
  test(`a page that is fetched ahead (${how}) has one live tag`, { timeout: TIMEOUT }, async () => {
    const seen = await openAlone(`${edge.http}/start/${how}`, told);
    assert.equal(seen.activationStart, 0);
    assert.deepEqual([seen.tags, seen.runs], [1, 1]);
    assert.equal(seen.masked, "true");
    assert.equal(asked[0], purpose);
  });
}

function sendPage(path, response, request) {
  const said = request.headers;
  response.setHeader("content-type", "text/html");
  response.setHeader("cache-control", "max-age=60");
  const [, place, how] = path.split("/");
  if (place === "start") return response.end(start(how));
  if (place === "ready") return response.end(asked.length > 0 && ready ? "yes" : "no");
  if (place === "fragment") return response.end("<!doctype html><p id=ssn>a piece");
  if (place === "shown") ready = true;
  if (place === "told") tell(JSON.parse(new URL(request.url, "http://a").searchParams.get("seen")));
  if (place !== "page") return response.end();
  asked.push([said["sec-fetch-dest"], said["sec-purpose"]].filter(Boolean).join(" "));
  ready = said["sec-purpose"] !== "prefetch;prerender";
  response.end(PAGE);
}

/** Whether what was fetched ahead has come as far as it comes. */
let ready = false;

const AHEAD = {
  prerender: '<script type="speculationrules">{"prerender":[{"source":"list","urls":["/page"],"eagerness":"immediate"}]}</script>',
  prefetch: '<script type="speculationrules">{"prefetch":[{"source":"list","urls":["/page"],"eagerness":"immediate"}]}</script>',
  link: '<link rel="prefetch" href="/page">',
};

const start = (how) => `<!doctype html><p>start ${AHEAD[how]}<script>(${visitOnceReady})()</script>`;

async function visitOnceReady() {
  const ready = async () => (await (await fetch("/ready", { cache: "no-store" })).text()) === "yes";
  while (!(await ready())) await new Promise((turn) => setTimeout(turn, 50));
  location.href = "/page";
}

const PAGE = `<!doctype html><p id=ssn>page<script>(${report})()</script>`;

async function report() {
  const loaded = new Promise((done) => addEventListener("load", done));
  const count = () => ({
    tags: document.querySelectorAll("#glance-cobrowse").length,
    runs: window.__cobrowse?.runs ?? 0,
  });
  await loaded;
  while (count().runs === 0) await new Promise((turn) => setTimeout(turn, 50));
  const whilePrerendering = document.prerendering && count();
  const fetched = await (await fetch("/fragment")).text();
  if (document.prerendering) {
    const visited = new Promise((done) => document.addEventListener("prerenderingchange", done));
    await fetch("/shown");
    await visited;
  }
  const [{ activationStart }] = performance.getEntriesByType("navigation");
  const masked = document.querySelector("#ssn").getAttribute("glance_masked");
  const seen = { ...count(), whilePrerendering, fetched, activationStart, masked };
  await fetch(`/told?seen=${encodeURIComponent(JSON.stringify(seen))}`);
}

function rulesText() {
  return `version = 1
script = { url = "/loader.js" }
[[site]]
hosts  = ["127.0.0.1"]
origin = "http://127.0.0.1:${origin.port}"
group  = 15687
masks  = ["#ssn"]
`;
}
