// The console against a backend of a few lines: what agents see, and what they can do.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { bundle } from "../../../src/web/build.mjs";
import { launchBrowser } from "../browser.mjs";
import { agent, drawn, join, notice, replay, takes } from "./agent.mjs";
import { ACCOUNT, RIGHTS, sessionView, startAgents } from "./peer.mjs";
import { bankPage, builder, recording } from "./recording.mjs";

let browser, scripts;
before(async () => {
  [browser, scripts] = await Promise.all([launchBrowser(), bundle()]);
});
after(() => browser?.close());

async function scene(t, { sessions = [sessionView()], ...options } = {}) {
  const peer = await startAgents({ scripts });
  t.after(() => peer.stop());
  peer.sessions = sessions;
  const page = await agent(browser, peer, options);
  t.after(() => page.context().close());
  return { peer, page };
}

/** An agent who sees a page. */
async function watching(t, { page: shown = bankPage(), ...options } = {}) {
  const { peer, page } = await scene(t, options);
  await join(page, peer);
  const tape = recording(1, options.tape);
  peer.watch().send(tape.snapshot(shown.page));
  await drawn(page).locator("#heading").waitFor();
  await notice(page, "").waitFor({ state: "hidden" });
  return { peer, page, tape, shown };
}

test("an agent logs in, sees the sessions, and logs out", async (t) => {
  const { peer, page } = await scene(t, { login: false });
  await page.getByLabel("Name").fill("ada");
  await page.getByLabel("Password").fill("wrong");
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByText("Name or password is wrong.").waitFor();
  assert.equal(await page.getByLabel("Password").inputValue(), "");
  await page.getByLabel("Password").fill("correct horse");
  await page.keyboard.press("Enter");
  await page.getByText("Ada L.").first().waitFor();
  await page.getByRole("button", { name: /Grace Hopper/ }).waitFor();
  await page.getByText("Your groups: Retail support, Mortgages").waitFor();
  await page.getByRole("button", { name: "Log out" }).click();
  await page.getByText("You are logged out.").waitFor();
  assert.ok(peer.requests.includes("POST /api/logout"));
  assert.deepEqual(page.problems, []);
});

test("too many attempts are told with their time", async (t) => {
  const { peer, page } = await scene(t, { login: false });
  peer.refusal = { code: "rate", text: "too many attempts: wait a while", retry_after: 30 };
  await page.getByLabel("Name").fill("ada");
  await page.getByLabel("Password").fill("x");
  await page.keyboard.press("Enter");
  await page.getByText("Too many attempts. Try again in 30 seconds.").waitFor();
});

test("the list follows what happens, and keeps the focus", async (t) => {
  const first = sessionView({ state: "waiting", agents: [] });
  const { peer, page } = await scene(t, { sessions: [first] });
  const row = page.getByRole("button", { name: /Grace Hopper/ });
  await row.focus();
  const second = sessionView({ state: "waiting", visitor: { name: "Alan T." }, key: "7", group: 15690, group_name: "Mortgages", agents: [] });
  peer.list([second, first]);
  await page.getByRole("button", { name: /Alan T\..*7.*Mortgages.*Waiting for an agent/ }).waitFor();
  await page.getByText("Alan T. is waiting in Mortgages, key 7.").waitFor({ state: "attached" });
  assert.ok(await row.evaluate((button) => button === document.activeElement));
  peer.list([{ ...second, state: "live", agents: ["Bo"] }], 12);
  await page.getByRole("button", { name: /Alan T\..*Live.*Bo/ }).waitFor();
  await page.getByText("12 older sessions are not listed").waitFor();
  assert.equal(await row.count(), 0);
  assert.equal(await page.title(), "Cobrowse");
  peer.list([second]);
  await page.waitForFunction(() => document.title === "(1) Cobrowse");
});

test("words of visitors are text", async (t) => {
  const evil = `<img src=x onerror="document.title='run'"><b>`;
  const session = sessionView({ visitor: { name: evil, email: evil }, url: `https://x.example/${evil}`, key: "1", group_name: evil, agents: [evil] });
  const { peer, page } = await scene(t, { sessions: [session] });
  await page.getByRole("complementary").getByRole("button", { name: /img/ }).click();
  await page.getByRole("heading", { name: evil }).waitFor();
  peer.watch().say({ type: "message", name: evil, data: { [evil]: evil } });
  await page.getByRole("button", { name: /Messages/ }).click();
  await page.getByRole("log").getByText("onerror").first().waitFor();
  assert.equal(await page.locator("main img, aside img").count(), 0);
  assert.deepEqual(page.problems, []);
});

test("a session is shown as it is, and goes on live", async (t) => {
  const { peer, page, tape, shown } = await watching(t);
  assert.deepEqual(peer.saidOf("join"), [{ type: "join", session: peer.sessions[0].id }]);
  await page.getByRole("heading", { name: "Grace Hopper" }).waitFor();
  for (const text of ["40213", "https://www.bank.example/mortgage/apply", "Retail support (15687)", "grace@mail.example"]) {
    await page.getByRole("region", { name: "Session", exact: true }).getByText(text).first().waitFor();
  }
  assert.equal(await drawn(page).locator("header").evaluate((node) => getComputedStyle(node).backgroundColor), "rgb(18, 60, 105)");
  const { heading, income, list } = shown;
  peer.watch().send(
    tape.change(tape.mutation({ texts: [{ id: heading.childNodes[0].id, value: "Live!" }] })),
    tape.change({ source: 5, id: income.id, text: "*******", isChecked: false }),
    tape.change(tape.mutation({ adds: [{ parentId: list.id, nextId: null, node: { type: 2, id: 900, tagName: "li", attributes: {}, childNodes: [] } }] })),
    tape.change(tape.mutation({ adds: [{ parentId: 900, nextId: null, node: { type: 3, id: 901, textContent: "Bank statements" } }] })),
    tape.change({ source: 1, positions: [{ x: 300, y: 200, id: heading.id, timeOffset: -200 }, { x: 400, y: 250, id: heading.id, timeOffset: 0 }] }),
  );
  await drawn(page).locator("h1", { hasText: "Live!" }).waitFor();
  await drawn(page).getByText("Bank statements").waitFor();
  assert.equal(await drawn(page).locator("#income").inputValue(), "*******");
  await replay(page).locator(".replayer-mouse").evaluate((mouse) => new Promise((resolve) => {
    const look = () => (mouse.style.left === "400px" ? resolve() : requestAnimationFrame(look));
    look();
  }));
  assert.deepEqual(page.problems, []);
});

for (const [name, publicId, compatMode, cell] of [
  ["quirks", "-//W3C//DTD HTML 4.01 Transitional//EN", "BackCompat", "low"],
  ["limited-quirks", "-//W3C//DTD XHTML 1.0 Transitional//EN", undefined, "low"],
  ["no-quirks", "", undefined, "high"],
]) {
  test(`a page in ${name} mode is laid out so`, async (t) => {
    const { el, doc } = builder();
    const spacer = el("td", { id: "spacer" }, el("img", { src: "data:image/gif;base64,R0lGODlhAQABAAAAACw=", width: "1", height: "3" }));
    const made = doc([], [el("h1", { id: "heading" }, "Rates"), el("table", { cellpadding: "0" }, el("tbody", {}, el("tr", {}, spacer)))], { compatMode });
    Object.assign(made.childNodes[0], { publicId });
    const { page } = await watching(t, { page: { page: made } });
    const height = await drawn(page).locator("#spacer").evaluate((node) => node.offsetHeight);
    assert.equal(height <= 3 ? "low" : "high", cell, `${height} px`);
    assert.deepEqual(page.problems, []);
  });
}

for (const skew of [3_600_000, -3_600_000]) {
  test(`clocks may be ${skew} ms apart`, async (t) => {
    const { peer, page, tape, shown } = await watching(t, { tape: { skew } });
    peer.watch().send(tape.change(tape.mutation({ texts: [{ id: shown.heading.childNodes[0].id, value: "in time" }] })));
    await drawn(page).locator("h1", { hasText: "in time" }).waitFor({ timeout: 2_000 });
  });
}

test("a late agent gets the whole picture within a second", async (t) => {
  const { peer, page } = await scene(t);
  const shown = bankPage();
  const tape = recording(3);
  const kept = [tape.snapshot(shown.page)];
  for (let count = 0; count < 200; count += 1) {
    kept.push(tape.change(tape.mutation({ texts: [{ id: shown.heading.childNodes[0].id, value: `change ${count}` }] })));
  }
  let begun;
  peer.join = (watch) => {
    begun = Date.now();
    watch.say({ type: "joined", session: peer.sessions[0] });
    watch.send(...kept);
  };
  // The best of three: other work on the machine is not what is measured.
  const took = [];
  while (took.length < 3 && !took.some((time) => time < 1_000)) {
    await join(page, peer);
    await drawn(page).locator("h1", { hasText: "change 199" }).waitFor();
    took.push(Date.now() - begun);
    await page.getByRole("button", { name: "Leave" }).click();
  }
  t.diagnostic(`${took.join(", ")} ms`);
  assert.ok(Math.min(...took) < 1_000, `${took.join(", ")} ms`);
});

test("after a gap nothing is shown until a snapshot, which is asked for", async (t) => {
  const { peer, page, tape, shown } = await watching(t);
  const change = (value) => tape.change(tape.mutation({ texts: [{ id: shown.heading.childNodes[0].id, value }] }));
  tape.lose();
  peer.watch().send(change("adrift"), change("more"));
  await peer.until((that) => that.saidOf("snapshot").length === 1, "a snapshot");
  const other = bankPage();
  peer.watch().send(tape.snapshot(other.page), change("whole again"));
  await drawn(page).locator("h1", { hasText: "whole again" }).waitFor();
  assert.equal(peer.saidOf("snapshot").length, 1);
});

test("what may not be seen is gone from the frame, and it is said why", async (t) => {
  for (const [message, title] of [
    [{ type: "session", session: sessionView({ state: "suspended", reason: "group", url: undefined }) }, "a page that this group may not see"],
    [{ type: "session", session: sessionView({ may: { ...RIGHTS, view: false } }) }, "You may not see this group's pages"],
    [{ type: "paused", paused: true, message: "one moment" }, "The visitor has paused sharing"],
    [{ type: "reset" }, "Fetching the page"],
  ]) {
    const { peer, page, tape } = await watching(t);
    peer.watch().say(message);
    await notice(page, title).waitFor();
    await replay(page).locator("#pages iframe").waitFor({ state: "detached" });
    if (message.type === "paused") await page.getByText("They say: one moment").waitFor();
    peer.watch().say({ type: "session", session: peer.sessions[0] });
    peer.watch().say({ type: "paused", paused: false });
    peer.watch().send(tape.snapshot(bankPage().page));
    await drawn(page).locator("#heading").waitFor();
    await notice(page, "").waitFor({ state: "hidden" });
  }
});

test("the pointer is sent as a node and a place in its box, at any size", async (t) => {
  const { peer, page, shown } = await watching(t);
  await takes(page, "Point");
  for (const zoom of ["Fit", "Larger", "Smaller"]) {
    await page.getByRole("button", { name: zoom }).click();
    peer.said.length = 0;
    const box = await drawn(page).locator("#income").boundingBox();
    await page.mouse.move(box.x + box.width * 0.25 - 30, box.y + box.height / 2);
    await page.waitForTimeout(60);
    await page.mouse.move(box.x + box.width * 0.25, box.y + box.height / 2);
    await peer.until((that) => that.saidOf("pointer").some(({ node, x }) => node === shown.income.id && Math.abs(x - 0.25) < 0.02), `a pointer (${zoom})`);
    const last = peer.saidOf("pointer").at(-1);
    assert.equal(last.page, 1);
    assert.ok(Math.abs(last.y - 0.5) < 0.1, `${last.y}`);
  }
  await page.mouse.move(20, 20);
  await peer.until((that) => that.saidOf("pointer").at(-1).node === 0, "a pointer that went");
});

test("pointers come at most 30 a second", async (t) => {
  const { peer, page } = await watching(t);
  await takes(page, "Point");
  const box = await page.locator("iframe.picture").boundingBox();
  const begun = Date.now();
  for (let count = 0; Date.now() - begun < 1_000; count += 1) await page.mouse.move(box.x + 100 + (count % 300), box.y + 150);
  assert.ok(peer.saidOf("pointer").length <= 30, `${peer.saidOf("pointer").length}`);
  assert.ok(peer.saidOf("pointer").length >= 5);
});

test("something is marked by a click, and by keys", async (t) => {
  const { peer, page, shown } = await watching(t);
  await takes(page, "Highlight");
  const box = await drawn(page).locator("#income").boundingBox();
  await page.mouse.click(box.x + 20, box.y + box.height / 2);
  await peer.until((that) => that.saidOf("highlight").at(-1)?.node === shown.income.id, "a mark");
  await replay(page).locator("#outline").waitFor();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await peer.until((that) => that.saidOf("highlight").length >= 2, "a mark by key");
  await page.getByRole("button", { name: "Look" }).click();
  await peer.until((that) => that.saidOf("highlight").at(-1).node === 0, "no mark");
});

test("rights decide what is offered, at once", async (t) => {
  const { peer, page } = await watching(t);
  const offered = async () => Promise.all(["Point", "Highlight", "End session", "Leave"].map((name) => page.getByRole("button", { name, exact: true }).isVisible()));
  assert.deepEqual(await offered(), [true, true, true, true]);
  peer.watch().say({ type: "session", session: { ...peer.sessions[0], may: { view: true, point: false, end: false } } });
  await page.getByRole("button", { name: "Point" }).waitFor({ state: "hidden" });
  assert.deepEqual(await offered(), [false, false, false, true]);
  await drawn(page).locator("#heading").waitFor();
  peer.watch().say({ type: "denied", action: "end" });
  await page.getByText("You have no right to end sessions in this group.").waitFor();
});

test("ending asks first; leaving does not end", async (t) => {
  const { peer, page } = await watching(t);
  await page.getByRole("button", { name: "End session" }).click();
  const dialog = page.getByRole("dialog", { name: "End the session for everybody?" });
  await dialog.getByRole("button", { name: "Go on" }).click();
  await page.getByRole("button", { name: "End session" }).click();
  await page.keyboard.press("Escape");
  assert.deepEqual(peer.saidOf("end"), []);
  await page.getByRole("button", { name: "End session" }).click();
  await dialog.getByRole("button", { name: "End session" }).click();
  await peer.until((that) => that.saidOf("end").length === 1, "an end");
  peer.watch().end("agent");
  await notice(page, "The session was ended").waitFor();
  await page.getByRole("button", { name: "Back to the sessions" }).click();
  await page.getByText("No session open").waitFor();
  await join(page, peer);
  await page.getByRole("button", { name: "Leave" }).click();
  await peer.until((that) => that.watches.size === 0, "no socket");
  assert.equal(peer.saidOf("end").length, 1);
  assert.equal(new URL(page.url()).hash, "");
});

for (const [by, title] of [["visitor", "The visitor ended the session"], ["error", "The session is over"]]) {
  test(`a session that ends by ${by} is told`, async (t) => {
    const { peer, page } = await watching(t);
    peer.watch().end(by);
    await notice(page, title).waitFor();
    assert.equal(await page.getByRole("button", { name: "Point" }).isVisible(), false);
  });
}

test("messages go both ways", async (t) => {
  const { peer, page } = await watching(t);
  peer.watch().say({ type: "message", name: "cart", data: { items: 2 } });
  await page.getByRole("button", { name: "Messages \u2022" }).click();
  await page.getByRole("log").getByText('{"items":2}').waitFor();
  await page.getByLabel("Text").fill("hello");
  await page.keyboard.press("Enter");
  await peer.until((that) => that.saidOf("message").length === 1, "a message");
  assert.deepEqual(peer.saidOf("message"), [{ type: "message", name: "agent", data: "hello" }]);
});

test("a key is joined from the field, and refused in plain words", async (t) => {
  const { peer, page } = await scene(t);
  await page.getByLabel("Session key").fill("a/b");
  await page.getByRole("button", { name: "Join" }).click();
  await page.getByText("A key has letters, digits").waitFor();
  await page.getByLabel("Session key").fill("999");
  await page.keyboard.press("Enter");
  await notice(page, "You cannot join").waitFor();
  await page.getByText("There is no such session in your groups.").waitFor();
  await page.getByLabel("Session key").fill(" 40 213 ");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Grace Hopper" }).waitFor();
  assert.deepEqual(peer.saidOf("join").map(({ key }) => key), ["999", "40213"]);
});

test("a key in several groups asks which", async (t) => {
  const { peer, page } = await scene(t);
  peer.join = (watch, { group }) => {
    if (!group) return watch.refuse({ code: "groups", text: "several", groups: ACCOUNT.groups.map(({ id, name }) => ({ id, name })) });
    watch.say({ type: "joined", session: sessionView({ group, group_name: "Mortgages" }) });
  };
  await page.getByLabel("Session key").fill("40213");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Mortgages (15690)" }).click();
  await page.getByText("Mortgages (15690)").waitFor();
  assert.deepEqual(peer.saidOf("join"), [{ type: "join", key: "40213" }, { type: "join", key: "40213", group: 15690 }]);
});

for (const path of ["/AgentView?SessionKey=40213&Wait=1", "/AgentView?visitorid=40213&groupid=15687&wait=1"]) {
  test(`a link joins after the login and waits: ${path}`, async (t) => {
    const { peer, page } = await scene(t, { path, login: false, sessions: [] });
    let waiting;
    peer.join = (watch) => {
      waiting = watch;
      watch.say({ type: "waiting" });
    };
    await page.getByLabel("Name").fill("ada");
    await page.getByLabel("Password").fill("correct horse");
    await page.keyboard.press("Enter");
    await notice(page, "Waiting for the visitor").waitFor();
    const asked = peer.saidOf("join")[0];
    assert.equal(asked.key, "40213");
    assert.equal(asked.wait, true);
    waiting.say({ type: "joined", session: sessionView() });
    waiting.send(recording(1).snapshot(bankPage().page));
    await drawn(page).locator("#heading").waitFor();
    assert.equal(await page.title(), "40213 \u2013 Cobrowse");
  });
}

test("a reload of the agent's tab goes on in the session", async (t) => {
  const { peer, page } = await watching(t);
  await page.reload();
  await page.getByRole("heading", { name: "Grace Hopper" }).waitFor();
  assert.deepEqual(peer.saidOf("join").at(-1), { type: "join", session: peer.sessions[0].id });
});

test("when the edge comes back, so does everything, without a click", async (t) => {
  const { peer, page } = await watching(t);
  await peer.stop();
  await notice(page, "Reconnecting").waitFor();
  await page.getByText("Reconnecting to the server").waitFor();
  assert.equal(await page.locator(".cover").evaluate((cover) => getComputedStyle(cover).opacity), "1");
  const again = await startAgents({ scripts, port: peer.port, loggedIn: peer.tokens });
  t.after(() => again.stop());
  again.sessions = peer.sessions;
  const back = Date.now();
  await again.until((that) => that.watches.size === 1 && that.desks.size === 1, "both sockets");
  await again.until((that) => that.saidOf("join").length === 1, "a join");
  assert.deepEqual(again.saidOf("join"), [{ type: "join", session: peer.sessions[0].id }]);
  again.watch().send(recording(1).snapshot(bankPage().page));
  await drawn(page).locator("#heading").waitFor();
  await notice(page, "").waitFor({ state: "hidden" });
  t.diagnostic(`${Date.now() - back} ms`);
  assert.ok(Date.now() - back < 5_000);
});

test("a login that is gone asks for the password, and shows nothing more", async (t) => {
  const { peer, page } = await watching(t);
  peer.logOut();
  await page.getByText("You were logged out.").waitFor();
  assert.equal(await page.locator("iframe").count(), 0);
  await page.getByLabel("Name").fill("ada");
  await page.getByLabel("Password").fill("correct horse");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Grace Hopper" }).waitFor();
});

test("a right that is taken away is told, and not asked for again", async (t) => {
  const { peer, page } = await watching(t);
  peer.watch().socket.close(4403);
  await notice(page, "You may no longer see this session").waitFor();
  assert.equal(peer.saidOf("join").length, 1);
});

test("an agent at work says so, and not with every key", async (t) => {
  const { peer, page } = await scene(t);
  await page.getByLabel("Session key").pressSequentially("123456");
  await peer.until((that) => that.saidOf("active").length === 1, "a sign of life");
  assert.equal(peer.saidOf("active").length, 1);
});

test("everything can be reached by keys", async (t) => {
  const { page } = await watching(t);
  const reached = [];
  await page.locator("body").press("Tab");
  // Some rounds more: without an address bar the browser comes back to the picture several times.
  for (let count = 0; count < 50; count += 1) {
    reached.push(await page.evaluate(() => document.activeElement?.textContent?.slice(0, 30) || document.activeElement?.getAttribute("name") || document.activeElement?.tagName));
    await page.keyboard.press("Tab");
  }
  for (const wanted of ["Log out", "key", "Join", "Leave", "End session", "Look", "Point", "Highlight", "Fit", "Messages"]) {
    assert.ok(reached.includes(wanted), `${wanted}: ${reached.join(", ")}`);
  }
});
