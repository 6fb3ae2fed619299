import assert from "node:assert/strict";
import { test } from "node:test";

import { createSheets, withoutAddressIn } from "./sheets.ts";

/** Sheets that met a masked `<b class="secret card" id="one">` and a clear `<i class="open">`. */
function scene() {
  const sheets = createSheets();
  sheets.meet("b", { class: "secret card", id: "one" }, true);
  sheets.meet("i", { class: "open" }, false);
  return sheets;
}

for (const [css, left] of [
  [`.card { background: #fff url("/x") no-repeat }`, `.card { background: #fff none no-repeat }`],
  [`.open .card{background:url(/x)}`, `.open .card{background:none}`],
  [`.card .open{background:url(/x)}`, `.card .open{background:url(/x)}`],
  [`.card.open{background:url(/x)}`, `.card.open{background:url(/x)}`],
  [`b{background:url(/x)} i{background:url(/y)}`, `b{background:none} i{background:url(/y)}`],
  [`i, b.CARD::after{content:url(/x)}`, `i, b.CARD::after{content:none}`],
  [`#two,#one:hover{background:url(/x),url('/y')}`, `#two,#one:hover{background:none,none}`],
  [`*{cursor:url(/x),auto}`, `*{cursor:none,auto}`],
  [`:is(i, u){background:url(/x)}`, `:is(i, u){background:none}`],
  [`[data-x="}"]{background:url(/x)}`, `[data-x="}"]{background:none}`],
  [`.c\\61 rd{background:url(/x)}`, `.c\\61 rd{background:none}`],
  [`.card{background:u\\72l(/x)}`, `.card{background: none}`],
  [`.card{background:image-set("/x" 1x)}`, `.card{background: none}`],
  [`@media (min-width: 1px){.card{background:url(/x)} i{background:url(/y)}}`, `@media (min-width: 1px){.card{background:none} i{background:url(/y)}}`],
  [`@keyframes k{from{background:url(/x)}}`, `@keyframes k{from{background:none}}`],
  [`@font-face{src:url(/f.woff2)}`, `@font-face{src:url(/f.woff2)}`],
  [`@import url(/a.css);i{background:url(/x)}`, `@import url(/a.css);i{background:url(/x)}`],
  [`i{color:red;&.card{background:url(/x)}}`, `i{color:red;&.card{background:none}}`],
  [`.card{i{background:url(/x)}}`, `.card{i{background:none}}`],
  [`u{--photo:url(/x);color:red}`, `u{--photo:none;color:red}`],
  [`/* { */.card/* } */{/* ; */background:url(/x)}`, `/* { */.card/* } */{/* ; */background:none}`],
  [`i{background:url(/a;b{c})}.card{background:url(/x`, `i{background:url(/a;b{c})}.card{background:none`],
  [`u{/* c */--photo:url(/x)}`, `u{/* c */--photo:none}`],
  [`x-card::part(photo){background:url(/x)}`, `x-card::part(photo){background:none}`],
  [`.open{x:it's\n}.card{background:url(/x)}`, `.open{x:it's\n}.card{background:none}`],
  [`.open{background:url(a"b)}.card{background:url(/x)}`, `.open{background:none(a"b)}.card{background:none(/x)}`],
  [`@scope (.card){background:url(/x)}`, `@scope (.card){background:none}`],
  [`.card{content:"\\f101"}`, `.card{content:"\\f101"}`],
  [`.card { color: red }`, `.card { color: red }`],
  [`background:url(/x)}i{background:url(/y)}`, `background:none}i{background:url(/y)}`],
  [`url(http://a.example/x)}`, `none}`],
  [`;background:url("/x")`, `;background:none`],
  [`@charset "utf-8";@import url(http://a.example/a.css) screen;`, `@charset "utf-8";@import url(http://a.example/a.css) screen;`],
] as const) {
  test(`addresses in rules for masked elements: ${css}`, () => {
    assert.equal(scene().write(css), left);
  });
}

test("part of a sheet has no addresses at all", () => {
  assert.equal(scene().write(`rd{background:url(/x)} i{background:url(/y)}`, true), `rd{background:none} i{background:none}`);
});

test("without masked elements every picture stays", () => {
  const sheets = createSheets();
  sheets.meet("i", { class: "open" }, false);
  for (const css of ["*{background:url(/x)}", "@media print{i{background:url(/x)}}"]) assert.equal(sheets.write(css), css);
});

test("a rule that becomes one for a masked element is told once", () => {
  const sheets = createSheets();
  sheets.write(".late{background:url(/x)}");
  sheets.meet("p", { class: "other" }, true);
  assert.equal(sheets.grew(), false);
  sheets.meet("p", { class: "late" }, true);
  assert.equal(sheets.grew(), true);
  assert.equal(sheets.grew(), false);
  sheets.reset();
  sheets.meet("p", { class: "late" }, true);
  assert.equal(sheets.write(".late{background:url(/x)}"), ".late{background:none}");
});

test("what was masked once is hidden in the next snapshot too, whenever its element comes", () => {
  const sheets = createSheets();
  const rule = ".late{background:url(/x)}";
  const snapshot = () => {
    sheets.reset();
    const sent = sheets.write(rule);
    sheets.grew();
    sheets.meet("p", { class: "late" }, true);
    return [sent, sheets.grew()];
  };
  assert.deepEqual(snapshot(), [rule, true]);
  assert.deepEqual(snapshot(), [".late{background:none}", false]);
});

test("with more masked names than are remembered no rule has an address", () => {
  const sheets = createSheets();
  for (let name = 0; name < 20_001; name += 1) sheets.meet("p", { class: `c${name}` }, true);
  assert.equal(sheets.write(".other{background:url(/x)}"), ".other{background:none}");
});

test("of a masked element's names those are left that agents have anyway", () => {
  const sheets = scene();
  assert.equal(sheets.read(`.col-6 .md\\:wide { color: red; background: url(/a.smith); content: ".jones" } #nav {}`).includes("jones"), false);
  assert.equal(sheets.known("secret col-6 md:wide open nav smith jones miller4711"), "col-6 md:wide open nav");
});

test("values that scripts set lose their addresses", () => {
  assert.equal(withoutAddressIn("#fff url(/x)"), "#fff none");
  assert.equal(withoutAddressIn("red"), "red");
});

test("long sheets take no long time", () => {
  const sheets = [".a{background:url(/x)}".repeat(40_000), "u".repeat(300_000) + "url(", `url("${"\\".repeat(100_000)}`, "{".repeat(200_000) + "url(x)", "(".repeat(50_000) + "{background:url(x)}", `a{b:${"/*".repeat(50_000)}url(x)}`];
  const start = performance.now();
  for (const css of sheets) {
    const made = scene();
    made.write(made.read(css));
  }
  assert.ok(performance.now() - start < 3_000);
});
