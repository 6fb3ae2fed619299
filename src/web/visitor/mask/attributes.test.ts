import assert from "node:assert/strict";
import { test } from "node:test";

import { maskAttributes, plainAttributes } from "./attributes.ts";

const same = (text: string) => text;

test("of a masked element's attributes only layout is left", () => {
  assert.deepEqual(
    maskAttributes({ class: "a", title: "x", "data-x": "x", href: "/x", SRC: "/x", value: "a b", checked: true, onclick: "x", rr_width: "9px", rr_dataURL: "x", style: { width: "1px", "--a": "x", color: ["red", "important"], top: false } }, same),
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
  ["li", { style: "--photo: url(/x); background: url(/y)" }, { style: "--photo: none; background: url(/y)" }],
  ["li", { style: { "--photo": "url(/x)", background: "url(/y)" } }, { style: { "--photo": "none", background: "url(/y)" } }],
  ["style", { _cssText: "a { color: red }" }, { _cssText: "a { color: red }" }],
] as const) {
  test(`attributes of ${tag}: ${JSON.stringify(attributes)}`, () => {
    assert.deepEqual(plainAttributes(tag, { ...attributes }, same), left);
  });
}

test("what layout needs of a masked element is left, if it can say nothing", () => {
  const plain = { type: "radio", width: "90", height: "50%", colspan: "2", dir: "rtl", lang: "de-CH", hidden: "", rr_width: "9.5px", rr_scrollTop: 7 };
  assert.deepEqual(maskAttributes(plain, same), plain);
  const telling = { type: "Smith", width: "123456789", height: "calc(1px)", dir: "x", lang: "en-smith", hidden: "x", viewbox: "0 0 4 4", rr_width: "x", rr_scrollTop: "x" };
  assert.deepEqual(maskAttributes(telling, same), {});
  assert.deepEqual(maskAttributes({ class: "a b", id: "c" }, (names) => names.replace("b", "")), { class: "a ", id: "c" });
});
