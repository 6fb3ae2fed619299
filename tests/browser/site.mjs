// The built edge with rules of a test's own, in front of an origin that the test writes.

import { once } from "node:events";
import { createServer } from "node:http";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { start } from "./binary.mjs";

const PATIENCE_MS = 30_000;

/** `answer(request, response)` is the site; `seen` are the requests that it got, with statuses. */
export async function startOrigin(answer) {
  const seen = [];
  const server = createServer((request, response) => {
    const noted = { path: request.url, headers: request.headers, status: undefined };
    seen.push(noted);
    response.on("finish", () => (noted.status = response.statusCode));
    answer(request, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const stop = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  return { address: `http://127.0.0.1:${server.address().port}`, seen, stop };
}

/** `site` is what stands in the site's table besides hosts and origin; `write` changes it. */
export async function startEdge(origin, site) {
  const folder = await mkdtemp(join(tmpdir(), "cobrowse-edge-"));
  const head = `version = 1\n[script]\nurl = "/loader.js"\n[[site]]\nhosts = ["*"]\n`;
  const write = (text) =>
    writeFile(join(folder, "rules", "site.toml"), `${head}origin = "${origin}"\n${text}\n`);
  await mkdir(join(folder, "rules"));
  await write(site);
  const settings = `[server]\nhttp = ["127.0.0.1:0"]\n[admin]\nlisten = "127.0.0.1:0"\n`;
  await writeFile(join(folder, "edge.toml"), settings);
  const command = ["serve", "--config", join(folder, "edge.toml")];
  const edge = await start(command, ({ stdout }) => {
    const found = stdout.match(/listening on (http:\/\/127\.0\.0\.1:\d+)\n/);
    return found && { address: found[1] };
  });
  const stop = async () => {
    const code = await edge.stop();
    await rm(folder, { recursive: true });
    return code;
  };
  return { address: edge.address, write, stop };
}

/** Asks past every store until the edge answers with this in the page. */
export async function untilServed(address, text) {
  const until = Date.now() + PATIENCE_MS;
  while (Date.now() < until) {
    const answer = await fetch(address, { headers: { accept: "text/html", "sec-fetch-dest": "document" } });
    if ((await answer.text()).includes(text)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${address} was never served with ${text}`);
}
