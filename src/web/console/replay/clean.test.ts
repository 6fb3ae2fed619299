import assert from "node:assert/strict";
import { test } from "node:test";

import { cleanAttributes, cleanTag, INERT, MODAL } from "./clean-attributes.ts";
import { createCleaner, SIDE_MAX } from "./clean-events.ts";
import { DEPTH_MAX } from "./clean-nodes.ts";

const EVIL = "https://evil.example/x";

for (const [tag, attributes, cleaned] of [
  ["div", { class: "a", id: "b", title: "<b>", "data-x": "y", "aria-label": "z", style: "color: red" }, undefined],
  ["input", { type: "text", value: "*****", checked: true, disabled: "", placeholder: "x" }, undefined],
  ["div", { onclick: "x", ONLOAD: "x", "on-x": "x" }, {}],
  ["a", { href: EVIL, target: "_top", ping: EVIL, download: "x" }, { href: "#" }],
  ["A", { href: "javascript:x" }, { href: "#" }],
  ["svg:a", { "xlink:href": "javascript:x" }, { "xlink:href": "#" }],
  ["use", { href: "#icon", "xlink:href": EVIL }, { href: "#icon" }],
  ["img", { src: EVIL, srcset: `${EVIL} 2x`, alt: "x", crossorigin: "use-credentials" }, { src: EVIL, srcset: `${EVIL} 2x`, alt: "x" }],
  ["img", { src: "javascript:x" }, {}],
  ["img", { src: "data:text/html,x" }, {}],
  ["img", { src: "/api/logout" }, {}],
  ["img", { src: "data:image/png;base64,AA" }, undefined],
  ["img", { rr_dataURL: EVIL }, {}],
  ["img", { rr_dataURL: "data:image/png;base64,AA", rr_width: "10px", rr_scrollTop: 4 }, undefined],
  ["video", { src: EVIL, poster: EVIL, autoplay: true, controls: true, rr_mediaState: "played" }, { poster: EVIL }],
  ["source", { src: EVIL, srcset: EVIL }, { srcset: EVIL }],
  ["iframe", { src: EVIL, srcdoc: "<b>", sandbox: "", allow: "*", name: "n", width: "10", rr_src: EVIL }, { name: "n", width: "10" }],
  ["form", { action: EVIL, method: "post", id: "f" }, { method: "post", id: "f" }],
  ["button", { formaction: EVIL, type: "submit", popovertarget: "x", accesskey: "s", autofocus: true }, { type: "submit" }],
  ["link", { rel: "stylesheet", href: EVIL, media: "print", integrity: "sha384-x", title: "alternate" }, { rel: "stylesheet", href: EVIL, media: "print" }],
  ["link", { href: EVIL, rel: "preconnect" }, { href: EVIL, rel: "stylesheet" }],
  ["link", { rel: "preconnect" }, {}],
  ["link", { _cssText: "a { color: red }" }, undefined],
  ["dialog", { open: true, rr_open_mode: "modal" }, { open: true, [MODAL]: "" }],
  ["dialog", { open: null, rr_open_mode: null }, { open: null, [MODAL]: null }],
  ["p", { style: { color: "red", top: false, left: ["1px", "important"], bad: [1], worse: {} } }, { style: { color: "red", top: false, left: ["1px", "important"] } }],
  ["animate", { attributeName: "href", values: "javascript:x", dur: "1s" }, { dur: "1s" }],
  ["set", { attributeName: "fill", to: "red" }, undefined],
  ["p", { "a b": "x", "": "x", "<": "x", "\u0000": "x" }, {}],
  ["p", { deep: {}, list: [], none: undefined, number: NaN, zero: 0 }, { zero: 0 }],
  [INERT, { style: "display: block", class: "x" }, { style: "display: none" }],
] as const) {
  test(`of <${tag}> ${JSON.stringify(attributes)}`, () => {
    assert.deepEqual(cleanAttributes(tag, attributes), cleaned ?? attributes);
  });
}

test("elements that do something are put out of action", () => {
  const tags = ["script", "SCRIPT", "svg:script", "object", "embed", "base", "meta", "frame", "frameset", "portal", "template", "<script>", "a b", "a\u0000", "", "1", "link"];
  for (const tag of tags) assert.equal(cleanTag(tag, {}), INERT, tag);
  for (const rel of ["preconnect", "stylesheet preconnect", "alternate stylesheet", "", "icon"]) assert.equal(cleanTag("link", { rel }), INERT, rel);
  for (const tag of ["div", "x-custom", "linearGradient", "noscript", "iframe", "a"]) assert.equal(cleanTag(tag, {}), tag);
  assert.equal(cleanTag("link", { rel: " Stylesheet" }), "link");
});

const event = (type: number, data: unknown) => ({ type, data, timestamp: 1 });
const snapshot = (...childNodes: unknown[]) => event(2, { node: { type: 0, id: 1, childNodes }, initialOffset: { top: 1, left: 2 } });
const element = (id: number, tagName: string, attributes = {}) => ({ type: 2, id, tagName, attributes, childNodes: [] });
const change = (parts: object) => event(3, { source: 0, adds: [], removes: [], texts: [], attributes: [], ...parts });

test("changes are cleaned as what they change, and nothing else is changed", () => {
  const clean = createCleaner();
  clean(snapshot(element(2, "a"), element(3, "script"), element(4, "iframe")));
  const attributes = { href: EVIL, src: EVIL, title: "x" };
  const left = clean(change({ attributes: [2, 3, 4, 5].map((id) => ({ id, attributes })) }));
  assert.deepEqual(left?.data.attributes, [
    { id: 2, attributes: { href: "#", title: "x" } },
    { id: 3, attributes: { style: "display: none" } },
    { id: 4, attributes: { title: "x" } },
  ]);
});

test("nodes that come later are known to later changes", () => {
  const clean = createCleaner();
  clean(snapshot());
  clean(change({ adds: [{ parentId: 1, nextId: null, node: element(7, "script") }] }));
  const left = clean(change({ attributes: [{ id: 7, attributes: { src: EVIL } }] }));
  assert.deepEqual(left?.data.attributes, [{ id: 7, attributes: { style: "display: none" } }]);
});

test("a node keeps what a picture needs of it", () => {
  const clean = createCleaner();
  const host = { ...element(2, "x-host"), isShadowHost: true, isCustom: true, childNodes: [{ ...element(3, "b"), isShadow: true, rootId: 9, secret: 1 }] };
  const left = clean(snapshot(host, { type: 5, id: 4, textContent: "secret" }, { type: 3, id: 5, textContent: "t", isStyle: true }));
  const { node } = left?.data as { node: { childNodes: unknown[] } };
  assert.deepEqual(node.childNodes, [
    { type: 2, id: 2, textContent: "", tagName: "x-host", attributes: {}, isCustom: true, isShadowHost: true, childNodes: [
      { type: 2, id: 3, rootId: 9, isShadow: true, textContent: "", tagName: "b", attributes: {}, childNodes: [] },
    ] },
    { type: 5, id: 4, textContent: "" },
    { type: 3, id: 5, textContent: "t", isStyle: true },
  ]);
});

for (const [what, given] of [
  ["a page of another kind", event(0, {})], ["a custom event", event(5, { tag: "x" })], ["a plugin's", event(6, {})], ["media", event(3, { source: 7, id: 1 })],
  ["a canvas", event(3, { source: 9, id: 1 })], ["a font", event(3, { source: 10 })], ["a log", event(3, { source: 11 })], ["a press of no kind", event(3, { source: 2, type: 11, id: 1 })],
] as const) {
  test(`is left out: ${what}`, () => assert.equal(createCleaner()(given), undefined));
}

for (const [what, given] of [
  ["nothing", null], ["a list", []], ["no time", { type: 2, data: {} }], ["endless time", { type: 2, data: {}, timestamp: Infinity }],
  ["a node of text", event(2, { node: "x" })], ["a node without an ID", snapshot({ type: 2, tagName: "a" })], ["an ID of text", snapshot({ type: 3, id: "7" })],
  ["children of another kind", event(2, { node: { type: 0, id: 1, childNodes: { length: 3 } } })], ["no way of a pointer", event(3, { source: 1, positions: [] })],
  ["a change without its parts", event(3, { source: 0 })],
] as const) {
  test(`is no recording: ${what}`, () => assert.throws(() => createCleaner()(given), /not a recording/));
}

test("trees may be as deep as browsers make them, and no deeper", () => {
  const nested = (depth: number): unknown => ({ ...element(depth + 2, "b"), childNodes: depth ? [nested(depth - 1)] : [] });
  assert.ok(createCleaner()(snapshot(nested(DEPTH_MAX - 1))));
  assert.throws(() => createCleaner()(snapshot(nested(DEPTH_MAX))), /too large/);
});

test("sizes and places are bounded", () => {
  const clean = createCleaner();
  assert.deepEqual(clean(event(4, { width: 1e9, height: -5, href: EVIL }))?.data, { href: "about:blank", width: SIDE_MAX, height: 1 });
  assert.deepEqual(clean(event(3, { source: 4, width: NaN, height: "x" }))?.data, { source: 4, href: "about:blank", width: 1, height: 1 });
  const [position] = (clean(event(3, { source: 1, positions: [{ x: 1e9, y: NaN, id: 1, timeOffset: -1e9 }] }))?.data as any).positions;
  assert.deepEqual(position, { x: SIDE_MAX, y: 0, id: 1, timeOffset: -1_000 });
});
