// The built `cobrowse-edge demo` on free ports.

import { start } from "./binary.mjs";

/** The running demo: `edge`, `tls`, `admin` and `origin` are addresses without a slash at the end. */
export function startDemo(...more) {
  const listeners = ["--listen", "--listen-tls", "--admin", "--agents"].filter((flag) => !more.includes(flag));
  const flags = listeners.flatMap((flag) => [flag, "127.0.0.1:0"]);
  return start(["demo", ...flags, ...more], ({ stdout }) => parseAddresses(stdout));
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
