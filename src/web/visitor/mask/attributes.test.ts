import assert from "node:assert/strict";
import { test } from "node:test";

import { maskAttributes, plainAttributes } from "./attributes.ts";

test("of a masked element's attributes only layout is left", () => {
  assert.deepEqual(
    maskAttributes({ class: "a", title: "x", "data-x": "x", href: "/x", SRC: "/x", value: "a b", checked: true, onclick: "x", rr_width: "9px", rr_dataURL: "x", style: { width: "1px", "--a": "x", color: ["red", "important"], top: false } }),
    { class: "a", href: "", SRC: "", value: "* *", rr_width: "9px", style: { width: "1px", "--a": "", color: ["red", "important"], top: false } },
  );
});

for (const [tag, attributes, left] of [
  ["a", { href: "https://u:p@x.example/a?b=c#d" }, { href: "https://x.example/a" }],
  ["a", { href: "javascript:alert(1)" }, { href: "" }],
  ["a", { "xlink:href": "https://x.example/?a" }, { "xlink:href": "https://x.example/" }],
  ["img", { src: "https://x.example/a?b=c", alt: "a" }, { src: "https://x.example/a?b=c", alt: "a" }],
  ["link", { href: "https://x.example/a.css?v=1", rel: "stylesheet" }, { href: "https://x.example/a.css?v=1", rel: "stylesheet" }],
  ["form", { action: "https://x.example/a?b", onsubmit: "x" }, { action: "https://x.example/a" }],
  ["iframe", { srcdoc: "x", rr_src: "https://x.example/?a" }, { rr_src: "https://x.example/" }],
  ["meta", { name: "csrf", content: "x", property: "og:x" }, { name: "csrf" }],
  ["meta", { name: "viewport", content: "width=1" }, { name: "viewport", content: "width=1" }],
  ["div", { ONCLICK: "x", nonce: "x", style: "--a: 'x'" }, { style: "--a: '*'" }],
  ["style", { _cssText: "a { content: 'x' }" }, { _cssText: "a { content: '*' }" }],
] as const) {
  test(`attributes of ${tag}: ${JSON.stringify(attributes)}`, () => {
    assert.deepEqual(plainAttributes(tag, { ...attributes }), left);
  });
}
