import assert from "node:assert/strict";
import { test } from "node:test";

import { isLayout, layoutStyle, maskCss, maskCssValue } from "./css.ts";

for (const [css, masked] of [
  [`a::before { content: "Secret 12" }`, `a::before { content: "****** **" }`],
  [`a::before{content:'it\\'s'}`, `a::before{content:'****'}`],
  [`a { content: "\\f101" }`, `a { content: "\\f101" }`],
  [`a { content: "\uf101\u00bb" }`, `a { content: "\uf101\u00bb" }`],
  [`a { content: "\\53 ecret" }`, `a { content: "******" }`],
  [`a { content: attr(title) " x" counter(n) }`, `a { content: attr(title) " *" counter(n) }`],
  [`a { content: "; } b { content: 'x'" }`, `a { content: "; } * { *******: '*'" }`],
  [`a { content: "unclosed`, `a { content: "********`],
  [`li { list-style-type: "A " } q { quotes: "B" "C" }`, `li { list-style-type: "* " } q { quotes: "*" "*" }`],
  [`a { --name: "Ann"; --gap: 4px }`, `a { --name: "***"; --gap: 4px }`],
  [`a { --account: DE89 3704 0044; --ssn: 123456789 }`, `a { --account: **** 3704 0044; --ssn: ********* }`],
  [`a { --size: calc(100% - var(--Gap)); --c: #0a5c36; --e: ease-in-out }`, `a { --size: calc(100% - var(--Gap)); --c: #0a5c36; --e: ease-in-out }`],
  [`a { --font-body: "Open Sans", Arial }`, `a { --font-body: "Open Sans", Arial }`],
  [`a { font-family: "Open Sans"; background: url("/a b.png") }`, `a { font-family: "Open Sans"; background: url("/a b.png") }`],
  [`.content :hover { color: red } /* content: "x" */`, `.content :hover { color: red } /* content: "*" */`],
  [`@counter-style c { symbols: "A" "B"; suffix: "x" }`, `@counter-style c { symbols: "*" "*"; suffix: "*" }`],
] as const) {
  test(`css: ${css}`, () => {
    assert.equal(maskCss(css), masked);
  });
}

test("long sheets take no long time", () => {
  const sheets = [`a { content: "${"\\".repeat(50_000)}`, `a{--x:${"a-".repeat(50_000)}}`, `content:'"`.repeat(20_000), `a{color:red}`.repeat(50_000)];
  const start = performance.now();
  for (const sheet of sheets) maskCss(sheet);
  assert.ok(performance.now() - start < 2_000);
});

test("set values are masked where they carry text", () => {
  assert.equal(maskCssValue("content", `"x"`), `"*"`);
  assert.equal(maskCssValue("--a", `"x"`), `"*"`);
  assert.equal(maskCssValue("color", "red"), "red");
});

test("a masked element keeps its place and size, and nothing that names or fetches", () => {
  assert.equal(
    layoutStyle("width: 10px; background: url(/x); color: rgb(1, 2, 3); --a: b; content: 'x'; font-family: Secret; height:calc(1px + 2%) ; margin:0 auto !important"),
    "width: 10px; color: rgb(1, 2, 3); height: calc(1px + 2%); margin: 0 auto !important;",
  );
  for (const value of ["url(x)", "Secret", "'x'", "1234567", "a".repeat(101), "x{y"]) assert.ok(!isLayout("width", value), value);
});
