// The built `cobrowse-edge demo` on free ports.

import { start } from "./binary.mjs";

/**
 * The running demo: `edge`, `tls`, `admin` and `origin` are addresses without a slash at the end; `console` too, with
 * its `agents`, where the demo runs its own sessions.
 */
export function startDemo(...more) {
  const listeners = ["--listen", "--listen-tls", "--admin", "--agents"].filter((flag) => !more.includes(flag));
  const flags = listeners.flatMap((flag) => [flag, "127.0.0.1:0"]);
  const parseAll = ({ stdout }) => {
    const addresses = parseAddresses(stdout);
    const desk = more.includes("--stand-in") ? {} : parseDesk(stdout);
    return addresses && desk && { ...addresses, ...desk };
  };
  return start(["demo", ...flags, ...more], parseAll);
}

/** The console's address and who may log in there, or nothing while not all of it is said. */
export function parseDesk(text) {
  const console = text.match(/agents' console +(http:\/\/127\.0\.0\.1:\d+)\n/)?.[1];
  if (!console || !text.includes("Log in there")) return undefined;
  const lines = text.matchAll(/^ +agent (\S+) +password (\S+) +groups ([\d, ]+)$/gm);
  const agents = [...lines].map(([, name, password, groups]) => ({ name, password, groups: groups.split(", ").map(Number) }));
  return { console, agents };
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
