import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { decodeFrame } from "../../shared/frame.ts";
import type { RecordedEvent } from "../mask/events.ts";
import { BATCH_MS, batcher, HELD_EVENTS_MAX, WAITING_BYTES_MAX } from "./batch.ts";

const event = (type: number, name = ""): RecordedEvent => ({ type, data: { name }, timestamp: 0 });
const META = event(4);
const FULL = event(2);

function setUp() {
  const timers = mock.timers;
  timers.enable({ apis: ["setTimeout"] });
  const sent: string[] = [];
  const socket = { waiting: 0, snapshots: 0 };
  const frames = batcher({
    page: 7,
    pack: async (events) => Buffer.from(events.map(({ type, data }) => `${type}${data.name}`).join()),
    send: (frame) => {
      const { head, body } = decodeFrame(frame)!;
      sent.push(`${head.kind}/${head.page}/${head.sequence}:${Buffer.from(body)}`);
    },
    waiting: () => socket.waiting,
    snapshot: () => (socket.snapshots += 1),
  });
  const tick = async () => {
    timers.tick(BATCH_MS);
    for (let turn = 0; turn < 9; turn += 1) await Promise.resolve();
  };
  return { frames, sent, socket, tick, done: () => timers.reset() };
}

test("a snapshot goes alone and at once, changes together after it", async () => {
  const { frames, sent, tick, done } = setUp();
  for (const pushed of [META, FULL, event(3, "a"), event(3, "b")]) frames.push(pushed);
  await tick();
  frames.push(event(3, "c"));
  await tick();
  assert.deepEqual(sent, ["2/7/0:4,2", "1/7/1:3a,3b", "1/7/2:3c"]);
  done();
});

test("nothing goes before a snapshot, and nothing between a fault and the next", async () => {
  const { frames, sent, tick, done } = setUp();
  frames.push(event(3, "early"));
  await tick();
  for (const pushed of [META, FULL]) frames.push(pushed);
  await tick();
  frames.push(event(3, "lost"));
  frames.reset();
  frames.push(event(3, "adrift"));
  await tick();
  frames.push(META);
  frames.push(event(3, "between"));
  frames.push(FULL);
  await tick();
  assert.deepEqual(sent, ["2/7/0:4,2", "2/7/1:4,2"]);
  done();
});

test("a full socket is not filled further; too much held is dropped for a snapshot", async () => {
  const { frames, sent, socket, tick, done } = setUp();
  for (const pushed of [META, FULL]) frames.push(pushed);
  await tick();
  socket.waiting = WAITING_BYTES_MAX + 1;
  frames.push(event(3, "held"));
  await tick();
  assert.equal(sent.length, 1);
  socket.waiting = 0;
  await tick();
  assert.deepEqual(sent.slice(1), ["1/7/1:3held"]);
  socket.waiting = WAITING_BYTES_MAX + 1;
  for (let count = 0; count <= HELD_EVENTS_MAX; count += 1) frames.push(event(3));
  await tick();
  socket.waiting = 0;
  await tick();
  assert.deepEqual([sent.length, socket.snapshots], [2, 1]);
  done();
});

test("nothing is sent after the end", async () => {
  const { frames, sent, tick, done } = setUp();
  frames.push(META);
  frames.push(FULL);
  frames.stop();
  await tick();
  assert.deepEqual(sent, []);
  done();
});
