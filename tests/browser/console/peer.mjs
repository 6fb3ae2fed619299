// The agents' listener at its thinnest: serves the console and says what a test wants it to say, in the
// words of src/web/shared/AGENTS.md.

import { once } from "node:events";
import { createServer } from "node:http";

import { WebSocketServer } from "ws";

export const RIGHTS = { view: true, point: true, end: true };
export const ACCOUNT = {
  name: "ada",
  display_name: "Ada L.",
  groups: [
    { id: 15687, name: "Retail support", ...RIGHTS },
    { id: 15690, name: "Mortgages", view: true, point: false, end: false },
  ],
};

let made = 0;
export function sessionView(change = {}) {
  made += 1;
  return {
    id: made.toString(16).padStart(16, "0"),
    group: 15687,
    group_name: "Retail support",
    key: "40213",
    state: "live",
    url: "https://www.bank.example/mortgage/apply",
    visitor: { name: "Grace Hopper", email: "grace@mail.example" },
    started: Math.floor(Date.now() / 1000) - 130,
    agents: ["Ada L."],
    may: RIGHTS,
    ...change,
  };
}

/** `sites`: what the replay may load from, as its policy names it. `port`: to come back where another one was. */
export async function startAgents({ scripts, sites = "", port = 0, loggedIn = [] }) {
  const peer = createPeer(loggedIn);
  const { console: bundle } = scripts;
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, "http://peer");
    peer.requests.push(`${request.method} ${request.url}`);
    const answer = (status, body, headers = {}) => response.writeHead(status, { ...COMMON, ...headers }).end(body);
    const json = (status, body, headers = {}) => answer(status, JSON.stringify(body), { "content-type": "application/json", ...headers });
    const file = bundle.files.find(({ name }) => pathname === `/assets/${name}`);
    if (file) return answer(200, file.text, { "content-type": file.type, "cache-control": "max-age=31536000, immutable" });
    const html = { "content-type": "text/html; charset=utf-8", "cache-control": "no-cache" };
    if (pathname === "/replay") return answer(200, bundle.replayHtml, { ...html, "content-security-policy": replayPolicy(sites) });
    if (pathname === "/" || pathname === "/AgentView") {
      return answer(200, bundle.html, { ...html, "content-security-policy": consolePolicy(request.headers.host) });
    }
    if (pathname === "/api/account") return peer.knows(request) ? json(200, peer.account) : json(401, { code: "login", text: "log in first" });
    if (pathname === "/api/logout") {
      peer.logOut();
      return answer(204, undefined, { "set-cookie": "cobrowse-agent=; Path=/; Max-Age=0" });
    }
    if (pathname === "/api/login") {
      const { name, password } = JSON.parse(await bodyOf(request));
      if (peer.refusal) return json(peer.refusal.code === "rate" ? 429 : 401, peer.refusal);
      if (name !== "ada" || password !== "correct horse") return json(401, { code: "credentials", text: "name or password is wrong" });
      return json(200, peer.account, { "set-cookie": `cobrowse-agent=${peer.logIn()}; HttpOnly; SameSite=Strict; Path=/` });
    }
    return answer(404, "nothing here");
  });
  const sockets = new WebSocketServer({ server, perMessageDeflate: false, handleProtocols: (names) => [...names][0] });
  sockets.on("connection", (socket, request) => peer.connect(socket, request));
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return Object.assign(peer, {
    address: `http://127.0.0.1:${server.address().port}`,
    port: server.address().port,
    /** As the edge that is killed: no close frame, nothing listens. */
    async stop() {
      for (const client of sockets.clients) client.terminate();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}

const COMMON = {
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), microphone=(), geolocation=()",
};

const consolePolicy = (host) =>
  `default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self' ws://${host}; img-src 'self' data:; font-src 'self'; frame-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'`;
const replayPolicy = (sites) =>
  `default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline' ${sites}; img-src data: blob: ${sites}; font-src data: ${sites}; media-src ${sites}; frame-src 'self'; connect-src 'none'; form-action 'none'; base-uri 'none'; frame-ancestors 'self'`;

async function bodyOf(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

function createPeer(tokens) {
  const waiters = new Set();
  const told = () => {
    for (const waiter of [...waiters]) waiter();
  };
  const peer = {
    account: ACCOUNT,
    tokens,
    requests: [],
    refusal: undefined,
    sessions: [],
    /** Open sockets of each kind, and all that was said on them. */
    desks: new Set(),
    watches: new Set(),
    said: [],
    closes: [],
    /** Answers a `join`; a test puts its own here. */
    join: (watch, { session, key }) => {
      const found = peer.sessions.find((view) => view.id === session || view.key === key);
      if (!found) return watch.refuse({ code: "unknown", text: "there is no such session in your groups" });
      watch.say({ type: "joined", session: found });
    },
    logIn() {
      peer.tokens.push(`token${peer.tokens.length}`);
      return peer.tokens.at(-1);
    },
    logOut() {
      peer.tokens.length = 0;
      for (const { socket } of [...peer.desks, ...peer.watches]) socket.close(4401);
    },
    knows: (request) => peer.tokens.some((token) => (request.headers.cookie ?? "").includes(token)),
    connect(socket, request) {
      if (!peer.knows(request)) return socket.close(4401);
      const isDesk = request.url === "/api/desk";
      const kind = isDesk ? peer.desks : peer.watches;
      const say = (message) => socket.send(JSON.stringify(message));
      const link = {
        socket,
        say,
        send: (...frames) => frames.forEach((bytes) => socket.send(bytes)),
        refuse: (refusal) => {
          say({ type: "refused", ...refusal });
          socket.close(4403);
        },
        end: (by) => {
          say({ type: "ended", by });
          socket.close(4410);
        },
      };
      kind.add(link);
      socket.on("message", (data) => {
        const message = JSON.parse(data.toString());
        peer.said.push(message);
        if (message.type === "join") peer.join(link, message);
        told();
      });
      socket.on("close", (code) => {
        kind.delete(link);
        peer.closes.push(code);
        told();
      });
      if (isDesk) {
        say({ type: "account", account: peer.account });
        say({ type: "sessions", sessions: peer.sessions, more: 0 });
      }
      told();
    },
    list(sessions, more = 0) {
      peer.sessions = sessions;
      for (const desk of peer.desks) desk.say({ type: "sessions", sessions, more });
    },
    watch: () => [...peer.watches].at(-1),
    saidOf: (type) => peer.said.filter((message) => message.type === type),
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
  };
  return peer;
}
