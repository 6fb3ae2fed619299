// A WebSocket of a page over HTTP/2 is a stream of the connection that brought the page (RFC 8441).

import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { WebSocketServer } from "ws";

import { launchBrowser, newPage } from "./browser.mjs";
import { startEdge } from "./edge.mjs";

let origin, edge, browser, page, rules;
/** The heads of all handshakes, as the origin got them. */
const handshakes = [];

before(async () => {
  origin = createServer((_, response) => {
    response.setHeader("content-type", "text/html");
    response.end("<!doctype html><title>a</title><p>a page");
  });
  const sockets = new WebSocketServer({ server: origin, handleProtocols: () => "echo" });
  sockets.on("connection", (socket, { headers }) => {
    handshakes.push(headers);
    socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
  });
  origin.listen(0, "127.0.0.1");
  await once(origin, "listening");
  rules = mkdtempSync(join(tmpdir(), "cobrowse-edge-sockets-"));
  const { port } = origin.address();
  const site = `version = 1\n[[site]]\nhosts = ["*"]\norigin = "http://127.0.0.1:${port}"\ngroup = 1\n`;
  writeFileSync(join(rules, "rules.toml"), site);
  edge = await startEdge(["--rules", rules]);
  browser = await launchBrowser();
  page = await newPage(browser);
});

after(async () => {
  await browser?.close();
  origin?.closeAllConnections();
  origin?.close();
  const code = await edge?.stop();
  if (rules) rmSync(rules, { recursive: true });
  assert.equal(code, 0, "Ctrl-C ends the edge cleanly");
});

/** What a page hears of what it says, and how the socket ended. */
const converse = (lengths) =>
  page.evaluate(
    (lengths) =>
      new Promise((resolve, reject) => {
        const socket = new WebSocket(`wss://${location.host}/echo?x=1`, "echo");
        socket.binaryType = "arraybuffer";
        const heard = [];
        socket.onerror = () => reject(new Error("the socket failed"));
        socket.onopen = () => lengths.forEach((length) => socket.send(new Uint8Array(length)));
        socket.onmessage = ({ data }) => {
          heard.push(data.byteLength);
          if (heard.length === lengths.length) socket.close(4001, "that is all");
        };
        socket.onclose = ({ code, reason, wasClean }) =>
          resolve({ heard, code, reason, wasClean, protocol: socket.protocol });
      }),
    lengths,
  );

test("Chromium opens it on the page's connection, and hears what it says", async () => {
  await page.goto(`${edge.tls}/`);
  const protocol = () => performance.getEntriesByType("navigation")[0].nextHopProtocol;
  assert.equal(await page.evaluate(protocol), "h2");
  const lengths = [0, 1, 125, 126, 65_536, 16 * 1024 * 1024];
  assert.deepEqual(await converse(lengths), {
    heard: lengths,
    code: 4001,
    reason: "that is all",
    wasClean: true,
    protocol: "echo",
  });
  const [handshake] = handshakes;
  assert.equal(handshake.via, "2 cobrowse-edge", "it came over HTTP/2");
  assert.equal(handshake.upgrade, "websocket");
  assert.equal(handshake.origin, edge.tls);
});

test("a page over HTTP/1.1 has its socket as ever", async () => {
  await page.goto(`${edge.http}/`);
  const echo = await page.evaluate(
    () =>
      new Promise((resolve, reject) => {
        const socket = new WebSocket(`ws://${location.host}/echo`);
        socket.onerror = () => reject(new Error("the socket failed"));
        socket.onopen = () => socket.send("hello");
        socket.onmessage = ({ data }) => resolve(data);
      }),
  );
  assert.equal(echo, "hello");
  assert.equal(handshakes.at(-1).via, "1.1 cobrowse-edge");
});
