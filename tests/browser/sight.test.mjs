// A visitor cannot tell the site through the edge from the site itself.

import assert from "node:assert/strict";
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
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
  await demo?.stop();
});

for (const expected of [...TAGGED, ...UNTAGGED]) {
  test(`${expected.path} looks and reads the same through the edge`, async () => {
    const direct = await visit(demo.origin, expected);
    const edge = await visit(demo.edge, expected);
    assert.deepEqual(edge.complaints, direct.complaints, "the browser's console");
    assert.equal(edge.charset, direct.charset);
    if (expected.live) return;
    assertSameText(direct.html, edge.html);
    await assertSamePicture(direct.picture, edge.picture);
  });
}

/** What a visitor, and the browser's console, get to see of a page. */
async function visit(address, expected) {
  const page = await newPage(browser);
  const complaints = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  await open(page, address, expected);
  const picture = await page.screenshot({ animations: "disabled" });
  const { html, charset } = await page.evaluate(withoutAdditions);
  await page.context().close();
  return { picture, html, charset, complaints };
}

function withoutAdditions() {
  const copy = document.documentElement.cloneNode(true);
  copy.querySelector("#glance-cobrowse")?.remove();
  for (const masked of copy.querySelectorAll("[glance_masked]")) {
    masked.removeAttribute("glance_masked");
  }
  return { html: copy.outerHTML, charset: document.characterSet };
}

/** The documents without the tag and the masks; a diff of a large page would take minutes. */
function assertSameText(direct, edge) {
  if (direct === edge) return;
  let at = 0;
  while (direct[at] === edge[at]) at += 1;
  const around = (text) => text.slice(Math.max(0, at - 100), at + 100);
  assert.fail(`the documents differ at ${at}:\n${around(direct)}\n---\n${around(edge)}`);
}

/** Pictures of equal pixels have equal bytes: the same encoder made both. */
async function assertSamePicture(direct, edge) {
  if (direct.equals(edge)) return;
  const folder = await mkdtemp(join(tmpdir(), "cobrowse-edge-"));
  await writeFile(join(folder, "direct.png"), direct);
  await writeFile(join(folder, "edge.png"), edge);
  assert.fail(`the pictures differ: see direct.png and edge.png in ${folder}`);
}
