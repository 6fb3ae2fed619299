// The session bar stays where the visitor sees it, whatever the page does; while it cannot, nothing is recorded.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { launchBrowser } from "../browser.mjs";
import { bundles, page, startPeer, tag } from "./peer.mjs";
import { batchesLater, call, live, settled, visit, waitFor } from "./visit.mjs";

let browser, scripts;
before(async () => {
  [browser, scripts] = await Promise.all([launchBrowser(), bundles()]);
});
after(() => browser?.close());

async function session(t, html = page(`<h1>Bank</h1><p id="p">text</p>`)) {
  const peer = await startPeer({ scripts, pages: { "/": html, "/next": page("next page") }, masks: [".secret"], csp: false });
  t.after(() => peer.stop());
  const visitor = await visit(browser, `${peer.address}/`);
  t.after(() => visitor.context().close());
  await live(peer, visitor);
  return { peer, visitor };
}

/** Whether a click of the mouse on the button's middle would end the session. */
const inReach = (visitor) =>
  visitor.evaluate(() => {
    const { x, y, width, height } = window.ui.getElementById("glance_stop_btn").getBoundingClientRect();
    const { host } = window.ui;
    return width > 40 && height > 30 && host.getRootNode().elementFromPoint(x + width / 2, y + height / 2) === host;
  });

async function endByMouse(visitor) {
  const { x, y } = await visitor.evaluate(() => {
    const { left, top, width, height } = window.ui.getElementById("glance_stop_btn").getBoundingClientRect();
    return { x: left + width / 2, y: top + height / 2 };
  });
  await visitor.mouse.click(x, y);
  await waitFor(visitor, "sessionend");
}

for (const [name, replace] of [
  ["document.write after the page", () => {
    document.open();
    document.write("<!doctype html><body><p>all new</p><p class=secret>CANARY</p>");
    document.close();
  }],
  ["another root", () => {
    const root = document.createElement("html");
    root.innerHTML = "<body><p>all new</p><p class=secret>CANARY</p></body>";
    document.documentElement.replaceWith(root);
  }],
  ["the root's innerHTML", () => (document.documentElement.innerHTML = "<head></head><body><p>all new</p><p class=secret>CANARY</p></body>")],
  ["another body", () => {
    const body = document.createElement("body");
    body.innerHTML = "<p>all new</p><p class=secret>CANARY</p>";
    document.body = body;
  }],
  ["the bar itself taken out", () => {
    document.body.innerHTML = "<p>all new</p><p class=secret>CANARY</p>";
    document.querySelector("glance-cobrowse").remove();
  }],
]) {
  test(`the bar comes back: ${name}`, async (t) => {
    const { peer, visitor } = await session(t);
    await visitor.evaluate(replace);
    await peer.until((that) => that.text().includes("all new"));
    await visitor.waitForFunction(() => window.ui.host.isConnected);
    assert.equal(await inReach(visitor), true);
    await settled(visitor, peer);
    assert.ok(!peer.text().includes("CANARY"));
    // Listeners are there, too: the next page goes on with the same tab.
    await visitor.goto(`${peer.address}/next`);
    await waitFor(visitor, "sessioncontinue");
    assert.equal(new Set(peer.said.filter(({ type }) => type === "hello").map(({ tab }) => tab)).size, 1);
    await endByMouse(visitor);
    assert.deepEqual(visitor.problems, []);
  });
}

test("a page that takes the bar out again and again is not recorded while it is out", async (t) => {
  const { peer, visitor } = await session(t);
  await visitor.evaluate(() => {
    const { host } = window.ui;
    const take = () => host.remove();
    new MutationObserver(take).observe(document, { childList: true, subtree: true });
    take();
    setInterval(() => document.body.append(`tick-${Math.round(performance.now())} `), 20);
  });
  await batchesLater(visitor);
  const before = peer.frames.length;
  await batchesLater(visitor);
  await batchesLater(visitor);
  assert.equal(peer.frames.length, before);
  assert.equal(await call(visitor, "inSession"), true);
});

test("the bar is in reach over a modal dialog, and after it", async (t) => {
  const { peer, visitor } = await session(t, page(`<dialog id="d"><button>close</button></dialog><p>under it</p>`));
  await visitor.evaluate(() => d.showModal());
  await visitor.waitForFunction(() => d.contains(window.ui.host));
  assert.equal(await inReach(visitor), true);
  await visitor.evaluate(() => d.append("said in the dialog"));
  await peer.until((that) => that.text().includes("said in the dialog"));
  await visitor.evaluate(() => d.close());
  await visitor.waitForFunction(() => !d.contains(window.ui.host));
  assert.equal(await inReach(visitor), true);
  await visitor.evaluate(() => d.showModal());
  await visitor.waitForFunction(() => d.contains(window.ui.host));
  await visitor.evaluate(() => d.remove());
  await visitor.waitForFunction(() => window.ui.host.isConnected);
  await settled(visitor, peer);
  await endByMouse(visitor);
});

test("the bar is in reach over a modal dialog in a shadow root, a popover and a full screen", async (t) => {
  const { peer, visitor } = await session(t, page(`<div id="host"></div><div id="pop" popover style="inset: 0; width: 100%; height: 100%">popped</div><div id="full">full</div>`));
  await visitor.evaluate(() => {
    const root = host.attachShadow({ mode: "open" });
    root.innerHTML = "<dialog><button>close</button></dialog>";
    root.firstChild.showModal();
  });
  await visitor.waitForFunction(() => host.shadowRoot.contains(window.ui.host));
  assert.equal(await inReach(visitor), true);
  await visitor.evaluate(() => host.shadowRoot.firstChild.close());
  await visitor.waitForFunction(() => window.ui.host.parentNode === document.documentElement);
  await visitor.evaluate(() => pop.showPopover());
  await batchesLater(visitor);
  assert.equal(await inReach(visitor), true);
  await visitor.evaluate(() => pop.hidePopover());
  await visitor.click("#full");
  await visitor.evaluate(() => full.requestFullscreen());
  await visitor.waitForFunction(() => full.contains(window.ui.host));
  assert.equal(await inReach(visitor), true);
  await visitor.evaluate(() => document.exitFullscreen());
  await settled(visitor, peer);
  await endByMouse(visitor);
});

/** The colour of the End button, as the visitor sees it. */
async function redness(visitor) {
  const clip = await visitor.evaluate(() => {
    const { x, y, width, height } = window.ui.getElementById("glance_stop_btn").getBoundingClientRect();
    return { x: x + 3, y: y + height / 2, width: 2, height: 2 };
  });
  const shot = (await visitor.screenshot({ clip })).toString("base64");
  return visitor.evaluate(async (data) => {
    const canvas = new OffscreenCanvas(1, 1).getContext("2d");
    canvas.drawImage(await createImageBitmap(await (await fetch(`data:image/png;base64,${data}`)).blob()), 0, 0);
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  }, shot);
}

const RED = [179, 38, 30];

for (const css of [
  "html { opacity: 0 }", "html { transform: scale(0) }", "html { transform: translate(-200vw) }", "html { filter: opacity(0) }",
  "html { visibility: hidden !important }", "html, body, * { pointer-events: none !important }", "html { clip-path: inset(50%) }",
  "html { overflow: hidden; height: 0; contain: paint }", "* { opacity: 0 !important; transform: scale(0) !important }",
  "::backdrop { background: black; opacity: 1 }", "html { mask-image: linear-gradient(transparent, transparent) }",
  "glance-cobrowse { display: none !important; opacity: 0 !important; pointer-events: none !important }",
]) {
  test(`the page's styles do not hide the bar: ${css}`, async (t) => {
    const { peer, visitor } = await session(t);
    await visitor.evaluate((text) => document.head.appendChild(document.createElement("style")).append(text), css);
    await batchesLater(visitor);
    assert.equal(await inReach(visitor), true);
    assert.deepEqual(await redness(visitor), RED);
    assert.equal(await visitor.evaluate(() => getComputedStyle(window.ui.host, "::backdrop").display), "none");
    await settled(visitor, peer);
    await endByMouse(visitor);
  });
}

for (const css of ["html { display: none }", "html { content-visibility: hidden }", "html { zoom: 0.05 }", "@media all { html { display: none !important } }"]) {
  test(`where the page's styles hide the bar, nothing is recorded: ${css}`, async (t) => {
    const { peer, visitor } = await session(t);
    await visitor.evaluate((text) => Object.assign(document.head.appendChild(document.createElement("style")), { id: "hides", textContent: text }), css);
    await batchesLater(visitor);
    const before = peer.frames.length;
    await visitor.evaluate(() => document.body.append("UNSEEN-1"));
    await batchesLater(visitor);
    const isSeen = await inReach(visitor);
    assert.equal(peer.frames.length > before, isSeen, `in reach: ${isSeen}`);
    await visitor.evaluate(() => document.getElementById("hides").remove());
    await peer.until((that) => that.text().includes("UNSEEN-1"));
    assert.equal(await inReach(visitor), true);
  });
}

test("what was masked stays so, whatever becomes of it while the bar is away", async (t) => {
  const { peer, visitor } = await session(t, page(`<p id="p" class="secret">a</p><p id="q">b</p>`));
  await visitor.evaluate(() => (document.documentElement.style.display = "none"));
  await batchesLater(visitor);
  await visitor.evaluate(() => {
    document.getElementById("p").className = "";
    document.getElementById("q").className = "secret";
  });
  await batchesLater(visitor);
  await visitor.evaluate(() => {
    document.getElementById("q").className = "";
    for (const id of ["p", "q"]) document.getElementById(id).textContent = "CANARY";
  });
  const before = peer.snapshots();
  await visitor.evaluate(() => (document.documentElement.style.display = ""));
  await peer.until((that) => that.snapshots() > before);
  await settled(visitor, peer);
  assert.ok(!peer.text().includes("CANARY"));
});

test("a page with a bar of its own is recorded without ours", async (t) => {
  const { peer, visitor } = await session(t, page("<p>own bar</p>", { attributes: { "data-ui": "custom" } }));
  await settled(visitor, peer);
  assert.equal(await visitor.evaluate(() => document.querySelector("glance-cobrowse")), null);
});

test("a session on a page of frames keeps its bar", async (t) => {
  const html = `<html><head></head>${tag()}<frameset cols="*"><frame src="/next"></frameset></html>`;
  const { peer, visitor } = await session(t, html);
  await peer.until((that) => that.text().includes("next page"));
  assert.equal(await inReach(visitor), true);
});
