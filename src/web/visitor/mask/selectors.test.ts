import assert from "node:assert/strict";
import { test } from "node:test";

import { compileSelectors, groupSelector } from "./selectors.ts";

/** Only what the module asks of a document; how browsers read selectors is tested in a browser. */
function documentThatReads(reads: (selector: string) => boolean): Document {
  const probe = {
    appendChild: () => undefined,
    querySelector: (selector: string) => {
      if (!reads(selector)) throw new SyntaxError(selector);
      return selector.endsWith(",glance-probe") ? {} : null;
    },
  };
  return { createDocumentFragment: () => probe, createElement: () => ({}) } as unknown as Document;
}

test("one selector that cannot be read spoils the whole list", () => {
  const doc = documentThatReads((selector) => !selector.includes(":::"));
  assert.deepEqual(compileSelectors([".a", "p:::", ".b"], doc), { ok: false, bad: "p:::" });
  const compiled = compileSelectors([".a", ".b"], doc);
  assert.ok(compiled.ok && compiled.selector.endsWith(",.a,.b") && compiled.selector.includes("type=password"));
});

test("what names no element is refused, whatever the browser says", () => {
  const doc = documentThatReads(() => true);
  for (const bad of ["p::before", "p:AFTER", "a ::first-line", 7 as unknown as string, null as unknown as string]) {
    assert.deepEqual(compileSelectors([bad], doc), { ok: false, bad });
  }
  for (const good of [".a\\:\\:before", "[title='::before']", "p:first-child"]) {
    assert.equal(compileSelectors([good], doc).ok, true, good);
  }
});

test("a group's mark is matched as a word", () => {
  assert.equal(groupSelector(15690), '[data-cobrowse-mask-groups~="15690"]');
});
