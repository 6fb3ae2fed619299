// What visitors see and reach: button, terms, session bar, overlay; under a strict policy and hostile styles.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { launchBrowser } from "../browser.mjs";
import { bundles, page, startPeer, tag } from "./peer.mjs";
import { call, heard, live, visit, waitFor } from "./visit.mjs";

let browser, scripts;
before(async () => {
  [browser, scripts] = await Promise.all([launchBrowser(), bundles()]);
});
after(() => browser?.close());

const HOSTILE = `
  * { display: none !important; opacity: 0 !important; font-size: 1px !important; color: transparent !important; transform: scale(0) !important }
  div, button, dialog, span { position: static !important; visibility: hidden !important }
  html, head, body, h1, p, .secret { display: block !important; opacity: 1 !important; transform: none !important }`;

async function scene(t, { body = "<h1>Bank</h1><p class=secret>12345678</p>", attributes = {}, head, pages: more, ...options } = {}) {
  const pages = { ...more, "/": page(body, { attributes, head }), "/hostile.css": { body: HOSTILE, headers: { "content-type": "text/css" } } };
  const peer = await startPeer({ scripts, pages, masks: [".secret"], ...options });
  t.after(() => peer.stop());
  const visitor = await visit(browser, `${peer.address}/`);
  t.after(() => visitor.context().close());
  return { peer, visitor };
}

/** An element of the user interface as it is seen. */
const seen = (visitor, id) =>
  visitor.evaluate((wanted) => {
    const element = window.ui?.getElementById(wanted);
    if (!element) return undefined;
    const { width, height, x, y } = element.getBoundingClientRect();
    const style = getComputedStyle(element);
    const shown = width > 0 && height > 0 && style.visibility === "visible" && style.opacity === "1" && style.display !== "none";
    return { shown, text: element.textContent, x, y, width, height, font: style.fontSize };
  }, id);
const press = (visitor, id) => visitor.evaluate((wanted) => window.ui.getElementById(wanted).click(), id);

test("the whole session breaks no rule of a strict policy", async (t) => {
  const { peer, visitor } = await scene(t);
  await visitor.evaluate(() => addEventListener("securitypolicyviolation", (event) => (window.violations ??= []).push(event.violatedDirective)));
  await call(visitor, "showButton");
  await visitor.waitForFunction(() => window.ui);
  await press(visitor, "glance_cobrowse_btn");
  await press(visitor, "glance_accept");
  await waitFor(visitor, "sessionstart");
  peer.join();
  await peer.until((that) => that.snapshots() > 0);
  await press(visitor, "glance_masks_btn");
  peer.say({ type: "pointer", agent: "Anna", page: 1, node: 4, x: 0.5, y: 0.5 });
  await visitor.waitForFunction(() => window.ui.querySelector(".mask") && window.ui.querySelector(".pointer"));
  await press(visitor, "glance_stop_btn");
  await waitFor(visitor, "sessionend");
  assert.deepEqual(await visitor.evaluate(() => window.violations ?? []), []);
  assert.deepEqual(visitor.problems, []);
});

test("the bar tells the key, who watches, and ends the session by keyboard alone", async (t) => {
  const { peer, visitor } = await scene(t);
  await call(visitor, "startSession");
  await waitFor(visitor, "sessionstart");
  assert.equal((await seen(visitor, "glance_state")).text, "Tell the agent this key");
  assert.equal((await seen(visitor, "glance_ssn_key")).text, "12345");
  peer.join("Anna Agent");
  await visitor.waitForFunction(() => window.ui.getElementById("glance_state").textContent === "Anna Agent can see this page");
  for (let presses = 0; presses < 9; presses += 1) {
    await visitor.keyboard.press("Tab");
    if (await visitor.evaluate(() => window.ui.activeElement?.id === "glance_stop_btn")) break;
  }
  await visitor.keyboard.press("Enter");
  await waitFor(visitor, "sessionend");
  assert.equal((await seen(visitor, "glance_bar")).shown, false);
});

test("a screen reader finds names, roles and what changes", async (t) => {
  const { peer, visitor } = await scene(t);
  await live(peer, visitor);
  const client = await visitor.context().newCDPSession(visitor);
  const { nodes } = await client.send("Accessibility.getFullAXTree");
  const named = nodes.filter(({ ignored }) => !ignored).map(({ role, name }) => `${role?.value}: ${name?.value}`);
  for (const expected of ["region: Cobrowse session", "button: End session", "button: Pause", "button: Show what is hidden"]) {
    assert.ok(named.includes(expected), `${expected} in ${named.join(" | ")}`);
  }
  assert.equal(await visitor.evaluate(() => window.ui.querySelector("[aria-live=polite]").id), "glance_state");
});

test("terms are asked before a session, and a no is a no", async (t) => {
  const { peer, visitor } = await scene(t, { attributes: { "data-termsurl": "/terms" }, settings: { terms: { text: "Our terms." } } });
  await call(visitor, "showTerms", { sessionKey: "abc" });
  await visitor.waitForFunction(() => window.ui?.getElementById("glance_terms"));
  assert.equal(await visitor.evaluate(() => window.ui.activeElement.id), "glance_accept");
  assert.ok((await visitor.evaluate(() => window.ui.getElementById("glance_terms_link").href)).endsWith("/terms"));
  await visitor.keyboard.press("Escape");
  await visitor.waitForFunction(() => !window.ui.getElementById("glance_terms"));
  assert.deepEqual([peer.starts.length, await heard(visitor)], [0, []]);
  await call(visitor, "showTerms", { sessionKey: "abc" });
  await visitor.keyboard.press("Enter");
  await waitFor(visitor, "sessionstart");
  assert.equal(peer.starts[0].key, "abc");
});

test("the button is shown, hidden, and gives way to the bar", async (t) => {
  const settings = { button: { label: "Get help", color: "#0a5c36", css: "#glance_cobrowse_btn { left: 20px; right: auto }" } };
  const { peer, visitor } = await scene(t, { settings });
  await call(visitor, "toggleButton");
  await visitor.waitForFunction(() => window.ui?.getElementById("glance_cobrowse_btn").textContent === "Get help");
  const button = await seen(visitor, "glance_cobrowse_btn");
  assert.deepEqual([button.shown, button.x], [true, 20]);
  await call(visitor, "toggleButton");
  assert.equal((await seen(visitor, "glance_cobrowse_btn")).shown, false);
  await call(visitor, "showButton");
  await live(peer, visitor);
  assert.equal((await seen(visitor, "glance_cobrowse_btn")).shown, false);
  await call(visitor, "stopSession");
  assert.equal((await seen(visitor, "glance_cobrowse_btn")).shown, true);
});

test("the page's styles do not reach the bar, nor the bar's the page", async (t) => {
  const { peer, visitor } = await scene(t, { head: `<link rel="stylesheet" href="/hostile.css">` });
  const styles = () => visitor.evaluate(() => ["html", "body", "h1", "p"].map((name) => {
    const style = getComputedStyle(document.querySelector(name));
    return Array.from(style, (property) => `${property}: ${style.getPropertyValue(property)}`).join("; ");
  }));
  const before = await styles();
  assert.ok(before.every((text) => text.includes("display: ") && text.length > 5_000), before[0]);
  await live(peer, visitor);
  for (const id of ["glance_bar", "glance_stop_btn", "glance_ssn_key"]) assert.equal((await seen(visitor, id)).shown, true, id);
  const end = await seen(visitor, "glance_stop_btn");
  assert.deepEqual([end.font, end.height >= 36], ["15px", true]);
  assert.deepEqual(await styles(), before);
  assert.equal(
    await visitor.evaluate(({ x, y }) => document.elementFromPoint(x, y)?.localName, { x: end.x + 5, y: end.y + 5 }),
    "glance-cobrowse",
  );
});

test("the visitor sees what is hidden", async (t) => {
  const { peer, visitor } = await scene(t);
  await live(peer, visitor);
  await press(visitor, "glance_masks_btn");
  const [box, secret] = await visitor.evaluate(() => {
    const rect = ({ x, y, width, height }) => [x, y, width, height].map(Math.round);
    return [window.ui.querySelector(".mask").getBoundingClientRect(), document.querySelector(".secret").getBoundingClientRect()].map(rect);
  });
  assert.deepEqual(box, secret);
  assert.equal(await visitor.evaluate(() => window.ui.getElementById("glance_masks_btn").getAttribute("aria-pressed")), "true");
  await press(visitor, "glance_masks_btn");
  await visitor.waitForFunction(() => !window.ui.querySelector(".mask"));
});

test("a page with a user interface of its own sees nothing of ours", async (t) => {
  const { peer, visitor } = await scene(t, { attributes: { "data-ui": "custom" } });
  await live(peer, visitor);
  assert.deepEqual(
    await visitor.evaluate(() => [typeof GLANCE.Cobrowse.VisitorUI, document.querySelector("glance-cobrowse")]),
    ["undefined", null],
  );
});

test("the visitor sees what is hidden in shadow roots and frames, and which frames are hidden", async (t) => {
  const frame = (text) => `<!doctype html><p class="own" style="margin: 30px; width: 90px">${text}</p>${tag()}`;
  const { peer, visitor } = await scene(t, {
    csp: false,
    body: `<div id="host"></div><iframe id="seen" src="/seen"></iframe><iframe id="hidden" src="/hidden"></iframe>`,
    pages: { "/seen": frame("masked by its own rule"), "/hidden": "<!doctype html><p>no tag</p>" },
    frameMasks: { "/seen": [".own"] },
  });
  await visitor.evaluate(() => {
    const root = host.attachShadow({ mode: "open" });
    root.innerHTML = "<div></div>";
    root.firstChild.attachShadow({ mode: "open" }).innerHTML = "<p class=secret style='width: 70px; height: 20px'>x</p>";
  });
  await live(peer, visitor);
  await peer.until((that) => that.said.some(({ type }) => type === "frame"));
  await press(visitor, "glance_masks_btn");
  const expected = await visitor.evaluate(() => {
    const rect = ({ x, y, width, height }) => [x, y, width, height].map(Math.round);
    const own = seen.contentDocument.querySelector(".own").getBoundingClientRect();
    const around = seen.getBoundingClientRect();
    own.x += around.x + seen.clientLeft;
    own.y += around.y + seen.clientTop;
    const deep = host.shadowRoot.firstChild.shadowRoot.firstChild;
    return [deep.getBoundingClientRect(), own, hidden.getBoundingClientRect()].map(rect).map(String);
  });
  await visitor.waitForFunction((boxes) => {
    const drawn = [...window.ui.querySelectorAll(".mask")].map((box) => box.getBoundingClientRect());
    const found = drawn.map(({ x, y, width, height }) => `${[x, y, width, height].map(Math.round)}`);
    return boxes.every((box) => found.includes(box)) && found.length === boxes.length;
  }, expected);
});
