// Visitor and agent in real browsers, the built edge between them.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { launchBrowser } from "../browser.mjs";
import { drawn, notice, replay, takes } from "../console/agent.mjs";
import { call, heard, payloads, waitFor } from "../visitor/visit.mjs";
import { ADVISERS, CHAT, HIDDEN, openHouse, RETAIL, SECRETS } from "./house.mjs";
import { agent, heardOnSockets, joins, seen, sees, started, visitor } from "./people.mjs";

const BACK_MS = 5_000;

let browser, house;
before(async () => {
  [browser, house] = await Promise.all([launchBrowser(), openHouse()]);
});
after(async () => {
  await browser?.close();
  await house?.close();
});

/** A session that an agent watches. */
async function live(t, { params, name, path } = {}) {
  const page = await visitor(t, browser, house, path);
  const key = await started(page, params);
  const desk = await agent(t, browser, house, name);
  await joins(desk, key);
  await sees(desk, "Apply for a mortgage");
  return { page, desk, key };
}

test("a session in the page's own group is seen live, and masked", async (t) => {
  const { page, desk } = await live(t);
  assert.equal(await call(page, "sessionGroupId"), RETAIL);
  await page.fill("#open", "in the open");
  await page.fill("#ssn", SECRETS[2]);
  await page.fill("#password", SECRETS[3]);
  await page.evaluate(() => (document.querySelector("#news").textContent = "Rates are falling"));
  await sees(desk, "Rates are falling");
  await drawn(desk).locator("#open").evaluate((field) => new Promise((resolve) => {
    const look = () => (field.value === "in the open" ? resolve() : setTimeout(look, 20));
    look();
  }));
  const text = await seen(desk);
  for (const secret of SECRETS) assert.ok(!text.includes(secret), secret);
  assert.equal(await drawn(desk).locator("#logo").evaluate((image) => image.naturalWidth), 120);
  assert.match(await drawn(desk).locator("input").first().inputValue(), /^\*+$/);
  assert.equal((await payloads(page, "agents")).at(-1).agentlist[0].name, "Ada Agent");
  await desk.getByText("Retail support (15687)").waitFor();
  await desk.getByText(`${house.site}/mortgage/apply`).waitFor();
  assert.deepEqual([...page.problems, ...desk.problems], []);
});

test("what a page is made of is asked for without the agent's own cookies", async (t) => {
  const page = await visitor(t, browser, house);
  const key = await started(page);
  const desk = await agent(t, browser, house);
  // The agent is a customer of the bank, too, and the console is of the same site.
  await desk.context().addCookies([{ name: "customer", value: "ada", url: house.site }]);
  house.logoCookies.length = 0;
  await joins(desk, key);
  await sees(desk, "Apply for a mortgage");
  const logo = drawn(desk).locator("#logo");
  assert.equal(await logo.evaluate((image) => image.decode().then(() => image.naturalWidth)), 120);
  assert.equal(house.logoCookies.length, 1);
  assert.ok(!house.logoCookies[0].includes("customer"), house.logoCookies[0]);
});

test("the agent's pointer and marks are seen on the visitor's page", async (t) => {
  const { page, desk } = await live(t);
  await takes(desk, "Highlight");
  const box = await drawn(desk).locator("#news").boundingBox();
  await desk.mouse.move(box.x + 5, box.y + 5);
  await desk.mouse.click(box.x + 12, box.y + 8);
  const inUi = (selector) => page.waitForFunction((wanted) => window.ui?.querySelector(wanted)?.getBoundingClientRect().toJSON(), selector).then((handle) => handle.jsonValue());
  const mark = await inUi(".highlight");
  const news = await page.locator("#news").boundingBox();
  assert.ok(Math.abs(mark.x - news.x) < 4 && Math.abs(mark.y - news.y) < 4, JSON.stringify([mark, news]));
  const pointer = await inUi(".pointer");
  assert.ok(Math.abs(pointer.y - news.y) < news.height + 10, JSON.stringify([pointer, news]));
});

test("a group of the page's others may be chosen, another may not", async (t) => {
  const allowed = await visitor(t, browser, house);
  await started(allowed, { groupid: ADVISERS });
  assert.equal(await call(allowed, "sessionGroupId"), ADVISERS);
  for (const [path, groupid] of [["/", ADVISERS], ["/mortgage/apply", CHAT]]) {
    const refused = await visitor(t, browser, house, path);
    await call(refused, "startSession", { groupid });
    await waitFor(refused, "error");
    const [error] = await payloads(refused, "error");
    assert.deepEqual([error.code, error.params.groupid], ["groupid", groupid]);
    assert.equal(await call(refused, "inSession"), false);
  }
});

test("the server refuses the group too, whatever the page's script says", async (t) => {
  const page = await visitor(t, browser, house, "/");
  const status = await page.evaluate(async (group) => {
    const { grant } = document.querySelector("#glance-cobrowse").dataset;
    const body = { version: 1, grant, group, site: "production", url: location.href, visitor: {}, storage: { kind: "normal" } };
    const answer = await fetch("/_cobrowse/session/start", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
    return [answer.status, (await answer.json()).error.code];
  }, ADVISERS);
  assert.deepEqual(status, [403, "groupid"]);
});

test("an agent of another group sees nothing of it, and cannot join", async (t) => {
  const page = await visitor(t, browser, house);
  const key = await started(page);
  const desk = await agent(t, browser, house, "bo");
  await desk.getByText("Nobody is waiting.").waitFor();
  await desk.getByLabel("Session key").fill(key);
  await desk.keyboard.press("Enter");
  await notice(desk, "You cannot join").waitFor();
  await desk.getByText("There is no such session in your groups.").waitFor();
  assert.deepEqual((await payloads(page, "agents")).at(-1).agentlist, []);
});

test("what is masked on one page differs by the session's group", async (t) => {
  for (const [groupid, other] of [[RETAIL, ADVISERS], [ADVISERS, RETAIL]]) {
    const { page, desk } = await live(t, { params: { groupid } });
    const text = await seen(desk);
    assert.ok(!text.includes(HIDDEN[groupid]), `${groupid}`);
    assert.ok(text.includes(HIDDEN[other]), `${groupid}`);
    for (const bytes of [page.bytes, desk.bytes]) {
      assert.ok(!bytes.join("").includes(HIDDEN[groupid]));
      assert.ok(bytes.join("").includes(HIDDEN[other]));
    }
  }
});

test("over a page without the tag: the session waits, says why, and goes on", async (t) => {
  const { page, desk } = await live(t);
  await page.click("#calculate");
  await notice(desk, "The visitor is between two pages").waitFor();
  await replay(desk).locator("#pages iframe").waitFor({ state: "detached" });
  assert.equal(await page.evaluate(() => typeof window.GLANCE), "undefined");
  await page.click("text=Back");
  await sees(desk, "Apply for a mortgage");
  assert.ok((await heard(page)).includes("sessioncontinue"));
});

test("a page that does not allow the group suspends, and coming back resumes", async (t) => {
  const { page, desk } = await live(t, { params: { groupid: ADVISERS } });
  await page.goto(`${house.site}/`);
  await notice(desk, "The visitor is on a page that this group may not see").waitFor();
  await replay(desk).locator("#pages iframe").waitFor({ state: "detached" });
  await page.goto(`${house.site}/mortgage/second`);
  await sees(desk, "Second step");
  assert.ok(!desk.bytes.join("").includes("Old County Bank"));
});

test("the tab that has the focus is shown", async (t) => {
  const { page, desk } = await live(t);
  const other = await visitor(t, browser, house, "/mortgage/second", page.context());
  await waitFor(other, "sessioncontinue");
  const focus = (tab) => tab.evaluate(() => window.dispatchEvent(new Event("focus")));
  await focus(other);
  await sees(desk, "Second step");
  await focus(page);
  await sees(desk, "Apply for a mortgage");
});

test("a reload of the visitor's page, and back and forward", async (t) => {
  const { page, desk } = await live(t);
  await page.reload();
  await waitFor(page, "sessioncontinue");
  await sees(desk, "Apply for a mortgage");
  await page.goto(`${house.site}/mortgage/second`);
  await sees(desk, "Second step");
  await page.goBack();
  await sees(desk, "Apply for a mortgage");
});

test("a reload of the agent's console goes on", async (t) => {
  const { desk } = await live(t);
  await desk.reload();
  await sees(desk, "Apply for a mortgage");
});

test("a second agent joins late and sees the whole picture; one leaves, one stays", async (t) => {
  const { page, desk, key } = await live(t);
  const second = await agent(t, browser, house, "eva");
  await page.evaluate(() => (document.querySelector("#news").textContent = "Before eva came"));
  await sees(desk, "Before eva came");
  const begun = Date.now();
  await joins(second, key);
  await sees(second, "Before eva came");
  t.diagnostic(`${Date.now() - begun} ms from the click to the picture`);
  await desk.getByText("Eva Agent").first().waitFor();
  await desk.getByRole("button", { name: "Leave" }).click();
  await page.evaluate(() => (document.querySelector("#news").textContent = "After ada left"));
  await sees(second, "After ada left");
});

test("an agent who may only view is offered no more", async (t) => {
  const { desk } = await live(t, { name: "ron" });
  for (const name of ["Point", "Highlight", "End session"]) assert.equal(await desk.getByRole("button", { name }).isVisible(), false, name);
});

test("a right that is taken away ends the agent's seat within a second, and only that", async (t) => {
  const { page, desk } = await live(t, { name: "eva" });
  await house.command("agent", "revoke", "eva", `${RETAIL}`);
  t.after(() => house.command("agent", "grant", "eva", `${RETAIL}`));
  const begun = Date.now();
  await notice(desk, "You may no longer see this session").waitFor();
  const took = Date.now() - begun;
  t.diagnostic(`${took} ms`);
  assert.ok(took < 1_500, `${took} ms`);
  await replay(desk).locator("#pages iframe").waitFor({ state: "detached" });
  assert.equal(await call(page, "inSession"), true);
  await page.waitForFunction(() => window.heard.filter(([name]) => name === "agents").at(-1)[1].count === 0);
});

test("a link waits for the session that is to come", async (t) => {
  const desk = await agent(t, browser, house, "ada", "/agentjoin/AgentView.aspx?SessionKey=crm-77&groupid=15687&Wait=1");
  await notice(desk, "Waiting for the visitor").waitFor();
  const page = await visitor(t, browser, house);
  assert.equal(await started(page, { sessionKey: "crm-77" }), "crm-77");
  await sees(desk, "Apply for a mortgage");
});

test("rules that are read again hold from the next page on, and the session goes on", async (t) => {
  const { page, desk } = await live(t);
  await sees(desk, "LATER-0424");
  await house.writeRules(', ".later"');
  t.after(() => house.writeRules());
  house.reload();
  const isMasked = async () => {
    await page.reload();
    await sees(desk, "Apply for a mortgage");
    return !(await seen(desk)).includes("LATER-0424");
  };
  const until = Date.now() + 10_000;
  while (!(await isMasked())) assert.ok(Date.now() < until, "the new mask never holds");
});

test("after a kill and a start both sides are back without a click", async (t) => {
  const { page, desk, key } = await live(t);
  await house.kill();
  await notice(desk, "Reconnecting").waitFor();
  await house.start();
  const begun = Date.now();
  await sees(desk, "Apply for a mortgage");
  await page.evaluate(() => (document.querySelector("#news").textContent = "Live again"));
  await sees(desk, "Live again");
  const took = Date.now() - begun;
  t.diagnostic(`${took} ms from the start to both sides live`);
  assert.ok(took < BACK_MS, `${took} ms`);
  assert.equal(await call(page, "getKey"), key);
});

test("the visitor ends", async (t) => {
  const { page, desk, key } = await live(t);
  await call(page, "stopSession");
  await notice(desk, "The visitor ended the session").waitFor();
  assert.deepEqual((await payloads(page, "sessionend")).at(-1), { reason: "visitor" });
  await desk.getByRole("button", { name: "Back to the sessions" }).click();
  await desk.getByRole("complementary").getByRole("button", { name: key }).waitFor({ state: "detached" });
});

test("the agent ends", async (t) => {
  const { page, desk } = await live(t);
  await desk.getByRole("button", { name: "End session" }).click();
  await desk.getByRole("dialog").getByRole("button", { name: "End session" }).click();
  await notice(desk, "The session was ended").waitFor();
  await waitFor(page, "sessionend");
  assert.deepEqual((await payloads(page, "sessionend")).at(-1), { reason: "agent" });
});

test("nothing masked is in any byte of the sockets, any log line, any file", async (t) => {
  const page = await visitor(t, browser, house, `/mortgage/apply?token=${SECRETS[4]}`);
  const key = await started(page);
  const desk = await agent(t, browser, house);
  await joins(desk, key);
  await sees(desk, "Apply for a mortgage");
  const left = await house.leftBehind();
  left.set("sockets", Buffer.from(heardOnSockets.join("\n")));
  t.diagnostic([...left].map(([name, bytes]) => `${name}: ${bytes.length}`).join(", "));
  assert.ok(left.get("sockets").includes("Apply for a mortgage"), "recordings were read");
  assert.ok(left.get("cobrowse.db").length > 0 && left.get("log").length > 0);
  for (const [name, bytes] of left) {
    for (const secret of SECRETS) assert.ok(!bytes.includes(secret), `${secret} in ${name}`);
  }
  for (const secret of [...SECRETS, ...Object.values(HIDDEN), "Apply for a mortgage"]) {
    for (const [name, bytes] of left) if (name !== "sockets") assert.ok(!bytes.includes(secret), `${secret} in ${name}`);
  }
});
