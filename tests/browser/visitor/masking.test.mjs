// How the mask layer behaves around the leaks: what it lets through, when it refuses, what it repeats.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { launchBrowser } from "../browser.mjs";
import { bundles, page, startPeer, tag } from "./peer.mjs";
import { randomLeaks } from "./random-leaks.mjs";
import { call, heard, live, payloads, settled, visit, waitFor } from "./visit.mjs";

let browser, scripts;
before(async () => {
  [browser, scripts] = await Promise.all([launchBrowser(), bundles()]);
});
after(() => browser?.close());

/** A visitor on a page, with `init` run before the page's own scripts. */
async function scene(t, body, { masks = [".secret"], init, pages, frameMasks, ...options } = {}) {
  const peer = await startPeer({ scripts, pages: { "/": page(body, options), ...pages }, masks, frameMasks, csp: false });
  t.after(() => peer.stop());
  const visitor = await visit(browser, `${peer.address}/`);
  t.after(() => visitor.context().close());
  if (init) await visitor.evaluate(init);
  return { peer, visitor };
}

test("what is not masked is shown", async (t) => {
  const { peer, visitor } = await scene(t, `
    <h1 class="title" title="tip">Open account</h1><input value="typed"><textarea>long</textarea>
    <select><option>one</option><option selected>two</option></select><a href="/next?x=1">next</a>
    <img src="/photo?size=9" alt="photo"><iframe srcdoc="<p>framed</p>"></iframe><svg><text>drawn</text></svg>
    <style>.icon::before { content: "\\f101"; color: red } b { --gap: 4px; --main-color: #0a5c36 }</style>`);
  await live(peer, visitor);
  await settled(visitor, peer);
  const text = peer.text();
  for (const shown of ["Open account", '"title":"tip"', '"value":"typed"', '"long"', '"two"', '"selected":true', "/next", "/photo?size=9", '"alt":"photo"', "framed", "drawn", "\uf101", "--gap: 4px", "--main-color: #0a5c36"]) {
    assert.ok(text.includes(shown), shown);
  }
});

test("a frame is shown once the backend knows its grant, with its own masks beside the page's", async (t) => {
  const frame = (text, attributes) => `<!doctype html><p>${text}</p><p class="own">OWN-${text}</p><p class="secret">CANARY</p>${tag(attributes)}`;
  const pages = {
    "/shown": frame("shown"), "/refused": frame("refused"), "/other": frame("other", { "data-groupid": "2" }),
    "/untagged": "<!doctype html><p>untagged</p>",
  };
  const frames = Object.keys(pages).map((path) => `<iframe src="${path}"></iframe>`).join("");
  const { peer, visitor } = await scene(t, `<p class="own">of the page</p>${frames}`, { pages, frameMasks: { "/shown": [".own"], "/refused": null } });
  await live(peer, visitor);
  await peer.until((that) => that.text().includes('"shown"'));
  await settled(visitor, peer);
  const text = peer.text();
  for (const hidden of ["OWN-", "CANARY", '"textContent":"refused', '"textContent":"other', '"textContent":"untagged']) assert.ok(!text.includes(hidden), hidden);
  assert.ok(text.includes('"of the page"'), "a frame's masks are its own");
  assert.deepEqual(peer.said.filter(({ type }) => type === "frame").map(({ url }) => new URL(url).pathname).sort(), ["/refused", "/shown"]);

  // The same again is seen at once; what comes in its place is not.
  const before = peer.frames.length;
  const inner = (path) => visitor.evaluate((src) => new Promise((resolve) => {
    const [first] = document.querySelectorAll("iframe");
    first.onload = resolve;
    first.src = src;
  }), path);
  await inner("/shown?again");
  await inner("/untagged?after");
  await settled(visitor, peer);
  assert.equal(peer.said.filter(({ type }) => type === "frame").length, 2);
  const later = peer.frames.slice(before).flatMap(({ events }) => events);
  const attached = later.flatMap(({ data }) => (data.isAttachIframe ? data.adds : []));
  // The recorder may say the same more than once.
  const filled = attached.map(({ node }) => node.childNodes.length > 0);
  assert.deepEqual([filled[0], filled.at(-1)], [true, false]);
});

test("a frame that the page's script wrote is shown with the masks of the page", async (t) => {
  const { peer, visitor } = await scene(t, `<iframe></iframe>`);
  const write = (text) => visitor.evaluate((said) => {
    const { contentDocument } = document.querySelector("iframe");
    contentDocument.open();
    contentDocument.write(`<p>${said}</p><p class="secret">CANARY</p>`);
    contentDocument.close();
  }, text);
  await write("written before");
  await live(peer, visitor);
  await peer.until((that) => that.text().includes("written before"));
  await write("written while watched");
  await peer.until((that) => that.text().includes("written while watched"));
  assert.ok(!peer.text().includes("CANARY"));
  assert.equal(peer.said.some(({ type }) => type === "frame"), false);
});

test("a frame whose masks cannot be read is not shown", async (t) => {
  const pages = { "/inner": `<!doctype html><p>inside</p>${tag()}` };
  const { peer, visitor } = await scene(t, `<iframe src="/inner"></iframe>`, { pages, frameMasks: { "/inner": ["p:::"] } });
  await live(peer, visitor);
  await peer.until((that) => that.said.some(({ type }) => type === "frame"));
  await settled(visitor, peer);
  assert.ok(!peer.text().includes("inside"));
});

test("a masked element keeps its place and the length of its text", async (t) => {
  const { peer, visitor } = await scene(t, `
    <style>.wide { margin: 1px } #here { padding: 1px } .secret { top: 0 }</style>
    <p class="secret wide card-4711" id="here" style="width: 90px; color: red">two words</p>`);
  await live(peer, visitor);
  assert.ok(peer.text().includes(`"class":"secret wide","id":"here","style":"width: 90px; color: red;"`), peer.text());
  assert.ok(peer.text().includes(`"*** *****"`));
});

for (const bad of ["p:::", "p::before", "[a", ".secret:before", "", "a[b='c", ".a\\", "p/*"]) {
  test(`a session with the selector ${JSON.stringify(bad)} is refused`, async (t) => {
    const { peer, visitor } = await scene(t, `<p class="secret">CANARY</p>`, { masks: [".secret", bad, ".other"] });
    peer.join();
    await call(visitor, "startSession");
    await waitFor(visitor, "error");
    const [error] = await payloads(visitor, "error");
    assert.equal(error.code, "maskingerror");
    assert.deepEqual(await heard(visitor), ["sessionstarting", "error"]);
    await peer.until((that) => that.ends.length > 0);
    assert.equal(peer.ends[0].reason, "maskingerror");
    assert.equal(peer.frames.length, 0);
    assert.equal(await call(visitor, "inSession"), false);
  });
}

test("a session is refused where the page cannot say what it masks", async (t) => {
  const { peer, visitor } = await scene(t, `<p>x</p>`, {
    init: () => (window.GLANCE_COBROWSE = { getMaskingDescriptor: () => Promise.reject(new Error("no")) }),
  });
  peer.join();
  await call(visitor, "startSession");
  await waitFor(visitor, "error");
  assert.equal((await payloads(visitor, "error"))[0].code, "maskingerror");
  assert.equal(peer.frames.length, 0);
});

test("the page may mask all of itself until it knows the agents", async (t) => {
  const { peer, visitor } = await scene(t, `<p>balance 77</p>`, {
    init: () =>
      (window.GLANCE_COBROWSE = {
        getMaskingDescriptor: async ({ agents }) => ({ maskpage: !agents.agentlist.some((agent) => agent.agentrole === "senior") }),
      }),
  });
  await live(peer, visitor);
  assert.ok(peer.said[0].masksByAgent);
  assert.ok(!peer.text().includes("balance 77"));
  peer.join("Sam Senior", "senior");
  await peer.until((that) => that.text().includes("balance 77"));
});

test("an element that becomes masked is taken out of what agents have", async (t) => {
  const { peer, visitor } = await scene(t, `<p id="p">shown first</p>`);
  await live(peer, visitor);
  const before = peer.snapshots();
  await visitor.evaluate(() => p.classList.add("secret"));
  await peer.until((that) => that.snapshots() > before);
  const last = peer.frames.findLast((frame) => frame.kind === 2);
  assert.ok(!last.text.includes("shown first"));
});

test("a sibling can make an element masked", async (t) => {
  const { peer, visitor } = await scene(t, `<i id="i"></i><p id="p">shown first</p>`, { masks: [".on + p"] });
  await live(peer, visitor);
  const before = peer.snapshots();
  await visitor.evaluate(() => i.classList.add("on"));
  await peer.until((that) => that.snapshots() > before);
  assert.ok(!peer.frames.findLast((frame) => frame.kind === 2).text.includes("shown first"));
});

test("state of masked choices and pointers on masked keys are not sent", async (t) => {
  const { peer, visitor } = await scene(t, `
    <div class="secret"><input type="checkbox" id="c" checked><input type="radio" id="r"></div>
    <div class="secret" style="width: 300px; height: 300px" id="pad"></div><button id="open">open</button>`);
  await live(peer, visitor);
  await visitor.click("#r");
  await visitor.click("#c");
  await visitor.mouse.move(50, 60);
  await visitor.mouse.move(150, 260, { steps: 20 });
  await visitor.click("#pad", { position: { x: 33, y: 44 } });
  await visitor.click("#open");
  await settled(visitor, peer);
  const changes = peer.events().filter((event) => event.type === 3).map((event) => event.data);
  assert.deepEqual(changes.filter((data) => data.source === 5), []);
  assert.ok(!peer.text().includes('"checked"'));
  const idOf = (id) => /"id":(\d+)/.exec(peer.text().slice(peer.text().indexOf(`"id":"${id}"`)).replace(/"id":"[^"]*"/, ""))?.[1];
  const clicked = changes.filter((data) => data.source === 2).map((data) => data.id);
  assert.ok(!clicked.includes(Number(idOf("pad"))), `pad ${idOf("pad")} in ${clicked}`);
  assert.ok(clicked.length > 0);
});

test("a fault in the layer is followed by a snapshot, and the third by the end", async (t) => {
  const { peer, visitor } = await scene(t, `<p id="p" class="secret">CANARY</p>`);
  await live(peer, visitor);
  await visitor.evaluate(() => {
    // An old library that breaks what the layer stands on, after the session began.
    Element.prototype.matches = () => {
      throw new Error("broken");
    };
    document.body.append(document.createElement("p"));
  });
  await waitFor(visitor, "error");
  assert.equal((await payloads(visitor, "error"))[0].code, "maskingerror");
  await peer.until((that) => that.said.some((message) => message.type === "refuse"));
  assert.ok(!peer.text().includes("CANARY"));
});

const SEED = Number(process.env.LEAK_SEED ?? 0);
for (let seed = SEED || 1; seed <= (SEED || 12); seed += 1) {
  test(`no random page with random changes leaks (LEAK_SEED=${seed})`, async (t) => {
    const { peer, visitor } = await scene(t, `<main></main>`, { masks: [".secret", "[data-private]", "b > i"] });
    await visitor.evaluate(randomLeaks, { seed, build: true });
    await live(peer, visitor);
    await visitor.evaluate(randomLeaks, { seed: seed + 1000, steps: 120 });
    await settled(visitor, peer);
    const found = /.{0,200}cAnAry\d+/.exec(peer.text());
    assert.equal(found?.[0], undefined);
    assert.ok(/plain\d+/.test(peer.text()), "something is shown");
  });
}

test("pictures of sheets are seen, but for those of rules that come to mean a masked element", async (t) => {
  const { peer, visitor } = await scene(t, `
    <style>.shown { background: url(/shown.png) } .later { background: url(/later.png) } .hid { background: url(/hid.png) }</style>
    <p class="shown">x</p><p class="hid secret">x</p><p id="p">x</p>`);
  await live(peer, visitor);
  assert.ok(peer.text().includes("/shown.png") && peer.text().includes("/later.png"));
  assert.ok(!peer.text().includes("/hid.png"));
  const before = peer.snapshots();
  await visitor.evaluate(() => (p.className = "later secret"));
  await peer.until((that) => that.snapshots() > before);
  const last = peer.frames.findLast((frame) => frame.kind === 2).text;
  assert.ok(last.includes("/shown.png") && !last.includes("/later.png"));
});
