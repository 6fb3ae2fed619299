// Starts the built `cobrowse-edge demo` on free ports and ends it as a person would, by Ctrl-C.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const BINARY =
  process.env.COBROWSE_EDGE ??
  fileURLToPath(new URL("../../target/debug/cobrowse-edge", import.meta.url));
const PATIENCE_MS = 30_000;

/** The running demo: `edge`, `tls`, `admin` and `origin` are addresses without a slash at the end. */
export async function startDemo() {
  const flags = ["--listen", "--listen-tls", "--admin"].flatMap((flag) => [flag, "127.0.0.1:0"]);
  const child = spawn(BINARY, ["demo", ...flags], { stdio: ["ignore", "pipe", "pipe"] });
  const said = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"]) {
    child[name].setEncoding("utf8").on("data", (text) => (said[name] += text));
  }
  const ended = once(child, "exit");
  const addresses = await addressesIn(child, said, ended).catch((error) => {
    child.kill("SIGKILL");
    throw error;
  });
  return { ...addresses, stop: () => stop(child, ended, said) };
}

function addressesIn(child, said, ended) {
  return new Promise((resolve, reject) => {
    const fail = (why) => reject(new Error(`${why}\n${said.stdout}\n${said.stderr}`));
    const timer = setTimeout(() => fail("the demo did not tell its addresses"), PATIENCE_MS);
    const look = () => {
      const found = parseAddresses(said.stdout);
      if (!found) return;
      clearTimeout(timer);
      resolve(found);
    };
    child.stdout.on("data", look);
    const gone = (why) => {
      clearTimeout(timer);
      fail(why);
    };
    ended.then(([code]) => gone(`the demo ended with ${code}`), (error) => gone(error.message));
  });
}

/** All four addresses, or nothing while one is missing. */
export function parseAddresses(text) {
  const address = (pattern) => text.match(pattern)?.[1];
  const found = {
    edge: address(/(?<!origin |admin )(http:\/\/127\.0\.0\.1:\d+)(?!\d)/),
    tls: address(/(https:\/\/127\.0\.0\.1:\d+)(?!\d)/),
    admin: address(/admin (http:\/\/127\.0\.0\.1:\d+)(?!\d)/),
    origin: address(/origin (http:\/\/127\.0\.0\.1:\d+)\s/),
  };
  return Object.values(found).every(Boolean) ? found : undefined;
}

/** Resolves with the exit code, null where the demo had to be killed. */
async function stop(child, ended, said) {
  if (child.exitCode !== null) throw new Error(`the demo had ended already\n${said.stderr}`);
  child.kill("SIGINT");
  const timer = setTimeout(() => child.kill("SIGKILL"), 5_000);
  const [code] = await ended;
  clearTimeout(timer);
  return code;
}
