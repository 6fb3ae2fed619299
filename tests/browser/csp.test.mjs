// Under every policy that the edge may grow, the script runs and reaches all it needs; and no other
// violation appears or disappears, compared with the page as the origin serves it.

import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { launchBrowser, newPage } from "./browser.mjs";
import { REFUSED, RUNS } from "./csp-policies.mjs";
import { LOADER_HASH, notFound, serve } from "./servers.mjs";
import { startEdge } from "./edge.mjs";

let origin, cdn, foreign, edge, browser, rules;

before(async () => {
  [origin, cdn, foreign] = await Promise.all([serve(sendPage), serve(notFound), serve(notFound)]);
  rules = mkdtempSync(join(tmpdir(), "cobrowse-edge-csp-"));
  writeFileSync(join(rules, "rules.toml"), rulesText());
  edge = await startEdge(["--rules", rules]);
  browser = await launchBrowser();
});

after(async () => {
  await browser?.close();
  await Promise.all([origin, cdn, foreign].map((server) => server?.stop()));
  const code = await edge?.stop();
  if (rules) rmSync(rules, { recursive: true });
  assert.equal(code, 0, "Ctrl-C ends the edge cleanly");
});

RUNS.forEach((page, number) => {
  test(`the script runs under ${title(page)}`, async () => {
    const [direct, edited] = await Promise.all([
      visit(page, `${originOf(page)}/runs/${number}`),
      visit(page, `${edgeOf(page)}/runs/${number}`),
    ]);
    assert.deepEqual(edited.cobrowse, {
      runs: 1,
      done: true,
      script: "loaded",
      style: "loaded",
      img: "loaded",
      frame: "loaded",
      fetch: "fetched",
      socket: "open",
    });
    assert.equal(direct.cobrowse, undefined);
    const [before, now] = [direct, edited].map(({ violations, facts }) => ({ violations, facts }));
    // A script of the page's own origin talks to it: what that allows is ours.
    if (page.at === "own") [before, now].forEach(forgetOwnConnections);
    assert.deepEqual(now, before);
  });
});

REFUSED.forEach((page, number) => {
  test(`there is no tag under ${title(page)}`, async () => {
    const [direct, edited] = await Promise.all([
      read(`${originOf(page)}/refused/${number}`),
      read(`${edgeOf(page)}/refused/${number}`),
    ]);
    assert.ok(!edited.text.includes("glance-cobrowse"), edited.text);
    assert.equal(edited.policy, direct.policy);
    if (page.policies) assert.equal(edited.text, direct.text);
  });
});

/** Loads a page, and tells what happened on it. */
async function visit(description, address) {
  const page = await newPage(browser);
  await page.addInitScript(watchViolations);
  await page.goto(address, { waitUntil: "load" });
  if (!address.startsWith(originOf(description))) await cobrowsing(page);
  const result = await page.evaluate(probe, `http://127.0.0.1:${foreign.port}`);
  await page.context().close();
  const { origin } = new URL(address);
  const named = (text) => text.replaceAll(origin, "SELF");
  return { ...result, violations: result.violations.map(named).sort() };
}

/** Waits until the script has done all it does; what it could not do, the test sees. */
function cobrowsing(page) {
  const done = page.waitForFunction(() => window.__cobrowse?.done, null, { timeout: 30_000 });
  return done.catch(() => {});
}

function forgetOwnConnections(seen) {
  seen.violations = seen.violations.filter((one) => !one.includes("connect-src SELF/"));
  delete seen.facts.fetch;
}

function watchViolations() {
  window.__violations = [];
  addEventListener(
    "securitypolicyviolation",
    ({ disposition, effectiveDirective, blockedURI }) =>
      window.__violations.push(`${disposition} ${effectiveDirective} ${blockedURI}`),
    true,
  );
}

/** Tries what a page may be kept from, besides what its markup has tried. */
async function probe(foreign) {
  const outcome = (attempt) => attempt.then(() => "yes", () => "no");
  const compile = () => new Function("return 1")();
  const work = () =>
    new Promise((resolve, reject) => {
      const worker = new Worker("/worker.js");
      worker.onmessage = resolve;
      worker.onerror = reject;
    });
  const connect = () =>
    new Promise((resolve, reject) => {
      const socket = new WebSocket(foreign.replace("http", "ws") + "/socket");
      socket.onopen = resolve;
      socket.onerror = reject;
    });
  const style = getComputedStyle(document.querySelector("p"));
  const facts = {
    compile: await outcome((async () => compile())()),
    work: await outcome((async () => work())()),
    fetch: await outcome(fetch("/data.json")),
    fetchForeign: await outcome(fetch(`${foreign}/data.json`)),
    connect: await outcome((async () => connect())()),
    inline: window.inline ?? 0,
    nonced: window.nonced ?? 0,
    handled: window.handled ?? 0,
    own: window[new URL("/own.js", location)] ?? 0,
    foreign: window[`${foreign}/x.js`] ?? 0,
    margin: style.margin,
    padding: style.padding,
    color: style.color,
    images: [...document.querySelectorAll("img")].slice(0, 3).map((image) => image.naturalWidth),
  };
  // Violations are told in tasks of their own; this one stands behind them.
  for (let turn = 0; turn < 3; turn += 1) {
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  }
  return { cobrowse: window.__cobrowse, facts, violations: window.__violations };
}

async function read(address) {
  const { port, host, pathname } = new URL(address);
  const headers = { accept: "text/html", host };
  const request = get({ port, path: pathname, headers, agent: false });
  const [answer] = await once(request, "response");
  const chunks = await answer.setEncoding("utf8").toArray();
  return { text: chunks.join(""), policy: answer.headers["content-security-policy"] };
}

const HOSTS = {
  elsewhere: "127.0.0.1",
  own: "own.localhost",
  hash: "hash.localhost",
  refuse: "refuse.localhost",
  leave: "leave.localhost",
  head: "head.localhost",
};

function originOf({ at = "elsewhere" }) {
  return `http://${HOSTS[at]}:${origin.port}`;
}

function edgeOf({ at = "elsewhere", tls }) {
  return (tls ? edge.tls : edge.http).replace("127.0.0.1", HOSTS[at]);
}

function title({ at = "elsewhere", policies = [], reports = [], metas = [], late = [] }) {
  const named = (kind, lines) => lines.map((line) => `${kind}${line}`);
  const all = [policies, named("report ", reports), named("meta ", metas), named("late meta ", late)].flat();
  return `${all.join(" | ")} (${at})`;
}

function sendPage(path, response) {
  const [, list, number] = path.split("/");
  const description = { runs: RUNS, refused: REFUSED }[list]?.[number];
  if (!description) return notFound(path, response);
  const [x, c] = [foreign, cdn].map(({ port }) => `http://127.0.0.1:${port}`);
  const filled = (policy) => policy.replaceAll("{X}", x).replaceAll("{C}", c);
  const { policies = [], reports = [], metas = [], late = [] } = description;
  const send = (name, lines) => lines.length && response.setHeader(name, lines.map(filled));
  send("content-security-policy", policies);
  send("content-security-policy-report-only", reports);
  response.setHeader("content-type", "text/html; charset=utf-8");
  const meta = (policy) => `<meta http-equiv="Content-Security-Policy" content="${filled(policy)}">`;
  const [early, behind] = [metas, late].map((list) => list.map(meta).join("\n"));
  response.end(html(early, behind, x));
}

const html = (metas, late, x) => `<!doctype html><html><head>${metas}<title>a page</title>
<script nonce="pageNonce">window.nonced = 1</script><script>window.inline = 1</script>
<style>p { color: rgb(1, 2, 3) }</style><link rel="stylesheet" href="/own.css">
<link rel="stylesheet" href="${x}/x.css"><script src="/own.js"></script><script src="${x}/x.js"></script>
${late}</head><body onload="window.handled = 1"><p style="margin-left: 3px">text</p>
<img src="/own.svg"><img src="${x}/x.svg"><img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=">
<iframe src="${x}/data.json"></iframe></body></html>`;

function rulesText() {
  const script = `http://127.0.0.1:${cdn.port}/cobrowse/loader.js`;
  const site = (host, rest) => `
[[site]]
hosts  = ["${host}"]
origin = "http://127.0.0.1:${origin.port}"
group  = 15687
${rest}`;
  return `version = 1
script = { url = "${script}" }
${site(HOSTS.elsewhere, "")}
${site(HOSTS.own, 'script = { url = "/_mount/loader.js" }')}
${site(HOSTS.hash, `tag = { integrity = "${LOADER_HASH}", crossorigin = "anonymous" }`)}
${site(HOSTS.refuse, 'csp = "refuse"')}
${site(HOSTS.leave, 'csp = "leave"')}
${site(HOSTS.head, 'placement = "head"\ntag = { defer = true }')}
`;
}
