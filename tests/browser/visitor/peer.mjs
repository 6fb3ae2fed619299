// A site with the visitor's script on it and the thinnest backend that speaks the protocol of
// src/web/shared/PROTOCOL.md; it keeps every byte that it was sent.

import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { inflateRawSync } from "node:zlib";

import { WebSocketServer } from "ws";

import { bundle } from "../../../src/web/build.mjs";

const MOUNT = "/_cobrowse/";
const HEAD_BYTES = 13;
const STRICT =
  "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self'";

/** The same bundles for all tests of a file. */
export function bundles(options) {
  return bundle(options);
}

/** A page with the tag where the edge writes it. `attributes` of the tag may be changed or, with null, left out. */
export function page(body, { head = "", attributes = {}, doctype = "<!doctype html>" } = {}) {
  const html = `${doctype}<html><head><meta charset="utf-8">${head}</head><body>${body}</body></html>`;
  return html + tag(attributes);
}

export function tag(attributes = {}) {
  const all = {
    id: "glance-cobrowse",
    src: `${MOUNT}CobrowseJS.ashx?group=1&site=production`,
    "data-groupid": "1",
    "data-site": "production",
    ...attributes,
  };
  all["data-grant"] ??= `v1.test.${[all["data-groupid"], all["data-additionalgroupids"]].filter(Boolean).join("-")}.mac`;
  const written = Object.entries(all)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => ` ${name}="${`${value}`.replaceAll("&", "&amp;").replaceAll('"', "&quot;")}"`);
  return `<script${written.join("")}></script>`;
}

/**
 * `pages`: path to HTML, or to `{ body, headers }`. `masks`: selectors for every session.
 * `frameMasks`: path of a frame to its own selectors, or to `null`, which refuses it. `refuse`: an error with which each start is answered. `port`: of a peer that was stopped before.
 */
export async function startPeer({ scripts, pages, masks = [], frameMasks = {}, refuse, csp = true, settings, port = 0 } = {}) {
  const peer = createPeer(masks, frameMasks);
  const requests = [];
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, "http://peer");
    requests.push({ method: request.method, path: request.url, cookie: request.headers.cookie ?? "" });
    const answer = (status, body, headers = {}) => response.writeHead(status, headers).end(body);
    const script = { [`${MOUNT}CobrowseJS.ashx`]: scripts.loader, [`${MOUNT}${scripts.core.name}`]: scripts.core }[pathname];
    if (script) return answer(200, script.text, { "content-type": "text/javascript", "access-control-allow-origin": "*" });
    if (pathname === `${MOUNT}session/start`) return begin(peer, await bodyOf(request), refuse, response);
    if (pathname === `${MOUNT}session/end`) {
      peer.end("visitor", await bodyOf(request));
      return answer(204, undefined, { "set-cookie": "cobrowse=; Path=/; HttpOnly; Max-Age=0" });
    }
    if (pathname === `${MOUNT}session/settings`) {
      return answer(200, JSON.stringify({ group: 1, button: {}, terms: {}, ...settings }), { "content-type": "application/json" });
    }
    const found = pages[pathname];
    if (found === undefined) return answer(404, "nothing here");
    const { body, headers = {} } = typeof found === "string" ? { body: found } : found;
    const policy = csp ? { "content-security-policy": STRICT } : {};
    return answer(200, body, { "content-type": "text/html; charset=utf-8", "cache-control": "no-cache", ...policy, ...headers });
  });
  const sockets = new WebSocketServer({ server, path: `${MOUNT}session/socket`, perMessageDeflate: false, maxPayload: 16 << 20 });
  sockets.on("connection", (socket, request) => peer.connect(socket, request.headers.cookie ?? ""));
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const { port: bound } = server.address();
  return Object.assign(peer, {
    address: `http://127.0.0.1:${bound}`,
    port: bound,
    requests,
    async stop() {
      for (const client of sockets.clients) client.terminate();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}

async function bodyOf(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString();
  return text ? JSON.parse(text) : {};
}

function begin(peer, asked, refuse, response) {
  peer.starts.push(asked);
  const answer = (status, said, headers = {}) =>
    response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(said));
  if (refuse) return answer(409, { error: refuse });
  if (!groupsOf(asked.grant).includes(asked.group)) {
    return answer(403, { error: { code: "groupid", msg: "not granted", params: {} } });
  }
  const session = peer.begin(asked);
  const kept = ["ls", "dual"].includes(asked.storage.kind) ? { resume: session.token } : {};
  const cookie = asked.storage.kind === "ls" ? {} : { "set-cookie": `cobrowse=${session.token}; Path=/; HttpOnly; SameSite=Lax` };
  return answer(200, { session: session.name, ...kept }, cookie);
}

/** What the made-up grants of these tests allow. */
function groupsOf(grant) {
  return (grant.split(".")[2] ?? "").split(/[-,]/).map(Number);
}

function createPeer(masks, frameMasks) {
  const waiters = new Set();
  const told = () => {
    for (const waiter of [...waiters]) waiter();
  };
  const peer = {
    masks,
    starts: [],
    /** Text messages from the visitor, each with the page it came from. */
    said: [],
    /** Binary frames as they came. */
    frames: [],
    ends: [],
    session: undefined,
    agents: [],
    tabs: new Map(),
    pages: 0,
    paused: false,
    /** Resolves once `test(peer)` is true. */
    until(test, what = test.toString(), patience = 10_000) {
      return new Promise((resolve, reject) => {
        const look = () => {
          if (!test(peer)) return;
          clearTimeout(timer);
          waiters.delete(look);
          resolve();
        };
        const timer = setTimeout(() => {
          waiters.delete(look);
          reject(new Error(`waited in vain for: ${what}`));
        }, patience);
        waiters.add(look);
        look();
      });
    },
    begin(asked) {
      const key = asked.key ?? "12345";
      peer.session = { token: randomBytes(16).toString("hex"), name: { group: asked.group, key }, over: false };
      return peer.session;
    },
    end(reason, request) {
      if (request) peer.ends.push(request);
      if (!peer.session) return told();
      peer.session.over = true;
      for (const tab of peer.tabs.values()) {
        tab.say({ type: "ended", reason });
        tab.socket.close(4410);
      }
      told();
    },
    connect(socket, cookie) {
      socket.on("message", (data, binary) => {
        if (binary) peer.frames.push(decode(data));
        else peer.hear(socket, JSON.parse(data.toString()), cookie);
        told();
      });
      socket.on("close", (code) => {
        for (const [name, tab] of peer.tabs) if (tab.socket === socket) peer.tabs.delete(name);
        peer.closes = [...(peer.closes ?? []), code];
        told();
      });
    },
    hear(socket, message, cookie) {
      peer.said.push(message);
      if (message.type === "hello") return peer.hello(socket, message, cookie);
      if (message.type === "pause") peer.paused = message.paused;
      const tab = [...peer.tabs.values()].find((other) => other.socket === socket);
      if (message.type === "focus" && tab) peer.show(tab);
      if (message.type === "frame") peer.answer(socket, message);
      return undefined;
    },
    hello(socket, hello, cookie) {
      const { session } = peer;
      const token = /cobrowse=(\w+)/.exec(cookie)?.[1] ?? hello.resume;
      if (!session || session.over || token !== session.token) return socket.close(4401);
      const say = (message) => socket.send(JSON.stringify(message));
      const allowed = groupsOf(hello.grant).includes(session.name.group);
      peer.pages += 1;
      const tab = { socket, say, allowed, name: hello.tab, page: peer.pages, shown: false, url: hello.page.url };
      peer.tabs.get(hello.tab)?.socket.close(4409);
      peer.tabs.set(hello.tab, tab);
      if (hello.focused || peer.tabs.size === 1) peer.show(tab, true);
      say({ type: "welcome", page: tab.page, session: session.name, ...peer.state(tab), shown: tab.shown, watched: tab.shown && peer.agents.length > 0, paused: peer.paused, masks: peer.masks, agents: peer.agentList() });
      return undefined;
    },
    answer(socket, { frame, grant, url }) {
      const own = frameMasks[new URL(url).pathname];
      const allowed = own !== null && groupsOf(grant).includes(peer.session.name.group);
      socket.send(JSON.stringify({ type: "frame", frame, allowed, masks: allowed ? (own ?? []) : [] }));
    },
    state(tab) {
      if (!tab.allowed) return { state: "suspended", reason: "group" };
      return { state: peer.agents.length ? "live" : "waiting" };
    },
    show(tab, quiet = false) {
      for (const other of peer.tabs.values()) {
        if (other === tab || !other.shown) continue;
        other.shown = false;
        other.say({ type: "shown", shown: false });
      }
      tab.shown = true;
      if (!quiet) {
        tab.say({ type: "shown", shown: true });
        tab.say({ type: "watch", watched: peer.agents.length > 0 });
      }
    },
    agentList: () => ({ count: peer.agents.length, agentlist: peer.agents }),
    /** An agent comes to watch. */
    join(name = "Anna Agent", agentrole = "agent") {
      peer.agents.push({ username: name, partnerid: 1, partneruserid: "7", name, title: "", agentrole });
      peer.tell();
    },
    leave() {
      peer.agents.pop();
      peer.tell();
    },
    tell() {
      for (const tab of peer.tabs.values()) {
        tab.say({ type: "agents", ...peer.agentList() });
        tab.say({ type: "state", ...peer.state(tab) });
        tab.say({ type: "watch", watched: tab.shown && peer.agents.length > 0 });
      }
    },
    say(message) {
      for (const tab of peer.tabs.values()) tab.say(message);
    },
    /** All recorded events, in order. */
    events: () => peer.frames.flatMap((frame) => frame.events),
    /** Everything that came over the socket and by HTTP, as text. */
    text: () => JSON.stringify([peer.starts, peer.ends, peer.said]) + peer.frames.map((frame) => frame.text).join("\n"),
    snapshots: () => peer.frames.filter((frame) => frame.kind === 2).length,
  };
  return peer;
}

function decode(data) {
  const text = inflateRawSync(data.subarray(HEAD_BYTES)).toString();
  return {
    kind: data.readUInt8(0),
    page: data.readUInt32BE(1),
    sequence: Number(data.readBigUInt64BE(5)),
    bytes: data.length,
    text,
    events: JSON.parse(text),
  };
}
