// How many sessions the built edge carries, and what they cost: `make bench-sessions`. A hundred visitors by
// default, each with two agents, each sending ten frames a second. Visitors come from addresses of their own, since
// starts are limited by address; agents log in several times, since sockets are limited by login.

import { readFile } from "node:fs/promises";
import { once } from "node:events";
import { request } from "node:http";

import { WebSocket } from "ws";

import { PASSWORD, openHouse } from "./house.mjs";

const SESSIONS = Number(process.env.SESSIONS ?? 100);
const SECONDS = Number(process.env.SECONDS ?? 20);
const FRAMES_PER_SECOND = 10;
const AGENTS = ["ada", "eva"];
/** As the backend limits them. */
const SOCKETS_PER_LOGIN = 16;
/** A page of some thousand elements, and a batch of mutations, as they come deflated. */
const SNAPSHOT_BYTES = 48 * 1024;
const EVENTS_BYTES = 400;
const [EVENTS, SNAPSHOT, HEAD_BYTES] = [1, 2, 13];

const house = await openHouse({ filter: "info" });
const visitors = [];
const seats = [];
const latencies = [];
let frames = 0;
try {
  // Checking a password takes memory that the process keeps.
  const logins = [];
  for (const agent of AGENTS) logins.push(await logIn(agent, Math.ceil(SESSIONS / SOCKETS_PER_LOGIN)));
  const idle = await pss();
  for (let number = 0; number < SESSIONS; number += 1) visitors.push(await visit(number));
  const ids = await listed(logins[0][0]);
  for (const cookies of logins) seats.push(...(await join(cookies, ids)));
  await until(() => visitors.every((visitor) => visitor.watched), "all pages are watched");
  visitors.forEach((visitor) => visitor.snapshot());
  await until(() => seats.every((seat) => seat.shown), "all agents see a page");
  const timers = visitors.map((visitor) => setInterval(visitor.events, 1000 / FRAMES_PER_SECOND));
  await pause(2000);
  [latencies.length, frames] = [0, 0];
  const [before, since] = [await cpuSeconds(), performance.now()];
  await pause(SECONDS * 1000);
  const [spent, passed] = [(await cpuSeconds()) - before, (performance.now() - since) / 1000];
  const busy = await pss();
  timers.forEach(clearInterval);
  latencies.sort((one, other) => one - other);
  const at = (part) => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * part))].toFixed(1);
  const sent = SESSIONS * FRAMES_PER_SECOND * passed * AGENTS.length;
  console.log(`${SESSIONS} sessions, ${FRAMES_PER_SECOND} frames a second each, ${AGENTS.length} agents each, ${passed.toFixed(0)} s`);
  console.log(`  frames to agents    ${(frames / passed).toFixed(0)} a second of ${(sent / passed).toFixed(0)} due`);
  console.log(`  processor           ${((100 * spent) / passed).toFixed(1)} % of one core, ${((1e6 * spent) / frames).toFixed(0)} us a frame delivered`);
  console.log(`  memory (PSS)        ${(idle / 1024).toFixed(1)} MiB without sessions, ${(busy / 1024).toFixed(1)} MiB with: ${((busy - idle) / SESSIONS).toFixed(0)} KiB a session, ${SNAPSHOT_BYTES / 1024} of them its page`);
  console.log(`  visitor to agent    p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, most ${at(1)} ms (with the load on the same cores)`);
} finally {
  [...seats, ...visitors].forEach(({ socket }) => socket.terminate());
  await house.close();
}

async function visit(number) {
  const localAddress = `127.0.${1 + Math.floor(number / 200)}.${1 + (number % 200)}`;
  const page = await ask(`${house.site}/mortgage/apply`, { localAddress, headers: { accept: "text/html" } });
  const [, grant] = /data-grant="([^"]+)"/.exec(page.body);
  const start = { version: 1, grant, group: 15687, site: "production", url: `${house.site}/mortgage/apply`, visitor: {}, storage: { kind: "normal" } };
  const headers = { origin: house.site, "content-type": "application/json" };
  const started = await ask(`${house.site}/_cobrowse/session/start`, { localAddress, method: "POST", headers }, JSON.stringify(start));
  if (started.status !== 200) throw new Error(`${started.status} ${started.body}`);
  const cookie = started.headers["set-cookie"][0].split(";")[0];
  const socket = new WebSocket(`${house.site.replace("http", "ws")}/_cobrowse/session/socket`, "cobrowse.v1", {
    localAddress,
    headers: { cookie },
    origin: house.site,
    perMessageDeflate: false,
  });
  let sequence = 0;
  let known;
  const send = (kind, bytes) => {
    const frame = Buffer.alloc(HEAD_BYTES + bytes, 7);
    frame.writeUInt8(kind, 0);
    frame.writeUInt32BE(known, 1);
    frame.writeBigUInt64BE(BigInt(sequence), 5);
    frame.writeDoubleBE(performance.now(), HEAD_BYTES);
    sequence += 1;
    socket.send(frame);
  };
  const visitor = { socket, watched: false, snapshot: () => send(SNAPSHOT, SNAPSHOT_BYTES), events: () => send(EVENTS, EVENTS_BYTES) };
  socket.on("message", (data, binary) => {
    const message = binary ? {} : JSON.parse(data);
    if (message.type === "welcome") known = message.page;
    if (message.type === "watch") visitor.watched = message.watched;
    if (message.type === "snapshot" && sequence > 0) {
      sequence = 0;
      visitor.snapshot();
    }
  });
  await once(socket, "open");
  socket.send(JSON.stringify({ type: "hello", version: 1, grant, tab: `tab-${number}`, page: { url: `${house.site}/mortgage/apply`, width: 1000, height: 700 }, focused: true, paused: false, masksByAgent: false }));
  await until(() => known !== undefined, "welcome");
  return visitor;
}

/** The public names of all sessions, as an agent's desk has them. */
async function listed(cookie) {
  const desk = console_("desk", cookie);
  let ids = [];
  desk.on("message", (data) => {
    const message = JSON.parse(data);
    if (message.type === "sessions") ids = message.sessions.map((session) => session.id);
  });
  await until(() => ids.length === SESSIONS, "all sessions are listed");
  desk.terminate();
  return ids;
}

async function join(cookies, ids) {
  const joined = [];
  for (const [number, session] of ids.entries()) {
    const cookie = cookies[Math.floor(number / SOCKETS_PER_LOGIN)];
    const socket = console_("session", cookie);
    const seat = { socket, shown: false };
    socket.on("message", (data, binary) => {
      if (!binary) return;
      if (data.readUInt8(0) === SNAPSHOT) seat.shown = true;
      else latencies.push(performance.now() - data.readDoubleBE(HEAD_BYTES));
      frames += 1;
    });
    await once(socket, "open");
    socket.send(JSON.stringify({ type: "join", session }));
    joined.push(seat);
  }
  return joined;
}

/** So many logins of one agent, as cookies. */
async function logIn(name, count) {
  const headers = { origin: house.agents, "content-type": "application/json" };
  const cookies = [];
  while (cookies.length < count) {
    const answer = await ask(`${house.agents}/api/login`, { method: "POST", headers }, JSON.stringify({ name, password: PASSWORD }));
    if (answer.status !== 200) throw new Error(`${answer.status} ${answer.body}`);
    cookies.push(answer.headers["set-cookie"][0].split(";")[0]);
  }
  return cookies;
}

function console_(path, cookie) {
  const url = `${house.agents.replace("http", "ws")}/api/${path}`;
  return new WebSocket(url, "cobrowse-agent.v1", { headers: { cookie }, origin: house.agents, perMessageDeflate: false });
}

async function ask(url, options, body) {
  const asking = request(url, { agent: false, ...options });
  asking.end(body);
  const [answer] = await once(asking, "response");
  const chunks = [];
  for await (const chunk of answer) chunks.push(chunk);
  return { status: answer.statusCode, headers: answer.headers, body: Buffer.concat(chunks).toString() };
}

async function until(holds, what) {
  const end = Date.now() + 60_000;
  while (!holds()) {
    if (Date.now() > end) throw new Error(`waited too long until ${what}`);
    await pause(20);
  }
}

function pause(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** In KiB. */
async function pss() {
  const text = await readFile(`/proc/${house.edge.pid}/smaps_rollup`, "utf8");
  return Number(/^Pss:\s+(\d+)/m.exec(text)[1]);
}

async function cpuSeconds() {
  const text = await readFile(`/proc/${house.edge.pid}/stat`, "utf8");
  const [user, system] = text.slice(text.lastIndexOf(")") + 2).split(" ").slice(11, 13).map(Number);
  return (user + system) / 100;
}
