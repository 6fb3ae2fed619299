import assert from "node:assert/strict";
import { test } from "node:test";

import type { Welcome } from "../../shared/protocol.ts";
import { next, noSession, records, type Effect, type Happening, type Session } from "./session.ts";

const NAME = { group: 1, key: "123" };
const NONE = { count: 0, agentlist: [] };
const WELCOME: Welcome = {
  type: "welcome",
  page: 1,
  session: NAME,
  state: "live",
  shown: true,
  watched: true,
  paused: false,
  masks: [".a"],
  agents: NONE,
};
const welcome: Happening = { type: "welcome", welcome: WELCOME };
const refusal = { code: "groupid" as const, msg: "no" };
/** Only the backend says no. */
const refused: Happening = { type: "welcome", welcome: { ...WELCOME, state: "suspended", reason: "group", masks: [], refusal } };

/** What the steps lead to: the last state, and what each of them entailed, in short. */
function run(...steps: Happening[]): { session: Session; effects: string[] } {
  let session = noSession(false);
  const effects: string[] = [];
  for (const step of steps) {
    const [changed, entailed] = next(session, step);
    session = changed;
    effects.push(...entailed.map(short));
  }
  return { session, effects };
}

const short = (effect: Effect) => {
  if (effect.type !== "emit") return effect.type;
  const { code, reason, status } = (effect.payload ?? {}) as Record<string, string>;
  return [effect.name, code ?? reason ?? status].filter(Boolean).join(" ");
};

const START: Happening[] = [{ type: "start" }, { type: "started", name: NAME }, welcome, { type: "masked" }];
const CONTINUE: Happening[] = [{ type: "continue" }, welcome, { type: "masked" }];
const GREETING = ["sessionstarting", "connect", "mask", "sessionstart", "sessioncontinue", "agents"];
const GREETED_AGAIN = ["connect", "mask", "statereceived", "sessioncontinue", "agents"];

for (const [name, steps, expected] of [
  ["a start", START, GREETING],
  ["going on", CONTINUE, GREETED_AGAIN],
  ["a start while there is a session", [...START, { type: "start" }], GREETING],
  ["a start that is refused", [{ type: "start" }, { type: "refused", error: { code: "dupkey", msg: "" } }], ["sessionstarting", "error dupkey"]],
  ["a start that never connects", [{ type: "start" }, { type: "started", name: NAME }, { type: "lost" }], ["sessionstarting", "connect", "forget", "error service"]],
  ["a start that cannot be masked", [...START.slice(0, 3), { type: "unmaskable", msg: "" }], ["sessionstarting", "connect", "mask", "finish", "forget", "error maskingerror"]],
  ["going on where it cannot be masked", [...CONTINUE.slice(0, 2), { type: "unmaskable", msg: "" }], ["connect", "mask", "refuse", "error maskingerror"]],
  ["going on where the group is not allowed", [{ type: "continue" }, { ...welcome, refusal }], ["connect", "refuse", "error groupid"]],
  ["the same after a lost connection", [{ type: "continue" }, { ...welcome, refusal }, { type: "unlinked" }, { ...welcome, refusal }], ["connect", "refuse", "error groupid", "refuse"]],
  ["going on where the backend does not allow the group", [{ type: "continue" }, refused], ["connect", "error groupid"]],
  ["the same after another lost connection", [{ type: "continue" }, refused, { type: "unlinked" }, refused], ["connect", "error groupid"]],
  ["rules that change while a connection is lost", [...CONTINUE, { type: "unlinked" }, refused, { type: "unlinked" }, welcome, { type: "masked" }],
    [...GREETED_AGAIN, "connection reconnecting", "error groupid", "connection reconnecting", "mask", "connection ok"]],
  ["a start that the backend does not allow any more", [...START.slice(0, 2), refused, welcome, { type: "masked" }],
    ["sessionstarting", "connect", "error groupid", "mask", "sessionstart", "sessioncontinue", "agents"]],
  ["a connection that comes back", [...CONTINUE, { type: "unlinked" }, { type: "unlinked" }, welcome, { type: "masked" }], [...GREETED_AGAIN, "connection reconnecting", "mask", "connection ok"]],
  ["a connection that does not", [...CONTINUE, { type: "unlinked" }, { type: "lost" }], [...GREETED_AGAIN, "connection reconnecting", "forget", "error conndrop", "sessionend error"]],
  ["an end by the agent", [...CONTINUE, { type: "ended", reason: "agent" }, { type: "ended", reason: "agent" }], [...GREETED_AGAIN, "forget", "sessionend agent"]],
  ["an end by the visitor", [...CONTINUE, { type: "leave" }, { type: "leave" }], [...GREETED_AGAIN, "leavesession", "finish", "forget", "sessionend visitor"]],
  ["going on with a session that is gone", [{ type: "continue" }, { type: "ended", reason: "error" }], ["connect", "forget", "sessionend error"]],
  ["the focus", [...CONTINUE, { type: "shown", shown: true }, { type: "shown", shown: false }, { type: "shown", shown: true }], [...GREETED_AGAIN, "blur", "focus"]],
  ["a welcome to nobody", [welcome, { type: "masked" }], []],
] as [string, Happening[], string[]][]) {
  test(`${name}: what the page hears`, () => {
    assert.deepEqual(run(...steps).effects, expected);
  });
}

test("a session that runs, is live, shown, watched, linked, masked, allowed and not paused is recorded", () => {
  assert.equal(records(run(...START).session), true);
  assert.equal(records(run(...CONTINUE).session), true);
});

for (const [name, steps] of [
  ["before it was masked", CONTINUE.slice(0, 2)],
  ["no agent watches", [...CONTINUE, { type: "watch", watched: false }]],
  ["waiting", [...CONTINUE, { type: "state", state: "waiting" }]],
  ["suspended", [...CONTINUE, { type: "state", state: "suspended", reason: "group" }]],
  ["another tab is shown", [...CONTINUE, { type: "shown", shown: false }]],
  ["paused", [...CONTINUE, { type: "pause", paused: true }]],
  ["paused on the page before", [{ type: "continue" }, { type: "welcome", welcome: { ...WELCOME, paused: true } }, { type: "masked" }]],
  ["paused by the tag", [{ type: "pause", paused: true }, ...CONTINUE]],
  ["the connection is lost", [...CONTINUE, { type: "unlinked" }]],
  ["it came back, masks not yet compiled", [...CONTINUE, { type: "unlinked" }, welcome]],
  ["it cannot be masked", [...CONTINUE, { type: "unmaskable", msg: "" }]],
  ["it cannot be masked, and the backend says live", [...CONTINUE, { type: "unmaskable", msg: "" }, { type: "state", state: "live" }]],
  ["the group is not allowed, and the backend says live", [{ type: "continue" }, { ...welcome, refusal }, { type: "masked" }, { type: "state", state: "live" }]],
  ["the backend does not allow the group, and says live", [{ type: "continue" }, refused, { type: "masked" }, { type: "state", state: "live" }]],
  ["ended", [...CONTINUE, { type: "ended", reason: "agent" }, { type: "state", state: "live" }, { type: "masked" }]],
] as [string, Happening[]][]) {
  test(`nothing is recorded: ${name}`, () => {
    assert.equal(records(run(...steps).session), false);
  });
}
