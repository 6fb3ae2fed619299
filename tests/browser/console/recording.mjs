// Recordings written by hand: what a visitor's script would send, and what it never would.

import { deflateRawSync } from "node:zlib";

const HEAD_BYTES = 13;

/** Nodes of one page; their IDs count up as the recorder's do. */
export function builder() {
  let last = 0;
  const id = () => (last += 1);
  const text = (textContent, more = {}) => ({ type: 3, id: id(), textContent, ...more });
  const el = (tagName, attributes = {}, ...children) => ({
    type: 2,
    id: id(),
    tagName,
    attributes,
    childNodes: children.flat().map((child) => (typeof child === "string" ? text(child) : child)),
  });
  const svg = (tagName, attributes = {}, ...children) => ({ ...el(tagName, attributes, ...children), isSVG: true });
  const doc = (head, body, more = {}) => ({
    type: 0,
    id: id(),
    childNodes: [{ type: 1, id: id(), name: "html", publicId: "", systemId: "" }, el("html", {}, el("head", {}, head), el("body", {}, body))],
    ...more,
  });
  return { id, text, el, svg, doc };
}

/** A frame: 2 begins a recording, 1 goes on. */
export function frame(kind, page, sequence, events) {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt8(kind, 0);
  head.writeUInt32BE(page, 1);
  head.writeBigUInt64BE(BigInt(sequence), 5);
  const body = typeof events === "string" || Buffer.isBuffer(events) ? events : JSON.stringify(events);
  return Buffer.concat([head, deflateRawSync(body)]);
}

/** A recording of a page that goes on as it is told. `skew`: how far the visitor's clock is ahead. */
export function recording(page, { skew = 0, width = 1000, height = 700 } = {}) {
  let sequence = -1;
  const now = () => Date.now() + skew;
  const next = (kind, events) => frame(kind, page, (sequence += 1), events);
  return {
    snapshot: (node, offset = { top: 0, left: 0 }) =>
      next(2, [
        { type: 4, data: { href: "https://www.bank.example/", width, height }, timestamp: now() },
        { type: 2, data: { node, initialOffset: offset }, timestamp: now() },
      ]),
    change: (...changes) => next(1, changes.map((data) => ({ type: 3, data, timestamp: now() }))),
    events: (...events) => next(1, events.map((event) => ({ timestamp: now(), ...event }))),
    lose: () => (sequence += 1),
    mutation: (parts) => ({ source: 0, texts: [], attributes: [], removes: [], adds: [], ...parts }),
  };
}

/** A plain page of a bank. */
export function bankPage() {
  const { el, doc } = builder();
  const style = el("style", {
    _cssText: `body { margin: 0; font: 16px/1.5 Georgia, serif; color: #222; background: #fff; }
      header { background: #123c69; color: #fff; padding: 18px 40px; font-size: 22px; }
      main { padding: 24px 40px; max-width: 720px; } label { display: block; margin: 12px 0 4px; }
      input { font-size: 16px; padding: 6px; width: 280px; } .note { background: #f3efe3; padding: 12px; }`,
  });
  const heading = el("h1", { id: "heading" }, "Apply for a mortgage");
  const income = el("input", { id: "income", value: "*****" });
  const note = el("p", { class: "note" }, "Our advisors are there for you from 8 to 18.");
  const list = el("ul", {}, el("li", {}, "Proof of income"), el("li", {}, "Passport"));
  const page = doc([el("title", {}, "Mortgage"), style], [
    el("header", {}, "Old County Bank"),
    el("main", {}, heading, note, el("label", {}, "Yearly income"), income, el("h2", {}, "What you need"), list),
  ]);
  return { page, heading, income, note, list };
}
