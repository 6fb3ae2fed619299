import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateRawSync } from "node:zlib";

import { encodeFrame, EVENTS, SNAPSHOT, type FrameKind } from "../../shared/frame.ts";
import { createPictures, FAULTS_MAX, PENDING_FRAMES_MAX } from "./pictures.ts";

const META = { type: 4, data: { width: 10, height: 10 }, timestamp: 1 };
const FULL = { type: 2, data: { node: { type: 0, id: 1, childNodes: [] }, initialOffset: {} }, timestamp: 1 };
const SCROLL = { type: 3, data: { source: 3, id: 1, x: 0, y: 5 }, timestamp: 2 };

function frame(kind: FrameKind, page: number, sequence: number, events: unknown): ArrayBuffer {
  return encodeFrame({ kind, page, sequence }, deflateRawSync(JSON.stringify(events))).buffer;
}
const snapshot = (page = 1, sequence = 0) => frame(SNAPSHOT, page, sequence, [META, FULL]);

function setUp() {
  const done: string[] = [];
  const pictures = createPictures({
    begin: (page, events) => done.push(`begin ${page}: ${events.map(({ type }) => type).join()}`),
    add: (events) => done.push(`add ${events.length}`),
    lost: () => done.push("lost"),
    unshowable: () => done.push("unshowable"),
  });
  /** Gives frames, and waits until they are read. */
  const take = async (...frames: ArrayBuffer[]) => {
    await Promise.all(frames.map(pictures.take));
    return done.splice(0);
  };
  return { pictures, take };
}

test("a snapshot begins a picture, and what follows is added to it, in order", async () => {
  const { take } = setUp();
  const said = await take(snapshot(), frame(EVENTS, 1, 1, [SCROLL, SCROLL]), frame(EVENTS, 1, 2, []), snapshot(2));
  assert.deepEqual(said, ["begin 1: 4,2", "add 2", "add 0", "begin 2: 4,2"]);
});

test("a gap and events of another page ask for a snapshot", async () => {
  const { take } = setUp();
  assert.deepEqual(await take(snapshot(), frame(EVENTS, 1, 2, [SCROLL]), frame(EVENTS, 1, 3, [SCROLL])), ["begin 1: 4,2", "lost"]);
  assert.deepEqual(await take(snapshot(), frame(EVENTS, 9, 1, [SCROLL])), ["begin 1: 4,2", "lost"]);
});

test("what was given before a picture is forgotten is not shown behind it", async () => {
  const { pictures, take } = setUp();
  const taken = pictures.take(snapshot());
  pictures.forget();
  await taken;
  assert.deepEqual(await take(), []);
  assert.deepEqual(await take(frame(EVENTS, 1, 1, [SCROLL])), []);
});

test("broken pictures are asked for anew, and then no more until one is drawn", async () => {
  const { pictures, take } = setUp();
  const broken = [new ArrayBuffer(3), frame(SNAPSHOT, 1, 0, [FULL]), frame(SNAPSHOT, 1, 0, "no list"), frame(SNAPSHOT, 1, 0, [null])];
  assert.equal(FAULTS_MAX, 3);
  const said = [];
  for (const one of broken) said.push(...(await take(one)));
  assert.deepEqual(said, ["lost", "lost", "unshowable"]);
  assert.deepEqual(await take(snapshot()), ["begin 1: 4,2"]);
  pictures.drawn();
  assert.deepEqual(await take(new ArrayBuffer(0)), ["lost"]);
});

test("a picture that waits behind broken ones is shown", async () => {
  const { take } = setUp();
  const broken = [...Array(FAULTS_MAX + 1)].map(() => frame(SNAPSHOT, 1, 0, []));
  const said = await take(...broken, frame(EVENTS, 1, 1, [SCROLL]), snapshot(2), frame(EVENTS, 2, 1, [SCROLL]));
  assert.deepEqual(said.slice(-3), ["unshowable", "begin 2: 4,2", "add 1"]);
});

test("frames that come faster than they are read are dropped for a snapshot", async () => {
  const { pictures, take } = setUp();
  for (let count = 0; count < PENDING_FRAMES_MAX; count += 1) void pictures.take(snapshot());
  assert.deepEqual(await take(snapshot()), ["lost"]);
  assert.deepEqual(await take(snapshot()), ["begin 1: 4,2"]);
});
