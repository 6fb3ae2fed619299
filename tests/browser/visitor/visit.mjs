// A visitor who starts a session, and what the page heard.

import { newPage } from "../browser.mjs";

const EVENTS =
  "sessionstarting sessionstart sessioncontinue statereceived leavesession sessionend error connection agents blur focus rcrequested rc";

/** Opens a page and listens to everything that the visitor's script says. */
export async function visit(browser, url, context) {
  const visitor = context ? await context.newPage() : await newPage(browser);
  visitor.problems = [];
  visitor.on("pageerror", (problem) => visitor.problems.push(`${problem}`));
  visitor.on("console", (message) => {
    if (/Content Security Policy|Uncaught|^cobrowse:/.test(message.text())) visitor.problems.push(message.text());
  });
  await visitor.addInitScript(listen, EVENTS.split(" "));
  await visitor.goto(url);
  return visitor;
}

function listen(names) {
  window.heard = [];
  window.roots = [];
  const attachShadow = Element.prototype.attachShadow;
  // The closed root of the user interface, for the tests only; put back once it is there.
  Element.prototype.attachShadow = function (options) {
    const root = attachShadow.call(this, options);
    if (this.localName === "glance-cobrowse") window.ui = root;
    return root;
  };
  document.addEventListener("readystatechange", () => {
    if (document.readyState !== "interactive" || !window.GLANCE) return;
    for (const name of names) {
      window.GLANCE.Cobrowse.Visitor.addEventListener(name, (payload) => window.heard.push(payload === undefined ? [name] : [name, payload]));
    }
  });
}

/** Calls a function of the visitor's API in the page. */
export function call(visitor, name, ...args) {
  return visitor.evaluate(([called, given]) => window.GLANCE.Cobrowse.Visitor[called](...given), [name, args]);
}

/** Names of the events so far, or the payloads of one of them. */
export const heard = (visitor) => visitor.evaluate(() => window.heard.map(([name]) => name));
export const payloads = (visitor, wanted) =>
  visitor.evaluate((name) => window.heard.filter(([other]) => other === name).map(([, payload]) => payload), wanted);

export const waitFor = (visitor, name, count = 1) =>
  visitor.waitForFunction(([wanted, times]) => window.heard.filter(([other]) => other === wanted).length >= times, [name, count]);

/** A session that an agent watches. */
export async function live(peer, visitor, params) {
  await call(visitor, "startSession", ...(params === undefined ? [] : [params]));
  await peer.until((that) => that.tabs.size > 0, "a socket");
  await waitFor(visitor, "sessionstart");
  if (!peer.agents.length) peer.join();
  await peer.until((that) => that.snapshots() > 0, "a snapshot");
}

/** Waits until all that happened on the page has been sent. */
export async function settled(visitor, peer) {
  const mark = `settled-${Math.random().toString(36).slice(2)}`;
  await visitor.evaluate((className) => {
    document.body.append(Object.assign(document.createElement("hr"), { className }));
  }, mark);
  await peer.until((that) => that.text().includes(mark), mark);
}

/** What would have been sent by now has been sent: several batches could have left. */
export const batchesLater = (visitor) => visitor.evaluate(() => new Promise((resolve) => setTimeout(resolve, 400)));
