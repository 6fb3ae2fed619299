import assert from "node:assert/strict";
import { test } from "node:test";

import { startParams, type StartParams } from "./params.ts";

const GROUPS = [1, 2];
const TAG = { visitorId: "", video: "" };
const read = (given: unknown, { set = undefined as unknown, tag = TAG, page = {}, primary = false } = {}) =>
  startParams(given, set, GROUPS, tag, page, primary);
const ok = (made: ReturnType<typeof read>) => {
  assert.ok(!("code" in made), JSON.stringify(made));
  return made as StartParams;
};

test("a key comes from the call, what was set, the page, the tag, in this order", () => {
  const tag = { visitorId: "tagged", video: "" };
  const page = { visitorid: "paged" };
  for (const [given, options, key] of [
    ["called", { set: { sessionKey: "set" }, page, tag }, "called"],
    [{ sessionKey: "called" }, { set: { sessionKey: "set" }, page, tag }, "called"],
    [42, {}, "42"],
    [undefined, { set: { sessionKey: 7 }, page, tag }, "7"],
    [undefined, { page, tag }, "paged"],
    [undefined, { tag }, "tagged"],
    [{}, { tag }, "tagged"],
    [undefined, {}, undefined],
    ["GLANCE_KEYTYPE_RANDOM", { page, tag }, undefined],
    [{ sessionKey: "GLANCE_KEYTYPE_RANDOM" }, { page }, undefined],
    ["", { page }, "paged"],
  ] as const) {
    assert.equal(ok(read(given, options)).key, key, JSON.stringify([given, options]));
  }
});

test("keys have the characters and the length of the documented rules together", () => {
  for (const key of ["a", "A-z_0.9~", "x".repeat(62), "0294"]) assert.equal(ok(read(key)).key, key);
  for (const key of ["a b", "ä", "x".repeat(63), "a/b", "a%20", "a\n"]) {
    assert.equal((read(key) as { code: string }).code, "sessionkey", key);
  }
});

test("a group is the one that is named, else the primary one", () => {
  for (const [given, group] of [[undefined, 1], [{ groupid: 2 }, 2], [{ groupid: "2" }, 2], [{ groupid: null }, 1]] as const) {
    assert.equal(ok(read(given)).group, group);
  }
  for (const groupid of [3, "3", 0, "two", {}, true]) {
    assert.equal((read({ groupid }) as { code: string }).code, "groupid", `${groupid}`);
  }
});

test("links and hot keys use the primary group, and the rest of what was set", () => {
  const made = ok(read(undefined, { set: { groupid: 2, sessionKey: "mine" }, primary: true }));
  assert.deepEqual([made.group, made.key], [1, "mine"]);
});

test("who the visitor is keeps the documented limits", () => {
  const visitor = (said: Record<string, unknown>) => ok(read(said)).visitor;
  assert.equal(visitor({ name: "ż".repeat(70) }).name, "ż".repeat(63));
  assert.equal(visitor({ name: "😀".repeat(64) }).name, "😀".repeat(63));
  assert.equal(visitor({ email: "é".repeat(127) }).email, "é".repeat(127));
  assert.equal(visitor({ email: "e".repeat(128) }).email, undefined);
  assert.equal(visitor({ email: "ż@x" }).email, undefined);
  assert.equal(visitor({ phone: "1".repeat(31) }).phone, "1".repeat(31));
  assert.equal(visitor({ phone: "1".repeat(32) }).phone, undefined);
  assert.deepEqual(visitor({ name: {}, email: [], phone: null }), {});
});

test("the call's own words about the visitor count before the page's", () => {
  const page = { name: "Page", email: "p@x", visitorid: "v1" };
  assert.deepEqual(ok(read({ name: "Call" }, { page })).visitor, { id: "v1", name: "Call", email: "p@x" });
});

test("video is one of three words", () => {
  assert.equal(ok(read({ video: "small" })).video, "small");
  assert.equal(ok(read({ video: "huge" })).video, undefined);
  assert.equal(ok(read({}, { tag: { visitorId: "", video: "off" } })).video, "off");
});
