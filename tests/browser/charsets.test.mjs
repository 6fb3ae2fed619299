// Pages in many charsets, and as XML: to the browser, the tag runs once, the masks are in place, and
// everything else reads as it does without the edge.

import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";

import { launchBrowser, newPage } from "./browser.mjs";
import { startEdge } from "./edge.mjs";

const SCRIPT = "window.__runs = (window.__runs ?? 0) + 1;";
const MASKS = [".表", "#счёт", ".é", ".가", "p.secret"];

const html = (letters, rest = "") =>
  `<!doctype html><html><head><title>${letters}</title>${rest}</head>` +
  `<body><p class="${letters}">${letters} 1</p><p id="${letters}">2</p><i>${letters}</i></body></html>`;
const utf16le = (text) => Buffer.from(text, "utf16le");
const utf16be = (text) => utf16le(text).swap16();
/** Text in which `?` stands for the bytes of the letters. */
const spelled = (text, ...bytes) =>
  Buffer.concat(text.split("?").flatMap((part) => [Buffer.from(part), Buffer.from(bytes)])).subarray(
    0,
    -bytes.length,
  );
const meta = (label) => `<meta charset="${label}">`;
const xhtml = (inside, prologue = "") =>
  `${prologue}<html xmlns="http://www.w3.org/1999/xhtml"><head><title>a</title></head><body>${inside}</body></html>`;

/** `masked`: how many elements are, where the tag runs. */
const PAGES = {
  "UTF-16LE by its mark": { body: utf16le(`\ufeff${html("表")}`), charset: "UTF-16LE", masked: 1 },
  "UTF-16BE by the header": {
    type: "text/html; charset=utf-16be",
    body: utf16be(html("счёт")),
    charset: "UTF-16BE",
    masked: 1,
  },
  "UTF-16LE with half a letter at its end": {
    body: Buffer.concat([utf16le(`\ufeff${html("表")}`), Buffer.from("<")]),
    charset: "UTF-16LE",
    masked: 1,
  },
  "Shift_JIS by its meta": {
    body: spelled(html("?", meta("shift_jis")), 0x95, 0x5c),
    charset: "Shift_JIS",
    masked: 1,
  },
  "Shift_JIS with broken letters": {
    type: "text/html; charset=shift_jis",
    body: spelled(html("?", '<meta name="\x00">').replace("\x00", "?"), 0x95),
    charset: "Shift_JIS",
    masked: 0,
  },
  "windows-1251 by its meta": {
    body: spelled(html("?", meta("windows-1251")), 0xf1, 0xf7, 0xb8, 0xf2),
    charset: "windows-1251",
    masked: 1,
  },
  "windows-1252 by default": { body: spelled(html("?"), 0xe9), charset: "windows-1252", masked: 1 },
  "EUC-KR by the header": {
    type: "text/html; charset=ks_c_5601-1987",
    body: spelled(html("?"), 0xb0, 0xa1),
    charset: "EUC-KR",
    masked: 1,
  },
  "ISO-2022-JP": {
    type: "text/html; charset=iso-2022-jp",
    body: Buffer.from(html("a")),
    charset: "ISO-2022-JP",
  },
  XHTML: {
    type: "application/xhtml+xml",
    body: Buffer.from(xhtml('<p class="secret"/><P class="secret"/><p class="SECRET"/><script/><p class="表">表</p>')),
    charset: "UTF-8",
    masked: 2,
  },
  "XHTML in UTF-16": {
    type: "application/xhtml+xml",
    body: utf16be(`\ufeff${xhtml('<p class="secret">表</p>', '<?xml version="1.0" encoding="utf-16"?>')}`),
    charset: "UTF-16BE",
    masked: 1,
  },
  "XHTML with a prefix": {
    type: "application/xhtml+xml",
    body: Buffer.from(
      '<h:html xmlns:h="http://www.w3.org/1999/xhtml"><h:head/><h:body><h:p class="secret">1</h:p></h:body></h:html>',
    ),
    charset: "UTF-8",
    masked: 1,
  },
  "XHTML with an entity of its own": {
    type: "application/xhtml+xml",
    body: Buffer.from(xhtml("<p>&e;</p>", "<!DOCTYPE html [<!ENTITY e '<b>bold</b>'>]>")),
    charset: "UTF-8",
  },
  "XHTML that is not well-formed": {
    type: "application/xhtml+xml",
    body: Buffer.from(xhtml("<b>1</i><p/>")),
    charset: "UTF-8",
  },
};

let origin, edge, browser, rules;

before(async () => {
  origin = createServer(answer).listen(0, "127.0.0.1");
  await once(origin, "listening");
  rules = mkdtempSync(join(tmpdir(), "cobrowse-edge-charsets-"));
  writeFileSync(join(rules, "rules.toml"), rulesText());
  edge = await startEdge(["--rules", rules]);
  browser = await launchBrowser();
});

after(async () => {
  await browser?.close();
  origin?.closeAllConnections();
  origin?.close();
  const code = await edge?.stop();
  if (rules) rmSync(rules, { recursive: true });
  assert.equal(code, 0, "Ctrl-C ends the edge cleanly");
});

for (const [name, { charset, masked }] of Object.entries(PAGES)) {
  test(`${name}: ${masked === undefined ? "as it came" : "tagged and masked"}`, async () => {
    const path = `/${encodeURIComponent(name)}`;
    const direct = await visit(`http://127.0.0.1:${origin.address().port}${path}`);
    const edited = await visit(`${edge.http}${path}`);
    const tags = masked === undefined ? 0 : 1;
    assert.deepEqual(edited.edge, { runs: tags, tags, masked: masked ?? 0, unmasked: 0 });
    assert.equal(direct.edge.tags, 0);
    assert.equal(edited.page.charset, charset);
    assert.deepEqual(edited.page, direct.page);
  });
}

async function visit(address) {
  const page = await newPage(browser);
  await page.goto(address, { waitUntil: "load" });
  const seen = await page.evaluate(look, MASKS);
  await page.context().close();
  return seen;
}

function look(masks) {
  const all = (selector) => [...document.querySelectorAll(selector)];
  const masked = all("[glance_masked=true]");
  const private_ = masks.flatMap(all);
  const tags = all("script#glance-cobrowse");
  const edge = {
    runs: window.__runs ?? 0,
    tags: tags.length,
    masked: masked.length,
    unmasked: tags.length && private_.filter((element) => !masked.includes(element)).length,
  };
  for (const element of masked) element.removeAttribute("glance_masked");
  for (const tag of tags) tag.remove();
  document.documentElement.normalize();
  const page = {
    charset: document.characterSet,
    title: document.title,
    text: document.documentElement.textContent,
    markup: document.documentElement.outerHTML,
  };
  return { edge, page };
}

function answer(request, response) {
  if (request.url === "/c.js") {
    response.setHeader("content-type", "text/javascript");
    return response.end(SCRIPT);
  }
  const page = PAGES[decodeURIComponent(request.url.slice(1))];
  if (!page) return response.writeHead(404).end();
  response.setHeader("content-type", page.type ?? "text/html");
  response.setHeader("content-encoding", "gzip");
  response.end(gzipSync(page.body));
}

function rulesText() {
  return `version = 1
script = { url = "/c.js" }
[[site]]
hosts  = ["127.0.0.1"]
origin = "http://127.0.0.1:${origin.address().port}"
group  = 15687
masks  = ${JSON.stringify(MASKS)}
`;
}
