// Starts the built binary on free ports and ends it as a person would, by Ctrl-C.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const BINARY =
  process.env.COBROWSE_EDGE ??
  fileURLToPath(new URL("../../target/debug/cobrowse-edge", import.meta.url));
const PATIENCE_MS = 30_000;
/** Where tests/leaks.mjs looks for what must not be there. */
const KEPT = process.env.COBROWSE_TEST_KEEP;
let number = 0;

/** Keeps what is left of a test; a name says what it is: `.log`, `.sockets`, `cobrowse.db`. */
export function keep(name, bytes) {
  if (!KEPT) return;
  mkdirSync(KEPT, { recursive: true });
  number += 1;
  writeFileSync(join(KEPT, `${process.pid}-${number}-${name}`), bytes);
}

/** Runs a command; resolves once `addresses` finds all it looks for in what is said by then. */
export async function start(command, addresses) {
  const child = spawn(BINARY, command, { stdio: ["ignore", "pipe", "pipe"] });
  const said = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"]) {
    child[name].setEncoding("utf8").on("data", (text) => (said[name] += text));
  }
  const ended = once(child, "exit");
  ended.then(() => keep(`${command[0]}.log`, said.stdout + said.stderr), () => undefined);
  const found = await addressesIn(child, said, ended, addresses).catch((error) => {
    child.kill("SIGKILL");
    throw error;
  });
  return { ...found, stop: () => stop(child, ended, said), kill: () => kill(child, ended) };
}

function addressesIn(child, said, ended, addresses) {
  return new Promise((resolve, reject) => {
    const fail = (why) => {
      clearTimeout(timer);
      reject(new Error(`${why}\n${said.stdout}\n${said.stderr}`));
    };
    const timer = setTimeout(() => fail("it did not tell its addresses"), PATIENCE_MS);
    const look = () => {
      const found = addresses(said);
      if (!found) return;
      clearTimeout(timer);
      resolve(found);
    };
    child.stdout.on("data", look);
    child.stderr.on("data", look);
    ended.then(([code]) => fail(`it ended with ${code}`), (error) => fail(error.message));
  });
}

/** As if the power went. */
async function kill(child, ended) {
  child.kill("SIGKILL");
  await ended;
}

/** Resolves with the exit code, null where it had to be killed. */
async function stop(child, ended, said) {
  if (child.exitCode !== null) throw new Error(`it had ended already\n${said.stderr}`);
  child.kill("SIGINT");
  const timer = setTimeout(() => child.kill("SIGKILL"), 5_000);
  const [code] = await ended;
  clearTimeout(timer);
  return code;
}
