import assert from "node:assert/strict";
import { test } from "node:test";

import { tracks, withoutFramesets } from "./framesets.ts";

test("lengths of a frameset become tracks of a grid", () => {
  for (const [lengths, made] of [
    ["20%,*", "20% 1fr"],
    ["100, 2*, *", "100px 2fr 1fr"],
    ["", "1fr"],
    [undefined, "1fr"],
    ["x,;}", "1fr 1fr"],
  ] as const) {
    assert.equal(tracks(lengths), made);
  }
});

test("the outermost frameset becomes the body, inner ones boxes, frames inline frames", () => {
  const frame = (id: number) => ({ type: 2, id, tagName: "frame", attributes: { name: "a" }, childNodes: [] });
  const node = {
    type: 0,
    id: 1,
    childNodes: [
      {
        type: 2,
        id: 9,
        tagName: "html",
        childNodes: [
          {
            type: 2,
            id: 2,
            tagName: "frameset",
            attributes: { cols: "10,*", onload: "x" },
            childNodes: [frame(3), { type: 2, id: 4, tagName: "frameset", attributes: { rows: "*,*" }, childNodes: [frame(5)] }],
          },
        ],
      },
    ],
  };
  withoutFramesets({ type: 2, timestamp: 0, data: { node } });
  const [body] = node.childNodes[0]!.childNodes as any[];
  assert.deepEqual([body.tagName, body.childNodes[0].tagName, body.childNodes[1].tagName], ["body", "iframe", "div"]);
  assert.match(body.attributes.style, /grid-template-columns: 10px 1fr; grid-template-rows: 1fr;/);
  assert.deepEqual(Object.keys(body.attributes), ["style"]);
});
