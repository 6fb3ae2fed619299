import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { deflateRawSync, inflateRawSync } from "node:zlib";

import { problemsOf } from "./examples.fixture.ts";
import { decodeFrame, encodeFrame, HEAD_BYTES } from "./frame.ts";
import { CLOSE } from "./protocol.ts";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const examples = JSON.parse(await readFile(join(HERE, "../../../tests/web/protocol.json"), "utf8"));

/** What the compiler says of the examples as values of our types: one of each message, no field too many. */
function problems(said: typeof examples): Promise<string> {
  const { frames, badFrames, close, ...messages } = said;
  return problemsOf(`
    import type * as P from "../protocol.ts";
    type Each<M extends { type: string }> = { [T in M["type"]]: Extract<M, { type: T }>[] };
    export const examples: {
      visitor: Each<P.VisitorMessage>;
      backend: Each<P.BackendMessage>;
      start: { request: P.StartRequest[]; reply: P.StartReply[]; refusal: P.Refusal[] };
      end: P.EndRequest[];
      settings: P.GroupSettings[];
    } = ${JSON.stringify(messages)};`);
}

test("the examples are messages of the protocol, and there is one of each", async () => {
  assert.equal(await problems(examples), "");
});

test("an example that is no message is found", async () => {
  const changes: ((said: typeof examples) => void)[] = [
    (said) => delete said.visitor.focus,
    (said) => delete said.backend.welcome[0].masks,
    (said) => (said.backend.beat[0].more = 1),
    (said) => (said.start.request[0].group = "15687"),
  ];
  for (const change of changes) {
    const said = structuredClone(examples);
    change(said);
    assert.match(await problems(said), /error TS/, change.toString());
  }
});

test("close codes are those of the examples", () => {
  assert.deepEqual({ ...CLOSE }, examples.close);
});

for (const { hex, events, ...head } of examples.frames) {
  test(`frame ${head.kind}/${head.page}/${head.sequence} is read and written`, () => {
    const bytes = Buffer.from(hex, "hex");
    const frame = decodeFrame(bytes);
    assert.deepEqual(frame?.head, head);
    assert.deepEqual(JSON.parse(inflateRawSync(frame!.body).toString()), events);
    const written = encodeFrame(head, deflateRawSync(JSON.stringify(events)));
    assert.equal(Buffer.from(written.subarray(0, HEAD_BYTES)).toString("hex"), hex.slice(0, 2 * HEAD_BYTES));
  });
}

test("what is no frame is refused", () => {
  for (const hex of examples.badFrames) assert.equal(decodeFrame(Buffer.from(hex, "hex")), undefined, hex);
});
