import assert from "node:assert/strict";
import { test } from "node:test";

import { inLayoutMode } from "./layout-mode.ts";
import { NODE, type CleanNode } from "./recording.ts";

const HTML_4 = "-//W3C//DTD HTML 4.01 Transitional//EN";
const XHTML_1 = "-//W3C//DTD XHTML 1.0 Transitional//EN";
const SYSTEM = "http://www.w3.org/TR/html4/loose.dtd";
const XMLNS = "http://www.w3.org/1999/xhtml";

const page = (publicId: string, systemId: string, attributes = {}): CleanNode => ({
  type: NODE.document,
  id: 1,
  childNodes: [
    { type: NODE.comment, id: 2, textContent: "" },
    { type: NODE.doctype, id: 3, name: "html", publicId, systemId },
    { type: NODE.element, id: 4, tagName: "html", attributes, childNodes: [] },
  ],
});

const shape = (node: CleanNode) => ({
  mode: node.compatMode,
  order: (node.childNodes as CleanNode[]).map(({ id }) => id),
  xmlns: ((node.childNodes as CleanNode[]).find(({ id }) => id === 4)?.attributes as { xmlns?: string }).xmlns,
});

const AS_IT_WAS = { mode: undefined, order: [2, 3, 4], xmlns: undefined };
const QUIRKS = { mode: "BackCompat", order: [4, 2], xmlns: undefined };
const LIMITED = { mode: "BackCompat", order: [4, 2], xmlns: XMLNS };

for (const [publicId, systemId, compatMode, expected] of [
  ["", "", undefined, AS_IT_WAS],
  ["", "", "CSS1Compat", AS_IT_WAS],
  [HTML_4, "", "BackCompat", QUIRKS],
  [XHTML_1, SYSTEM, "BackCompat", QUIRKS],
  [HTML_4, SYSTEM, undefined, LIMITED],
  [HTML_4.toLowerCase(), SYSTEM, undefined, LIMITED],
  [XHTML_1, "", undefined, LIMITED],
  ["-//W3C//DTD XHTML 1.0 Strict//EN", SYSTEM, undefined, AS_IT_WAS],
  ["-//W3C//DTD HTML 4.01//EN", SYSTEM, undefined, AS_IT_WAS],
] as const) {
  test(`the layout of "${publicId}" "${systemId}" in ${compatMode}`, () => {
    assert.deepEqual(shape(inLayoutMode(page(publicId, systemId), compatMode)), expected);
  });
}

test("a namespace that a page in quirks mode brings makes it no other", () => {
  assert.deepEqual(shape(inLayoutMode(page("", "", { xmlns: XMLNS }), "BackCompat")), QUIRKS);
});

test("a document without a root has no layout", () => {
  const empty = { type: NODE.document, id: 1, childNodes: [] };
  assert.deepEqual(inLayoutMode(empty, "BackCompat"), empty);
});
