// A hostile page must not reach the agent: nothing of it runs, nothing is fetched from where nothing may
// be, nothing leads away. Once as it is, and once with the cleaning taken out: sandbox and policy alone.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, before, test } from "node:test";

import { bundle } from "../../../src/web/build.mjs";
import { launchBrowser } from "../browser.mjs";
import { agent, drawn, join, notice, replay } from "./agent.mjs";
import { hostileChanges, hostilePage } from "./hostile-pages.mjs";
import { sessionView, startAgents } from "./peer.mjs";
import { bankPage, frame, recording } from "./recording.mjs";

const UNCLEANED = { "console/replay/clean-events.ts": "export const createCleaner = () => (event: any) => event;" };

let browser, scripts, uncleaned;
before(async () => {
  [browser, scripts, uncleaned] = await Promise.all([launchBrowser(), bundle(), bundle({ replace: UNCLEANED })]);
});
after(() => browser?.close());

/** A host that counts who comes near it. */
async function host(t) {
  const seen = { connections: 0, requests: [] };
  const server = createServer((request, response) => {
    seen.requests.push(request.url);
    response.writeHead(200, { "content-type": request.url.endsWith(".css") ? "text/css" : "text/plain", "access-control-allow-origin": "*" });
    response.end(request.url.endsWith(".css") ? "#heading { color: rgb(1, 2, 3) }" : "");
  });
  server.on("connection", () => (seen.connections += 1));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { ...seen, seen, address: `http://127.0.0.1:${server.address().port}` };
}

async function scene(t, made) {
  const [evil, site] = [await host(t), await host(t)];
  const peer = await startAgents({ scripts: made, sites: site.address });
  t.after(() => peer.stop());
  peer.sessions = [sessionView()];
  const page = await agent(browser, peer);
  t.after(() => page.context().close());
  page.dialogs = [];
  page.on("dialog", (dialog) => {
    page.dialogs.push(dialog.message());
    void dialog.dismiss();
  });
  await join(page, peer);
  return { evil, site, peer, page };
}

/** What an agent does: points, clicks, tabs through, presses keys that a page could want. */
async function useEverything(page) {
  await page.getByRole("button", { name: "Point" }).click();
  const box = await page.locator("iframe.picture").boundingBox();
  for (let y = box.y + 10; y < box.y + Math.min(box.height, 400); y += 25) {
    await page.mouse.click(box.x + 30, y);
    await page.mouse.click(box.x + 60, y, { button: "middle" });
  }
  for (const key of ["Tab", "Tab", "Enter", "Space", "Alt+x", "Shift+Tab", "Enter"]) await page.keyboard.press(key);
}

const soon = () => new Promise((resolve) => setTimeout(resolve, 500));

async function nothingHappened({ page, peer, evil }) {
  assert.deepEqual(page.dialogs, []);
  assert.deepEqual(evil.seen.requests, []);
  assert.equal(page.context().pages().length, 1, "no window was opened");
  assert.equal(new URL(page.url()).origin, peer.address);
  for (const inner of page.frames()) {
    assert.match(inner.url(), new RegExp(`^((about:(blank|srcdoc))?|chrome-error://.*|${peer.address}/(replay|#\\w+)?)$`));
    // Some have no document to ask: what was to be in them was refused.
    const asked = inner.evaluate(() => window.ran).catch(() => undefined);
    assert.equal(await Promise.race([asked, soon()]), undefined);
  }
  assert.equal(await page.evaluate(() => window.ran), undefined);
  assert.deepEqual(page.answered.filter((url) => url.startsWith(evil.address)), []);
  await page.getByRole("heading", { name: "Grace Hopper" }).waitFor();
}

test("a hostile page does nothing but stand there", async (t) => {
  const all = await scene(t, scripts);
  const { page, peer, evil, site } = all;
  const tape = recording(1);
  const hostile = hostilePage(evil.address, site.address);
  peer.watch().send(tape.snapshot(hostile.page));
  // The site's own sheet is let in: the test would see what is.
  const red = drawn(page).locator("#heading").evaluate((node) => new Promise((resolve) => {
    const look = () => (getComputedStyle(node).color === "rgb(1, 2, 3)" ? resolve(true) : setTimeout(look, 20));
    look();
  }));
  assert.ok(await red);
  peer.watch().send(...hostileChanges(hostile, tape));
  await drawn(page).locator("#away[style*=red]").waitFor();
  await useEverything(page);
  await page.waitForTimeout(1_500);
  await nothingHappened(all);
  assert.equal(evil.seen.connections, 0, "not even a connection");
  assert.deepEqual(site.seen.requests.filter((path) => path.endsWith(".css")), ["/site.css"]);
  await drawn(page).getByText("custom", { exact: true }).waitFor();
  const left = await drawn(page).locator("html").evaluate((html) => {
    const bad = [];
    const look = (root) => {
      for (const element of root.querySelectorAll("*")) {
        if (/^(script|object|embed|base|meta|frame|applet|portal|fencedframe)$/i.test(element.localName)) bad.push(element.localName);
        for (const { name, value } of element.attributes) {
          if (/^on|^(srcdoc|action|formaction|target|ping|autofocus|accesskey|sandbox)$/i.test(name) || /^\s*javascript:/i.test(value)) bad.push(`${element.localName} ${name}=${value}`);
        }
        if (element.shadowRoot) look(element.shadowRoot);
      }
    };
    look(html);
    return bad;
  });
  assert.deepEqual(left, []);
});

test("without the cleaning, sandbox and policy hold alone", async (t) => {
  const all = await scene(t, uncleaned);
  const { page, peer, evil, site } = all;
  const tape = recording(1);
  const hostile = hostilePage(evil.address, site.address);
  const keep = ({ tagName, attributes, isCustom, type }) =>
    type !== 4 && !isCustom && tagName !== "a\u0000b" && tagName !== "<script>" && !(tagName === "iframe" && attributes.sandbox);
  const body = hostile.page.childNodes[1].childNodes[1];
  body.childNodes = body.childNodes.filter(keep);
  peer.watch().send(tape.snapshot(hostile.page));
  await drawn(page).locator("#heading").waitFor({ state: "attached" });
  peer.watch().send(...hostileChanges(hostile, tape));
  await useEverything(page).catch(() => undefined);
  await page.waitForTimeout(1_500);
  await nothingHappened(all);
});

test("the visitor cannot take the agent's keys", async (t) => {
  const { page, peer } = await scene(t, scripts);
  const tape = recording(1);
  const { page: shown, income } = bankPage();
  peer.watch().send(tape.snapshot(shown));
  await drawn(page).locator("#heading").waitFor();
  const key = page.getByLabel("Session key");
  await key.focus();
  const dialog = { type: 2, id: 5_000, tagName: "dialog", attributes: { open: "", rr_open_mode: "modal" }, childNodes: [{ type: 2, id: 5_001, tagName: "input", attributes: { autofocus: true }, childNodes: [] }] };
  peer.watch().send(
    tape.change({ source: 2, type: 5, id: income.id, x: 0, y: 0 }),
    tape.change(tape.mutation({ adds: [{ parentId: shown.childNodes[1].childNodes[1].id, nextId: null, node: dialog }] })),
  );
  await drawn(page).locator("dialog").waitFor();
  await page.keyboard.type("123");
  assert.equal(await key.inputValue(), "123");
});

test("what is no recording is not shown, and the console goes on", async (t) => {
  const { page, peer } = await scene(t, scripts);
  const deep = (depth) => (depth ? { type: 2, id: depth, tagName: "b", attributes: {}, childNodes: [deep(depth - 1)] } : { type: 3, id: 9_999, textContent: "x" });
  const meta = { type: 4, data: { width: 10, height: 10, href: "" }, timestamp: 1 };
  const whole = (node) => JSON.stringify([meta, { type: 2, data: { node, initialOffset: {} }, timestamp: 1 }]);
  const bad = [
    "", "{}", "null", "[1]", "[null,null]", JSON.stringify([meta]), whole(null), whole({}), whole({ type: 0, id: 1 }), whole({ type: 0, id: "1", childNodes: [] }),
    whole({ type: 0, id: 1, childNodes: [deep(1_000)] }), "[".repeat(100_000), JSON.stringify([meta, { type: 2, data: { node: { __proto__: null, id: 1, type: 0, childNodes: { length: 1e9 } } }, timestamp: 1 }]),
    Buffer.alloc(60 * 1024 * 1024, 0x20), Buffer.from([0xff, 0xfe]),
  ];
  for (const body of bad) {
    peer.watch().send(frame(2, 1, 0, body));
    peer.watch().send(Buffer.from([2, 0, 0]), Buffer.from([7, ...new Array(20).fill(0)]), Buffer.concat([frame(2, 1, 0, "[]").subarray(0, 13), Buffer.from("not deflated")]));
  }
  await notice(page, "This page cannot be shown").waitFor();
  peer.watch().send(recording(2).snapshot(bankPage().page));
  await drawn(page).locator("#heading").waitFor();
  await notice(page, "").waitFor({ state: "hidden" });
  assert.ok(peer.saidOf("snapshot").length >= 1);
  assert.deepEqual(page.problems, []);
});

test("a page that floods is given up for a snapshot, and the console goes on", async (t) => {
  const { page, peer } = await scene(t, scripts);
  const tape = recording(1);
  const { page: shown, heading } = bankPage();
  peer.watch().send(tape.snapshot(shown));
  await drawn(page).locator("#heading").waitFor();
  const change = tape.mutation({ texts: [{ id: heading.childNodes[0].id, value: "again" }] });
  for (let count = 0; count < 3_000; count += 1) peer.watch().send(tape.change(change));
  await peer.until((that) => that.saidOf("snapshot").length > 0, "a snapshot", 20_000);
  peer.watch().send(tape.snapshot(bankPage().page));
  await notice(page, "").waitFor({ state: "hidden" });
  await page.getByRole("button", { name: "Leave" }).click();
  await page.getByText("No session open").waitFor();
});

test("documents are framed by nobody else, and take a port from nobody else", async (t) => {
  const { page, peer } = await scene(t, scripts);
  const answer = await page.request.get(`${peer.address}/replay`);
  assert.match(answer.headers()["content-security-policy"], /frame-ancestors 'self'/);
  const alone = await page.context().newPage();
  await alone.goto(`${peer.address}/replay`);
  await alone.evaluate(() => window.postMessage("cobrowse-replay", "*", [new MessageChannel().port2]));
  await alone.evaluate(() => new Promise((resolve) => setTimeout(resolve, 100)));
  assert.equal(await alone.locator("#sheet").count(), 1, "its own parent is itself");
  assert.equal(await replay(page).locator("#sheet").count(), 1);
});
