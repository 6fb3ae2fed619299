import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { problemsOf } from "./examples.fixture.ts";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const examples = JSON.parse(await readFile(join(HERE, "../../../tests/web/agents.json"), "utf8"));

/** What the compiler says of the examples as values of our types: one of each message, no field too many. */
function problems(said: typeof examples): Promise<string> {
  const { http, desk, session } = said;
  const { refused: _, ...messages } = session;
  return problemsOf(`
    import type * as A from "../agents.ts";
    type Each<M extends { type: string }> = { [T in M["type"]]: Extract<M, { type: T }>[] };
    export const examples: {
      http: { login: { request: A.Credentials[]; reply: A.Account[] }; refusal: A.Refused[] };
      desk: { backend: Each<A.DeskMessage>; console: Each<A.DeskRequest> };
      session: { backend: Each<A.WatchMessage>; console: Each<A.WatchRequest> };
    } = ${JSON.stringify({ http, desk, session: messages })};`);
}

test("the examples are messages between console and backend, and there is one of each", async () => {
  assert.equal(await problems(examples), "");
});

test("an example that is no such message is found", async () => {
  const changes: ((said: typeof examples) => void)[] = [
    (said) => delete said.session.console.end,
    (said) => delete said.session.backend.joined[0].session.may,
    (said) => (said.desk.backend.beat[0].more = 1),
    (said) => (said.http.login.reply[0].groups[0].id = "15687"),
  ];
  for (const change of changes) {
    const said = structuredClone(examples);
    change(said);
    assert.match(await problems(said), /error TS/, change.toString());
  }
});
