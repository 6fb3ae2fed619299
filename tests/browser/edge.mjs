// The built `cobrowse-edge serve` on free ports.

import { start } from "./binary.mjs";

const PLACES = ["--listen", "127.0.0.1:0", "--listen-tls", "127.0.0.1:0", "--admin", "off"];

/** The running edge: `http` and `tls` are addresses without a slash at the end. */
export function startEdge(flags) {
  return start(["serve", ...flags, ...PLACES], ({ stdout }) => {
    const found = [/http:\/\/127\.0\.0\.1:\d+(?=\s)/, /https:\/\/127\.0\.0\.1:\d+(?=\s)/];
    const [http, tls] = found.map((pattern) => stdout.match(pattern)?.[0]);
    return http && tls && { http, tls };
  });
}
