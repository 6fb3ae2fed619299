import assert from "node:assert/strict";
import { test } from "node:test";

import type { SessionView, WatchMessage } from "../shared/agents.ts";
import { next, watch, type Effect, type Happening, type Watch } from "./watch.ts";
import { notice } from "./words.ts";

const RIGHTS = { view: true, point: true, end: true };
const LIVE: SessionView = {
  id: "00f3a9c2b47d1e58", group: 5, group_name: "Retail", key: "40213", state: "live", started: 0, agents: ["Ada"], may: RIGHTS,
};

const said = (message: WatchMessage): Happening => ({ type: "heard", message });
const session = (change: Partial<SessionView>) => said({ type: "session", session: { ...LIVE, ...change } });
const JOINED = [{ type: "linked" }, said({ type: "joined", session: LIVE })] as const;
const SHOWN = [...JOINED, { type: "drawn" }] as const;

function after(happenings: readonly Happening[]): { last: Watch; effects: Effect[] } {
  let last = watch({ key: "40213" });
  let effects: Effect[] = [];
  for (const happening of happenings) [last, effects] = next(last, happening);
  return { last, effects };
}

test("a session is joined, drawn, and then there is nothing before the picture", () => {
  assert.equal(notice(after(JOINED).last)?.title, "Fetching the page");
  assert.equal(notice(after(SHOWN).last), undefined);
});

for (const [what, happening, title] of [
  ["the group may not see it", session({ state: "suspended", reason: "group" }), "The visitor is on a page that this group may not see"],
  ["it cannot be masked", session({ state: "suspended", reason: "masks" }), "This page cannot be masked"],
  ["the visitor goes to another page", session({ state: "suspended", reason: "navigating" }), "The visitor is between two pages"],
  ["the right to view is gone", session({ may: { ...RIGHTS, view: false } }), "You may not see this group's pages"],
  ["the visitor pauses", said({ type: "paused", paused: true, message: "one moment" }), "The visitor has paused sharing"],
  ["something in it turned out private", said({ type: "reset" }), "Fetching the page"],
  ["it cannot be drawn", { type: "unshowable" }, "This page cannot be shown"],
  ["the visitor ends the session", said({ type: "ended", by: "visitor" }), "The visitor ended the session"],
  ["an agent ends it", said({ type: "ended", by: "agent" }), "The session was ended"],
  ["it times out", said({ type: "ended", by: "error", error: "timeout" }), "The session is over"],
  ["the last right is gone", { type: "closed", code: 4403 }, "You may no longer see this session"],
  ["too much was sent", { type: "closed", code: 4429 }, "Too many connections"],
  ["nothing was understood", { type: "closed", code: 4400 }, "Something went wrong"],
] as const) {
  test(`the picture is forgotten and it is said why: ${what}`, () => {
    const { last, effects } = after([...SHOWN, happening]);
    assert.deepEqual(effects, ["clear"]);
    assert.equal(notice(last)?.title, title);
  });
}

test("what the visitor says while pausing is shown", () => {
  const { last } = after([...SHOWN, said({ type: "paused", paused: true, message: "one moment" })]);
  assert.equal(notice(last)?.text, "They say: one moment");
  const [going] = next(last, said({ type: "paused", paused: false }));
  assert.equal(notice(going)?.title, "Fetching the page");
});

test("a drawing that comes too late does not uncover what may not be seen", () => {
  const hidden = session({ state: "suspended", reason: "group" });
  assert.equal(after([...SHOWN, hidden, { type: "drawn" }]).last.drawn, false);
});

test("the picture stays hidden while the connection is looked for, and is asked for anew by ID", () => {
  const broken = after([...SHOWN, { type: "unlinked" }]).last;
  assert.equal(notice(broken)?.title, "Reconnecting");
  assert.deepEqual(broken.wanted, { session: LIVE.id });
  const back = after([...SHOWN, { type: "unlinked" }, ...JOINED]);
  assert.deepEqual([back.last.drawn, back.effects], [false, ["clear"]]);
});

test("a pause ends with the joining that tells of none", () => {
  assert.equal(after([...SHOWN, said({ type: "paused", paused: true }), ...JOINED]).last.paused, undefined);
});

test("a key in several groups is a question, and the close behind it no answer", () => {
  const groups = [{ id: 5, name: "Retail" }, { id: 6, name: "Loans" }];
  const { last } = after([{ type: "linked" }, said({ type: "refused", code: "groups", text: "several", groups }), { type: "closed", code: 4403 }]);
  assert.deepEqual([last.phase, last.groups], ["choosing", groups]);
});

test("a refusal is told in the words of the backend, whatever closes behind it", () => {
  const { last } = after([{ type: "linked" }, said({ type: "refused", code: "unknown", text: "there is no such session in your groups" }), { type: "closed", code: 4403 }]);
  assert.deepEqual(notice(last), { title: "You cannot join", text: "There is no such session in your groups.", busy: false });
});

test("without a login the picture goes and the password is asked for", () => {
  assert.deepEqual(after([...SHOWN, { type: "closed", code: 4401 }]).effects, ["clear", "log in"]);
});

test("waiting goes over into the session", () => {
  const waiting = after([{ type: "linked" }, said({ type: "waiting" })]).last;
  assert.equal(notice(waiting)?.title, "Waiting for the visitor");
  assert.equal(next(waiting, said({ type: "joined", session: LIVE }))[0].phase, "in");
});
