// What a browser shows as a page has its tag, and what it shows as something else is as it came: by
// media type, by first bytes, in XHTML with a tag of its own, under an embedder policy.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { launchBrowser, newPage } from "./browser.mjs";
import { startEdge } from "./edge.mjs";
import { notFound, serve } from "./servers.mjs";

/** Bodies without a media type: whether browsers show them as HTML, all of them. */
const UNTYPED = [
  ["<!DOCTYPE html><p>a", "html"],
  [" \n<html ><p>a", "html"],
  ["<head><title>a</title>", "html"],
  ["<script >1</script>", "html"],
  ["<iframe ></iframe>", "html"],
  ["<h1>a", "html"],
  ["<div >a", "html"],
  ["<font >a", "html"],
  ["<table><td>a", "html"],
  ["<a >a", "html"],
  ["<style>p {}</style>", "html"],
  ["<title>a</title>", "html"],
  ["<b>a", "html"],
  ["<body >a", "html"],
  ["<p>a", "html"],
  ["<!-- a -->a", "html"],
  // Only some browsers do.
  ["<br>a", "some"],
  ["<pre>a", "some"],
  ["<!--a-->", "some"],
  ["text <p>a", "text"],
  ["\u{feff}<p>a", "text"],
  ['{"a": "<p>"}', "text"],
];

const XHTML = (tag) => `<html xmlns="http://www.w3.org/1999/xhtml"><head><title>a</title></head>
<body>${tag}<p id="ssn">a</p></body></html>`;

const PAGES = {
  json: ["text/html", '{"a": "<p id=ssn>a</p>"}'],
  fragment: ["text/html", "<li id=ssn>a"],
  written: [
    "text/html",
    '<!doctype html><p>a<script>document.write("<div id=ssn>b</div><table><tr><td>c")</script><p>d',
  ],
  handmade: [
    "text/html",
    `<!doctype html><head><meta id="glance-cobrowse" data-groupid="1">
<script id="glance-cobrowse" src="/own/loader.js" defer></script></head>
<body><p id=ssn>a<script id=cobrowsescript>window.own = 1</script>`,
  ],
  nosniff: ["", "<!doctype html><p id=ssn>a", { "x-content-type-options": "nosniff" }],
  xhtml: ["application/xhtml+xml", XHTML('<script id="glance-cobrowse" src="/own/loader.js"/>')],
  inline: ["application/xhtml+xml", XHTML('<script id="glance-cobrowse">window.own = 1</script>')],
  require: ["text/html", "<!doctype html><p>a", { "cross-origin-embedder-policy": "require-corp" }],
  credentialless: [
    "text/html",
    "<!doctype html><p>a",
    { "cross-origin-embedder-policy": "credentialless" },
  ],
};

let origin, cdn, edge, browser, rules;

before(async () => {
  [origin, cdn] = await Promise.all([serve(sendPage), serve(notFound)]);
  rules = mkdtempSync(join(tmpdir(), "cobrowse-edge-documents-"));
  writeFileSync(join(rules, "rules.toml"), rulesText());
  edge = await startEdge(["--rules", rules]);
  browser = await launchBrowser();
});

after(async () => {
  await browser?.close();
  [origin, cdn].forEach((server) => server?.stop());
  const code = await edge?.stop();
  if (rules) rmSync(rules, { recursive: true });
  assert.equal(code, 0, "Ctrl-C ends the edge cleanly");
});

UNTYPED.forEach(([body, shown], number) => {
  test(`without a media type, ${JSON.stringify(body)} is ${shown} to browsers`, async () => {
    const seen = await visit("127.0.0.1", `untyped/${number}`);
    if (shown !== "some") assert.equal(seen.type, `text/${shown === "html" ? "html" : "plain"}`);
    assert.deepEqual([seen.tags, seen.runs], shown === "html" ? [1, 1] : [0, 0]);
    if (shown !== "html") assert.ok(!seen.text.includes("script"), seen.text);
  });
});

test("JSON in a window is as it came, and a piece of a page is a page", async () => {
  const [json, fragment] = [await visit("127.0.0.1", "json"), await visit("127.0.0.1", "fragment")];
  assert.deepEqual([json.type, json.tags, json.runs], ["text/html", 0, 0]);
  assert.deepEqual([fragment.type, fragment.tags, fragment.runs], ["text/html", 1, 1]);
});

test("what browsers must not guess is text to them, and as it came", async () => {
  const seen = await visit("127.0.0.1", "nosniff");
  assert.deepEqual([seen.type, seen.tags, seen.text], ["text/plain", 0, PAGES.nosniff[1]]);
});

test("a page that writes markup while it is read has one live tag", async () => {
  const seen = await visit("127.0.0.1", "written");
  assert.deepEqual([seen.tags, seen.runs], [1, 1]);
  assert.ok(seen.text.includes("b") && seen.text.includes("d"), seen.text);
});

test("a tag made by hand does not run beside ours", async () => {
  const seen = await visit("127.0.0.1", "handmade");
  assert.deepEqual([seen.tags, seen.runs, seen.own], [1, 1, undefined]);
  assert.equal(seen.masked, "true");
  assert.ok(!origin.asked.includes("/own/loader.js"), "the page's own script is not fetched");
});

for (const name of ["xhtml", "inline"]) {
  test(`a tag of XHTML's own does not run beside ours (${name})`, async () => {
    const seen = await visit("127.0.0.1", name);
    assert.equal(seen.type, "application/xhtml+xml");
    // What a template holds is not found.
    assert.deepEqual([seen.tags, seen.runs, seen.own], [1, 1, undefined]);
    assert.equal(seen.masked, "true");
    assert.ok(!origin.asked.includes("/own/loader.js"), "the page's own script is not fetched");
  });
}

for (const [host, name, runs] of [
  ["127.0.0.1", "require", 0],
  ["cors.localhost", "require", 1],
  ["own.localhost", "require", 1],
  ["127.0.0.1", "credentialless", 1],
]) {
  test(`under the embedder policy ${name} the script runs ${runs} times (${host})`, async () => {
    const seen = await visit(host, name);
    assert.deepEqual([seen.tags, seen.runs], [1, runs]);
    assert.equal(seen.policy, PAGES[name][2]["cross-origin-embedder-policy"]);
  });
}

async function visit(host, path) {
  const page = await newPage(browser);
  const address = `${edge.http.replace("127.0.0.1", host)}/${path}`;
  const answer = await page.goto(address, { waitUntil: "load" });
  const seen = await page.evaluate(() => ({
    type: document.contentType,
    tags: document.querySelectorAll("#glance-cobrowse").length,
    runs: window.__cobrowse?.runs ?? 0,
    own: window.own,
    masked: document.querySelector("#ssn")?.getAttribute("glance_masked"),
    text: document.documentElement.textContent,
  }));
  await page.context().close();
  return { ...seen, policy: answer.headers()["cross-origin-embedder-policy"] };
}

function sendPage(path, response) {
  const [, name, number] = path.split("/");
  const page = name === "untyped" ? ["", UNTYPED[number][0]] : PAGES[name];
  if (!page) return notFound(path, response);
  const [type, body, fields = {}] = page;
  if (type) response.setHeader("content-type", type);
  for (const [field, value] of Object.entries(fields)) response.setHeader(field, value);
  response.end(body);
}

function rulesText() {
  const site = (host, rest) => `
[[site]]
hosts  = ["${host}"]
origin = "http://127.0.0.1:${origin.port}"
group  = 15687
masks  = ["#ssn"]
${rest}`;
  return `version = 1
script = { url = "http://127.0.0.1:${cdn.port}/cobrowse/loader.js" }
${site("127.0.0.1", "")}
${site("cors.localhost", 'tag = { crossorigin = "anonymous" }')}
${site("own.localhost", 'script = { url = "/_mount/loader.js" }')}
`;
}
