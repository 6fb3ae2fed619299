// The system's Chromium, kept from everything that is not the test's business.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants, mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

import { chromium } from "playwright-core";

const NAMES = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** `flags`: more of them, for the browser itself. */
export function launchBrowser({ flags = [], ...options } = {}) {
  return chromium.launch({ executablePath: findChromium(), args: [...FLAGS, ...flags], ...options });
}

/** A page of the size for which the bank looks its best, in a context of its own. */
export async function newPage(browser) {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 900 },
    ignoreHTTPSErrors: true,
  });
  return context.newPage();
}

/**
 * Opens an address in a browser that nobody watches, and closes it once `done` is: what is prerendered
 * waits for ever where somebody does.
 */
export async function openAlone(address, done) {
  const profile = mkdtempSync(join(tmpdir(), "cobrowse-edge-alone-"));
  const flags = ["--headless", "--remote-debugging-port=0", `--user-data-dir=${profile}`];
  const given = [...FLAGS, ...flags, address];
  const child = spawn(findChromium(), given, { stdio: "ignore", detached: true });
  const ended = once(child, "exit");
  try {
    return await done;
  } finally {
    // And all the processes that it has started.
    process.kill(-child.pid, "SIGKILL");
    await ended;
    await rm(profile, { recursive: true, force: true, maxRetries: 20 });
  }
}

function findChromium() {
  if (process.env.CHROMIUM) return process.env.CHROMIUM;
  const folders = (process.env.PATH ?? "").split(delimiter);
  const places = NAMES.flatMap((name) => folders.map((folder) => join(folder, name)));
  const found = places.find(isExecutable);
  if (!found) throw new Error(`no browser found: install chromium, or set CHROMIUM to its path`);
  return found;
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
