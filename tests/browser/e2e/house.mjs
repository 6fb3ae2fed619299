// A whole house for end-to-end tests: an origin, the built edge with its sessions and its agents, and all
// that it leaves behind.

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { keep } from "../binary.mjs";
import { heardOnSockets } from "./people.mjs";

const BINARY = process.env.COBROWSE_EDGE ?? fileURLToPath(new URL("../../../target/debug/cobrowse-edge", import.meta.url));
const PATIENCE_MS = 30_000;

export const RETAIL = 15687;
export const ADVISERS = 15688;
export const CHAT = 15691;

/** What must never leave the visitor's browser: values of fields that are masked for everybody. */
export const SECRETS = ["SECRET-ssn-0417", "SECRET-income-0418", "SECRET-typed-0419", "SECRET-password-0420", "SECRET-query-0421"];
/** What one group must not see, by group. */
export const HIDDEN = { [RETAIL]: "SECRET-retail-0422", [ADVISERS]: "SECRET-advisers-0423" };

const PAGES = {
  "/": `<h1>Old County Bank</h1><p>Welcome</p><a href="/mortgage/apply">Mortgage</a>`,
  "/mortgage/apply": `<h1>Apply for a mortgage</h1><p id="news">Rates are low</p>
    <input id="ssn" value="${SECRETS[0]}"><p class="income">${SECRETS[1]}</p><input id="password" type="password">
    <p class="not-retail">${HIDDEN[RETAIL]}</p><p class="not-advisers">${HIDDEN[ADVISERS]}</p>
    <img id="logo" alt="logo" src="/logo.svg"><input id="open" value=""><div class="later">LATER-0424</div><a id="calculate" href="/mortgage/calculators/payment">Calculate</a>`,
  "/mortgage/second": `<h1>Second step</h1><input id="ssn" value="${SECRETS[0]}"><a href="/mortgage/apply">Back</a>`,
  "/mortgage/calculators/payment": `<h1>Payment calculator</h1><p>${SECRETS[1]}</p><a href="/mortgage/apply">Back</a>`,
  "/chat/room": `<h1>Chat</h1>`,
};

const LOGO = `<svg xmlns="http://www.w3.org/2000/svg" width="120" height="40"><rect width="120" height="40" fill="#123c69"/></svg>`;

const rules = (origin, more = "") => `
version = 1
[defaults]
masks = ["input[type=password]"]
[script]
kind = "edge"
url = "/_cobrowse/CobrowseJS.ashx?group={group}&site={site}"
[[group]]
id = ${RETAIL}
name = "Retail support"
masks = [".not-retail"]
[[group]]
id = ${ADVISERS}
name = "Mortgage advisers"
masks = [".not-advisers"]
[[group]]
id = ${CHAT}
name = "Chat room"
[[site]]
hosts = ["127.0.0.1"]
origin = "${origin}"
group = ${RETAIL}
masks = ["#ssn"${more}]
  [[site.rule]]
  name = "mortgage desk"
  path = "/mortgage/**"
  additional_groups = [${ADVISERS}]
  masks = [".income"]
  [[site.rule]]
  name = "no cobrowse on calculators"
  path = "/mortgage/calculators/**"
  inject = false
  [[site.rule]]
  name = "chat"
  path = "/chat/**"
  group = ${CHAT}
`;

/** Two hosts of one domain, which share their sessions. */
const shared = (origin) => `
[[site]]
hosts = ["www.bank.test", "apply.bank.test"]
origin = "${origin}"
group = ${RETAIL}
masks = ["#ssn", ".income"]
tag = { cookiedomain = "bank.test" }
[[site]]
hosts = ["other.bank.test"]
origin = "${origin}"
group = ${RETAIL}
masks = ["#ssn", ".income"]
`;

const settings = (site, agents, filter) => `
rules = "rules"
[server]
http = ["127.0.0.1:${site}"]
drain_timeout = "200ms"
[admin]
enabled = false
[session]
backend = "embedded"
database = "cobrowse.db"
[agents]
listen = "127.0.0.1:${agents}"
[log]
filter = "${filter}"
access = "json"
`;

export const PASSWORD = "a password of 24 letters";

/** Agents by name: groups, and what they may do there. */
const AGENTS = { ada: [`${RETAIL},${ADVISERS}`], eva: [`${RETAIL}`], bo: [`${CHAT}`], ron: [`${RETAIL}`, "view"] };

export async function openHouse({ filter = "debug" } = {}) {
  const folder = await mkdtemp(join(tmpdir(), "cobrowse-e2e-"));
  const origin = await startOrigin();
  const writeSettings = (site, agents) => writeFile(join(folder, "edge.toml"), settings(site, agents, filter));
  const writeRules = (more) => writeFile(join(folder, "rules/bank.toml"), rules(origin.address, more) + shared(origin.address));
  await mkdir(join(folder, "rules"));
  await writeRules();
  await writeSettings(0, 0);
  const logs = [];
  for (const [name, [groups, may]] of Object.entries(AGENTS)) {
    const flags = ["--display-name", `${name[0].toUpperCase()}${name.slice(1)} Agent`, "--groups", groups, ...(may ? ["--may", may] : [])];
    await command(folder, ["agent", "add", name, ...flags, "--database", join(folder, "cobrowse.db")], `${PASSWORD}\n`);
  }
  const house = {
    folder,
    /** The cookies with which the picture on the page was asked for, by visitors and agents. */
    logoCookies: origin.logoCookies,
    site: undefined,
    agents: undefined,
    writeRules,
    edge: undefined,
    async start() {
      const { child, site, agents } = await startEdge(folder, logs);
      Object.assign(house, { edge: child, site, agents });
      // After a restart it must be where it was.
      await writeSettings(new URL(site).port, new URL(agents).port);
      await Promise.all([answers(`${house.site}/`), answers(`${house.agents}/`)]);
    },
    /** As the machine that loses its power. */
    async kill() {
      const ended = once(house.edge, "exit");
      house.edge.kill("SIGKILL");
      await ended;
    },
    /** What an operator says at another terminal, while the edge runs. */
    command: (...args) => command(folder, [...args, "--database", join(folder, "cobrowse.db")], ""),
    reload: () => house.edge.kill("SIGHUP"),
    /** All that was logged, and every file that the edge wrote. */
    async leftBehind() {
      const left = new Map([["log", Buffer.from(logs.join(""))]]);
      for (const name of await readdir(folder)) {
        if (name.startsWith("cobrowse.db")) left.set(name, await readFile(join(folder, name)));
      }
      return left;
    },
    async close() {
      if (house.edge.exitCode === null && house.edge.signalCode === null) await house.kill();
      for (const [name, bytes] of await house.leftBehind()) keep(name === "log" ? "e2e.log" : name, bytes);
      keep("e2e.sockets", heardOnSockets.join("\n"));
      await origin.stop();
      await rm(folder, { recursive: true });
    },
  };
  await house.start();
  return house;
}

async function startOrigin() {
  const logoCookies = [];
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, "http://origin");
    if (pathname === "/logo.svg") logoCookies.push(request.headers.cookie ?? "");
    if (pathname === "/logo.svg") return response.writeHead(200, { "content-type": "image/svg+xml" }).end(LOGO);
    const body = PAGES[pathname];
    response.writeHead(body ? 200 : 404, { "content-type": "text/html; charset=utf-8", "cache-control": "no-cache" });
    response.end(body ? `<!doctype html><html><head><title>Bank</title></head><body>${body}</body></html>` : "nothing here");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    logoCookies,
    address: `http://127.0.0.1:${server.address().port}`,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** On the ports of the settings; where they are 0, on those that the edge tells. */
async function startEdge(folder, logs) {
  const child = spawn(BINARY, ["serve", "--config", join(folder, "edge.toml")], { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  const said = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text) => {
      logs.push(text);
      said.push(text);
    });
  }
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`the edge does not start\n${said.join("")}`)), PATIENCE_MS);
    child.on("exit", (code) => reject(new Error(`the edge ended with ${code}\n${said.join("")}`)));
    child.stdout.on("data", () => {
      const text = said.join("");
      const [site, agents] = ["listening", "agents"].map((name) => new RegExp(`^${name} on (http://127\\.0\\.0\\.1:\\d+)$`, "m").exec(text));
      if (!site || !agents) return;
      clearTimeout(timer);
      resolve({ child, site: site[1], agents: agents[1] });
    });
  });
}

async function answers(url) {
  const until = Date.now() + PATIENCE_MS;
  while (!(await fetch(url).then(() => true, () => false))) {
    if (Date.now() > until) throw new Error(`${url} does not answer`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function command(cwd, args, input) {
  return new Promise((resolve, reject) => {
    const child = execFile(BINARY, args, { cwd }, (error, stdout, stderr) => (error ? reject(new Error(`${args.join(" ")}: ${stderr}`)) : resolve(stdout)));
    // A command that reads nothing may have ended before.
    child.stdin.on("error", () => undefined).end(input);
  });
}
