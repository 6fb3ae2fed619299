// Nothing private leaves the page: one canary for each way out, looked for in every byte that was sent.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { launchBrowser, newPage } from "../browser.mjs";
import { bundles, page, startPeer, tag } from "./peer.mjs";
import { DESCRIBED, MASKS, VECTORS } from "./vectors.mjs";

const WITHOUT_MASKS = {
  "visitor/mask/layer.ts": "export const maskLayer = () => ({ apply: (event) => event });",
};
const canary = (index) => `Zq${index}canary`;

/** All vectors on one page, each in a section. */
function leakyPage() {
  const sections = VECTORS.map(({ html }, index) => `<section id="v${index}">${html?.(canary(index)) ?? ""}</section>`);
  const head = VECTORS.map((vector, index) => vector.head?.(canary(index)) ?? "").join("");
  return page(sections.join("\n"), { head: `${head}<link rel="stylesheet" href="/vectors.css">` });
}

const FRAMES = {
  "/frame/tagged": `<p id="q"></p><script>q.textContent = location.search</script>${tag()}`,
  "/frame/untagged": `<p id="q"></p><input><script>q.textContent = location.search</script>`,
  "/frame/ungranted": `<p id="q"></p><script>q.textContent = location.search</script>${tag({ "data-grant": "" })}`,
  "/frame/forged": `<p id="q"></p><script>q.textContent = location.search</script>${tag({ "data-grant": "v1.test.2.mac" })}`,
  "/frame/refused": `<p id="q"></p><script>q.textContent = location.search</script>${tag()}`,
  "/frame/own": `<p class="only-here" id="q"></p><script>q.textContent = location.search</script>${tag()}`,
  "/frame/other": `<p id="q"></p><script>q.textContent = location.search</script>${tag({ "data-groupid": "2" })}`,
  "/frame/masking": `<p class="secret" id="q"></p><script>q.textContent = location.search</script>${tag()}`,
};

const SHEET = {
  body: VECTORS.map(({ sheet }, index) => sheet?.(canary(index)) ?? "").join("\n"),
  headers: { "content-type": "text/css" },
};
const FRAME_MASKS = { "/frame/own": [".only-here"], "/frame/refused": null };

/** Runs every vector, and gives the text of all that was sent. */
async function leak(browser, scripts) {
  // Inline styles are part of what is tested; the session under a strict policy is tested elsewhere.
  const peer = await startPeer({ scripts, pages: { "/": leakyPage(), ...FRAMES, "/vectors.css": SHEET }, masks: MASKS, frameMasks: FRAME_MASKS, csp: false });
  const visitor = await newPage(browser);
  await visitor.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  const query = VECTORS.findIndex((vector) => vector.query);
  await visitor.goto(`${peer.address}/?start=${canary(query)}`);
  await run(visitor, "setup");
  await visitor.evaluate((described) => {
    window.GLANCE_COBROWSE = { getMaskingDescriptor: async () => ({ maskedelements: described }) };
    GLANCE.Cobrowse.Visitor.startSession();
  }, DESCRIBED);
  await peer.until(() => peer.tabs.size > 0);
  peer.join();
  await peer.until(() => peer.snapshots() > 0);
  await settle(visitor, peer, "first");
  await run(visitor, "late");
  await settle(visitor, peer, "second");
  for (const [index, { act }] of VECTORS.entries()) await act?.(visitor, `#v${index}`, canary(index));
  await settle(visitor, peer, "third");
  const text = peer.text();
  await visitor.context().close();
  await peer.stop();
  return text;
}

/** Waits until what was done before has arrived: the recorder and the timers of the vectors are done. */
async function settle(visitor, peer, name) {
  await visitor.evaluate((mark) => new Promise((resolve) => {
    setTimeout(() => {
      document.body.append(Object.assign(document.createElement("hr"), { className: mark }));
      resolve();
    }, 600);
  }), `settled-${name}`);
  await peer.until(() => peer.text().includes(`settled-${name}`));
}

async function run(visitor, stage) {
  for (const [index, vector] of VECTORS.entries()) {
    const code = vector[stage]?.(canary(index));
    if (!code) continue;
    await visitor.evaluate(([id, source]) => new Function("at", source)(document.getElementById(id)), [`v${index}`, code]);
  }
}

describe("masks", () => {
  let browser, masked, bare;
  before(async () => {
    browser = await launchBrowser();
    masked = await leak(browser, await bundles());
    bare = await leak(browser, await bundles({ replace: WITHOUT_MASKS }));
  });
  after(() => browser?.close());

  for (const [index, { name, safe }] of VECTORS.entries()) {
    test(`holds: ${name}`, () => {
      assert.ok(!masked.includes(canary(index)), excerpt(masked, canary(index)));
      // The canary can be seen at all, or the test shows nothing.
      assert.equal(bare.includes(canary(index)), !safe, "without the mask layer");
    });
  }
});

function excerpt(text, found) {
  const at = text.indexOf(found);
  return text.slice(Math.max(0, at - 300), at + 100);
}
