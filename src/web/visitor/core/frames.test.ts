import assert from "node:assert/strict";
import { test } from "node:test";

import type { VisitorMessage } from "../../shared/protocol.ts";
import { createFrames, FRAMES_MAX } from "./frames.ts";

const PROBE = {
  createDocumentFragment: () => ({
    appendChild: () => undefined,
    querySelector: (selector: string) => {
      if (selector.startsWith("bad")) throw new Error("bad");
      return {};
    },
  }),
  createElement: () => ({}),
};
const PAGE = { ...PROBE, URL: "https://bank.example/" } as unknown as Document;

/** A document in a frame of another one. */
function inner(around: Document, url: string, tag?: Record<string, string>, served?: string): Document {
  const element = tag && { getAttribute: (name: string) => tag[name] ?? null };
  const made = { URL: url, currentScript: null, getElementById: () => element ?? null };
  const performance = { getEntriesByType: () => (served ? [{ name: served }] : []) };
  return { ...made, defaultView: { frameElement: { ownerDocument: around }, performance } } as unknown as Document;
}

function scene() {
  const asked: Extract<VisitorMessage, { type: "frame" }>[] = [];
  let shown = 0;
  const frames = createFrames({
    selector: ".page",
    group: 1,
    page: PAGE,
    say: (message) => message.type === "frame" && asked.push(message),
    number: () => asked.length + 10,
    onShown: () => (shown += 1),
  });
  return { frames, asked, shown: () => shown };
}

const TAG = { "data-groupid": "1", "data-grant": "v1.a.b.c" };

test("a document is asked for once, by grant and address without its query", () => {
  const { frames, asked, shown } = scene();
  const doc = inner(PAGE, "https://bank.example/a?secret#x", TAG);
  assert.equal(frames.selectorOf(doc), undefined);
  assert.equal(frames.selectorOf(doc), undefined);
  assert.deepEqual(asked, [{ type: "frame", frame: 10, grant: "v1.a.b.c", url: "https://bank.example/a" }]);
  frames.hear({ type: "frame", frame: 10, allowed: true, masks: [".own"] });
  assert.equal(shown(), 1);
  assert.match(frames.selectorOf(doc) ?? "", /^\.page,.*,\.own$/);
  assert.match(frames.selectorOf(inner(PAGE, "https://bank.example/a?other", TAG)) ?? "", /,\.own$/);
  assert.match(frames.selectorOf(inner(doc, "about:srcdoc")) ?? "", /,\.own$/);
  assert.equal(asked.length, 1);
});

test("what was asked for together is shown at once", () => {
  const { frames, shown } = scene();
  for (const path of ["a", "b", "c"]) frames.selectorOf(inner(PAGE, `https://bank.example/${path}`, TAG));
  frames.hear({ type: "frame", frame: 10, allowed: true, masks: [] });
  frames.hear({ type: "frame", frame: 11, allowed: true, masks: [] });
  assert.equal(shown(), 0);
  frames.hear({ type: "frame", frame: 12, allowed: false, masks: [] });
  assert.equal(shown(), 1);
});

test("a frame whose page says itself what it masks is not seen", () => {
  const { frames, asked } = scene();
  for (const url of ["https://bank.example/a", "about:srcdoc"]) {
    const doc = inner(PAGE, url, TAG);
    Object.assign(doc.defaultView as object, { GLANCE_COBROWSE: { getMaskingDescriptor: () => ({}) } });
    assert.equal(frames.selectorOf(doc), undefined);
  }
  assert.deepEqual(asked, []);
});

test("what is not sure is not seen", () => {
  const { frames, asked, shown } = scene();
  assert.equal(frames.selectorOf(inner(PAGE, "https://bank.example/a")), undefined);
  assert.equal(frames.selectorOf(inner(PAGE, "https://bank.example/a", { ...TAG, "data-groupid": "2" })), undefined);
  assert.deepEqual(asked, []);
  const doc = inner(PAGE, "https://bank.example/a", TAG);
  const below = inner(doc, "about:blank");
  frames.selectorOf(doc);
  frames.hear({ type: "frame", frame: 9, allowed: true, masks: [] });
  frames.hear({ type: "frame", frame: 10, allowed: false, masks: [] });
  frames.hear({ type: "frame", frame: 10, allowed: true, masks: [] }); // it was answered
  assert.deepEqual([frames.selectorOf(doc), frames.selectorOf(below), shown()], [undefined, undefined, 0]);
  for (const answer of [{ allowed: "yes", masks: [] }, { allowed: true, masks: ".a" }, { allowed: true, masks: ["bad"] }, { allowed: true }]) {
    const again = scene();
    again.frames.selectorOf(doc);
    again.frames.hear({ type: "frame", frame: 10, ...answer } as never);
    assert.deepEqual([again.frames.selectorOf(doc), again.shown()], [undefined, 0], JSON.stringify(answer));
  }
  assert.equal(frames.selectorOf({ ...inner(PAGE, "about:blank"), defaultView: null } as Document), undefined, "gone");
});

test("frames that load without end are not asked for without end", () => {
  const { frames, asked } = scene();
  for (let count = 0; count < 2 * FRAMES_MAX; count += 1) {
    frames.selectorOf(inner(PAGE, `https://bank.example/${count}`, TAG));
  }
  assert.equal(asked.length, FRAMES_MAX);
});

test("what the page around wrote belongs to it, what was served does not", () => {
  const { frames, asked } = scene();
  const at = (url: string, served: string | undefined, tag?: Record<string, string>) => frames.selectorOf(inner(PAGE, url, tag, served));
  assert.equal(at(PAGE.URL, "about:blank"), ".page");
  assert.equal(at(PAGE.URL, PAGE.URL), undefined);
  assert.equal(at(PAGE.URL, "https://bank.example/other"), undefined);
  assert.equal(at(PAGE.URL, undefined), undefined);
  assert.equal(at(PAGE.URL, "document"), undefined);
  assert.equal(at("https://bank.example/other", "about:blank"), undefined);
  assert.equal(at(PAGE.URL, "about:blank", TAG), undefined);
  at("https://bank.example/moved", "https://bank.example/first?x", TAG);
  assert.deepEqual(asked.map(({ url }) => url), ["https://bank.example/", "https://bank.example/first"]);
});
