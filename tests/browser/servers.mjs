// What tests of the tag's script need besides the edge: an origin that serves pages under any head, a
// host for the script, and a host that nobody grants anything.

import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";

/** The script: does all that a cobrowse script does, and says how it went. */
const LOADER = `(() => {
  const tag = document.currentScript;
  const beside = (name) => new URL(name, tag.src).href;
  const loaded = (name, properties) =>
    new Promise((done) => {
      const element = Object.assign(document.createElement(name), properties);
      element.onload = () => done("loaded");
      element.onerror = () => done("failed");
      document.body.append(element);
    });
  const framed = () =>
    new Promise((done) => {
      addEventListener("message", ({ data }) => data === "framed" && done("loaded"));
      const frame = document.createElement("iframe");
      frame.src = beside("frame.html");
      document.body.append(frame);
    });
  const socket = () =>
    new Promise((done) => {
      const socket = new WebSocket(beside("socket").replace(/^http/, "ws"));
      socket.onopen = () => done("open");
      socket.onerror = () => done("failed");
    });
  const runs = (window.__cobrowse?.runs ?? 0) + 1;
  const seen = (window.__cobrowse = { runs });
  const all = {
    script: loaded("script", { src: beside("more.js") }),
    style: loaded("link", { rel: "stylesheet", href: beside("style.css") }),
    img: loaded("img", { src: beside("pixel.svg") }),
    frame: framed(),
    fetch: fetch(beside("data.json")).then((answer) => answer.json(), () => "failed"),
    socket: socket(),
  };
  Promise.all(Object.values(all)).then((values) => {
    Object.keys(all).forEach((name, at) => (seen[name] = values[at]));
    seen.done = true;
  });
})();`;

export const LOADER_HASH = `sha256-${createHash("sha256").update(LOADER).digest("base64")}`;

/** By the end of a path: type and content. */
const FILES = [
  [/loader\.js$/, "text/javascript", LOADER],
  [/worker\.js$/, "text/javascript", "postMessage(1)"],
  [/\.js$/, "text/javascript", "window[document.currentScript.src] = 1;"],
  [/own\.css$/, "text/css", "p { margin: 1px }"],
  [/x\.css$/, "text/css", "p { padding: 1px }"],
  [/\.css$/, "text/css", "button { margin: 1px }"],
  [/\.svg$/, "image/svg+xml", '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>'],
  [/\.json$/, "application/json", '"fetched"'],
  [/frame\.html$/, "text/plain", "framed"],
];

/**
 * A server of the files, for every origin. `pages` answers what is none of them; `asked` are the
 * targets of all requests.
 */
export async function serve(pages) {
  const asked = [];
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, "http://a");
    asked.push(request.url);
    const { origin } = request.headers;
    response.setHeader("access-control-allow-origin", origin ?? "*");
    if (origin) response.setHeader("access-control-allow-credentials", "true");
    response.setHeader("cache-control", "no-store");
    if (pathname.endsWith("/frame.html")) return sendFrame(response);
    const file = FILES.find(([end]) => end.test(pathname));
    if (!file) return pages(pathname, response, request);
    response.setHeader("content-type", file[1]);
    response.end(file[2]);
  });
  server.on("upgrade", (request, socket) => {
    const key = request.headers["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    const accept = createHash("sha1").update(key).digest("base64");
    const head = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"];
    socket.on("error", () => {});
    // Who does not read does not hear that the other side has gone.
    socket.on("end", () => socket.end()).resume();
    socket.write([...head, `Sec-WebSocket-Accept: ${accept}`, "", ""].join("\r\n"));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const stop = () => {
    server.closeAllConnections();
    server.close();
  };
  return { port: server.address().port, asked, stop };
}

function sendFrame(response) {
  response.setHeader("content-type", "text/html");
  // Its own tag would open frames in it without end.
  response.setHeader("cache-control", "no-transform");
  response.end('<script>parent.postMessage("framed", "*")</script>');
}

export function notFound(_, response) {
  response.statusCode = 404;
  response.end();
}
