// A session from the visitor's side: starting, going on, pausing, ending, and what the page is told.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { launchBrowser } from "../browser.mjs";
import { bundles, page, startPeer, tag } from "./peer.mjs";
import { batchesLater, call, heard, live, payloads, settled, visit, waitFor } from "./visit.mjs";

let browser, scripts;
before(async () => {
  [browser, scripts] = await Promise.all([launchBrowser(), bundles()]);
});
after(() => browser?.close());

const TWO = { "data-additionalgroupids": "2,3" };
const PAGES = {
  "/": page("<h1>first page</h1><input id=field>", { attributes: TWO }),
  "/second": page("<h1>second page</h1>", { attributes: TWO }),
  "/only-one": page("<h1>page of group one</h1>"),
  "/bare": "<!doctype html><h1>no tag here</h1>",
};

async function scene(t, { path = "/", pages = PAGES, ...options } = {}) {
  const peer = await startPeer({ scripts, pages, ...options });
  t.after(() => peer.stop());
  const visitor = await visit(browser, peer.address + path);
  t.after(() => visitor.context().close());
  return { peer, visitor };
}

async function started(t, options) {
  const all = await scene(t, options);
  await live(all.peer, all.visitor, options?.params);
  return all;
}

test("before a session there is nothing but the loader", async (t) => {
  const peer = await startPeer({ scripts, pages: PAGES });
  t.after(() => peer.stop());
  const facts = async (url) => {
    const context = await browser.newContext();
    const visitor = await context.newPage();
    await visitor.addInitScript(() => {
      window.observers = 0;
      for (const name of ["MutationObserver", "IntersectionObserver", "ResizeObserver", "PerformanceObserver"]) {
        window[name] = new Proxy(window[name], {
          construct: (target, args) => {
            window.observers += 1;
            return new target(...args);
          },
        });
      }
    });
    await visitor.goto(url, { waitUntil: "load" });
    const found = await visitor.evaluate(() => ({
      globals: Object.getOwnPropertyNames(window).sort(),
      observers: window.observers,
      storage: [localStorage.length, sessionStorage.length, document.cookie],
      patched: [Element, Node, Document, HTMLInputElement, CSSStyleSheet, CSSStyleDeclaration, Array, History, Storage]
        .flatMap((type) => Object.entries(Object.getOwnPropertyDescriptors(type.prototype)))
        .flatMap(([name, { get, set, value }]) => [get, set, value].filter((part) => typeof part === "function").map((part) => [name, part]))
        .filter(([, part]) => !Function.prototype.toString.call(part).includes("[native code]"))
        .map(([name]) => name),
      elements: document.querySelectorAll("*").length,
    }));
    await context.close();
    return found;
  };
  const bare = await facts(`${peer.address}/bare`);
  peer.requests.length = 0;
  const tagged = await facts(`${peer.address}/only-one`);
  assert.deepEqual(tagged.globals.filter((name) => !bare.globals.includes(name)), ["GLANCE"]);
  assert.deepEqual([tagged.observers, tagged.patched, tagged.storage], [0, [], [0, 0, ""]]);
  const paths = peer.requests.map((request) => request.path).filter((path) => path !== "/favicon.ico");
  assert.deepEqual(paths, ["/only-one", "/_cobrowse/CobrowseJS.ashx?group=1&site=production"]);
});

test("a session adds nothing to the page's globals", async (t) => {
  const { peer, visitor } = await scene(t);
  const names = () => visitor.evaluate(() => Object.getOwnPropertyNames(window).filter((name) => name !== "ui").sort());
  const before = await names();
  await live(peer, visitor);
  await settled(visitor, peer);
  assert.deepEqual(await names(), before);
  await call(visitor, "stopSession");
  assert.deepEqual(await names(), before);
});

test("what is about a session is forgotten without one", async (t) => {
  const { peer, visitor } = await scene(t);
  for (const name of ["crossDomain", "viewPDF", "viewXLS", "pauseSession", "stopSession", "sendSessionMessage"]) {
    await call(visitor, name, { url: "/second", pause: true });
  }
  assert.equal(await visitor.evaluate(() => GLANCE.Cobrowse.Loader.queue.length), 0);
  await live(peer, visitor);
  assert.equal(new URL(visitor.url()).pathname, "/");
  assert.equal(await call(visitor, "isSessionPaused"), false);
});

test("a tab that has not joined the session can end it", async (t) => {
  const { peer, visitor } = await scene(t);
  const other = await visit(browser, `${peer.address}/second`, visitor.context());
  await live(peer, visitor);
  assert.equal(await other.evaluate(() => GLANCE.Cobrowse.Visitor.loaded), false);
  await call(other, "stopSession");
  await peer.until((that) => that.ends.length === 1);
  await waitFor(visitor, "sessionend");
  await waitFor(other, "sessionend");
  assert.equal(await call(other, "inSession"), false);
});

test("agentjoin is told to pages for older versions", async (t) => {
  const { peer, visitor } = await scene(t);
  await visitor.evaluate(() => {
    window.joins = [];
    GLANCE.Cobrowse.Visitor.addEventListener("agentjoin", (...args) => window.joins.push(args.length && args[0] !== undefined));
  });
  await live(peer, visitor);
  peer.join("Bea Agent");
  await visitor.waitForFunction(() => window.joins.length === 2);
  peer.leave();
  await waitFor(visitor, "agents", 4);
  assert.deepEqual(await visitor.evaluate(() => window.joins), [false, false]);
});

test("a page that only the backend refuses hears why, and shows nothing", async (t) => {
  const grant = { "data-additionalgroupids": "2,3", "data-grant": "v1.test.1.mac" };
  const { peer, visitor } = await started(t, { params: { groupid: 2 }, pages: { ...PAGES, "/changed": page("<h1>changed page</h1>", { attributes: grant }) } });
  await visitor.goto(`${peer.address}/changed`);
  await waitFor(visitor, "error");
  const [error] = await payloads(visitor, "error");
  assert.deepEqual([error.code, error.params], ["groupid", { groupid: 2 }]);
  peer.say({ type: "state", state: "live" });
  peer.say({ type: "watch", watched: true });
  await batchesLater(visitor);
  assert.ok(!peer.text().includes("changed page"));
  assert.ok(!peer.said.some(({ type }) => type === "refuse"));
  await visitor.goto(`${peer.address}/second`);
  await waitFor(visitor, "sessioncontinue");
});

test("a start tells what happens, in order", async (t) => {
  const { peer, visitor } = await scene(t);
  assert.deepEqual(
    await visitor.evaluate(() => {
      const { Visitor, VisitorUI } = GLANCE.Cobrowse;
      return [Visitor.loaded, Visitor.inSession(), typeof Visitor.VERSION, typeof GLANCE.VERSION, VisitorUI.loaded];
    }),
    [false, false, "string", "string", false],
  );
  await live(peer, visitor);
  assert.deepEqual((await heard(visitor)).slice(0, 4), ["sessionstarting", "sessionstart", "sessioncontinue", "agents"]);
  assert.deepEqual(
    await visitor.evaluate(() => {
      const { Visitor } = GLANCE.Cobrowse;
      return [Visitor.loaded, Visitor.inSession(), Visitor.getKey(), Visitor.sessionGroupId(), Visitor.getSessionState().state];
    }),
    [true, true, "12345", 1, "live"],
  );
  const agents = (await payloads(visitor, "agents")).at(-1);
  assert.deepEqual([agents.count, agents.agentlist[0].name], [1, "Anna Agent"]);
  assert.deepEqual(visitor.problems, []);
});

for (const [groupid, allowed] of [[2, true], ["3", true], [1, true], [" 2 ", true], [4, false], ["x", false], [0, false], ["02", false], [1.5, false], [true, false], [[2], false]]) {
  test(`a start in group ${JSON.stringify(groupid)} is ${allowed ? "allowed" : "refused"}`, async (t) => {
    const { peer, visitor } = await scene(t);
    await call(visitor, "startSession", { groupid });
    if (allowed) {
      await waitFor(visitor, "sessionstart");
      assert.equal(peer.starts[0].group, Number(groupid));
      return;
    }
    await waitFor(visitor, "error");
    const [error] = await payloads(visitor, "error");
    assert.equal(error.code, "groupid");
    assert.deepEqual(error.params, { groupid, allowed: [1, 2, 3] });
    assert.deepEqual(await heard(visitor), ["error"]);
    assert.deepEqual(peer.starts, []);
  });
}

test("parameters of a start come from the call, from setStartParams and from the page", async (t) => {
  const { peer, visitor } = await scene(t);
  await visitor.evaluate(() => (window.GLANCE_COBROWSE = { visitorid: "59204gh-42", name: "Ann", email: "a@x.example", phone: "1" }));
  await call(visitor, "setStartParams", { groupid: 2, sessionKey: 777, name: "Bea" });
  await live(peer, visitor);
  const [asked] = peer.starts;
  assert.deepEqual([asked.group, asked.key, asked.visitor], [2, "777", { id: "59204gh-42", name: "Bea", email: "a@x.example", phone: "1" }]);
});

test("setStartParams without parameters clears them", async (t) => {
  const { peer, visitor } = await scene(t);
  await call(visitor, "setStartParams", { groupid: 2, sessionKey: "mine", name: "Bea" });
  await call(visitor, "setStartParams");
  await live(peer, visitor);
  assert.deepEqual([peer.starts[0].group, peer.starts[0].key, peer.starts[0].visitor], [1, undefined, {}]);
});

test("a listener that was taken away hears nothing more", async (t) => {
  const { peer, visitor } = await scene(t);
  await visitor.evaluate(() => {
    const { Visitor } = GLANCE.Cobrowse;
    window.counts = { kept: 0, gone: 0, once: 0, later: 0 };
    const gone = () => (window.counts.gone += 1);
    const later = () => (window.counts.later += 1);
    const once = () => {
      window.counts.once += 1;
      Visitor.removeEventListener("agents", once);
    };
    for (const listener of [gone, once, later, () => (window.counts.kept += 1)]) Visitor.addEventListener("agents", listener);
    Visitor.removeEventListener("agents", gone);
    Visitor.removeEventListener("agents", () => undefined);
    Visitor.removeEventListener("never heard of", gone);
    Visitor.removeEventListener("sessionstart", later);
    window.later = later;
  });
  await live(peer, visitor);
  await waitFor(visitor, "agents", 2);
  await visitor.evaluate(() => GLANCE.Cobrowse.Visitor.removeEventListener("agents", window.later));
  peer.join("Bea Agent");
  await waitFor(visitor, "agents", 3);
  assert.deepEqual(await visitor.evaluate(() => window.counts), { kept: 3, gone: 0, once: 1, later: 2 });
  assert.deepEqual(visitor.problems, []);
});

test("names of the page's own objects are names of events, too", async (t) => {
  const { visitor } = await scene(t);
  await visitor.evaluate(() => {
    for (const name of ["constructor", "__proto__", "toString", "rcevent", "screenshare", "accessibility", "clickstart", "clickstop", undefined, 7]) {
      const listener = () => undefined;
      GLANCE.Cobrowse.Visitor.addEventListener(name, listener);
      GLANCE.Cobrowse.Visitor.removeEventListener(name, listener);
    }
  });
  assert.deepEqual(visitor.problems, []);
});

test("links and hot keys start in the primary group, whenever they were added", async (t) => {
  for (const trigger of ["data-glancebutton", "glance_button", "in a shadow root", "hot key"]) {
    const events = { ...TWO, "data-inputevents": '{"ctrl-13":"startSession", "shift-46":"showTerms"}' };
    const { peer, visitor } = await scene(t, { pages: { "/": page("<p>x</p>", { attributes: events }) } });
    await call(visitor, "setStartParams", { groupid: 2, sessionKey: "mine" });
    if (trigger === "hot key") {
      await visitor.keyboard.press("Control+Enter");
    } else {
      await visitor.evaluate((name) => {
        const link = document.createElement("a");
        link.href = "/elsewhere";
        link.setAttribute(name.includes(" ") ? "data-glancebutton" : name, "startSession");
        link.innerHTML = "<span id=inner>help</span>";
        if (name === "in a shadow root") {
          const shadow = link.firstChild.attachShadow({ mode: "open" });
          shadow.innerHTML = "<i>inside</i>";
        }
        link.addEventListener("click", (event) => event.stopPropagation());
        document.body.append(link);
      }, trigger);
      await visitor.click("#inner");
    }
    await waitFor(visitor, "sessionstart");
    assert.deepEqual([peer.starts[0].group, peer.starts[0].key], [1, "mine"], trigger);
    assert.equal(new URL(visitor.url()).pathname, "/");
  }
});

test("keys that break the rules are refused", async (t) => {
  const { peer, visitor } = await scene(t);
  for (const key of ["a b", "ä", "x".repeat(63), "a/b"]) await call(visitor, "startSession", key);
  await waitFor(visitor, "error", 4);
  assert.deepEqual((await payloads(visitor, "error")).map(({ code }) => code), Array(4).fill("sessionkey"));
  assert.deepEqual(peer.starts, []);
  await call(visitor, "startSession", "GLANCE_KEYTYPE_RANDOM");
  await waitFor(visitor, "sessionstart");
  assert.equal(peer.starts[0].key, undefined);
});

test("a refusal by the backend ends the start with its error", async (t) => {
  const refuse = { code: "dupkey", msg: "the key is in use" };
  const { visitor } = await scene(t, { refuse });
  await call(visitor, "startSession", "same");
  await waitFor(visitor, "error");
  assert.deepEqual(await visitor.evaluate(() => window.heard), [["sessionstarting"], ["error", refuse]]);
  assert.equal(await call(visitor, "inSession"), false);
});

test("a backend that is away is told as an error, and so is a missing script", async (t) => {
  const { peer, visitor } = await scene(t);
  await visitor.route("**/session/start", (route) => route.abort());
  await call(visitor, "startSession");
  await waitFor(visitor, "error");
  assert.equal((await payloads(visitor, "error"))[0].code, "service");

  const other = await visit(browser, "about:blank");
  t.after(() => other.context().close());
  await other.route("**/core.*.js", (route) => route.fulfill({ body: "changed on its way", contentType: "text/javascript" }));
  await other.goto(`${peer.address}/`);
  await call(other, "startSession");
  await waitFor(other, "error");
  const [error] = await payloads(other, "error");
  assert.equal(error.code, "SCRIPT_NOT_LOADED");
  assert.match(error.params.script, /^core\.[0-9a-f]{16}\.js$/);
});

test("nothing is recorded while no agent watches", async (t) => {
  const { peer, visitor } = await scene(t);
  await call(visitor, "startSession");
  await waitFor(visitor, "sessionstart");
  await visitor.evaluate(() => {
    window.natives = () => [CSSStyleSheet.prototype.insertRule, CSSStyleDeclaration.prototype.setProperty, Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set];
    window.before = window.natives();
    document.body.append("one");
  });
  await batchesLater(visitor);
  assert.equal(peer.frames.length, 0);
  peer.join();
  await peer.until((that) => that.snapshots() === 1);
  peer.leave();
  await batchesLater(visitor);
  const sent = peer.frames.length;
  await visitor.evaluate(() => document.body.append("two"));
  await batchesLater(visitor);
  assert.equal(peer.frames.length, sent);
  assert.ok(await visitor.evaluate(() => window.natives().every((native, index) => native === window.before[index])), "prototypes are as they were");
  peer.join();
  await peer.until((that) => that.snapshots() === 2);
});

test("the session goes on over pages, reloads and pages without a tag", async (t) => {
  const { peer, visitor } = await started(t);
  for (const path of ["/second", "/bare", "/", "/"]) {
    const before = peer.snapshots();
    await visitor.goto(peer.address + path);
    if (path === "/bare") continue;
    await waitFor(visitor, "sessioncontinue");
    assert.deepEqual((await heard(visitor)).slice(0, 2), ["statereceived", "sessioncontinue"]);
    await peer.until((that) => that.snapshots() > before);
  }
  await visitor.reload();
  await waitFor(visitor, "sessioncontinue");
  assert.equal(new Set(peer.said.filter(({ type }) => type === "hello").map(({ tab }) => tab)).size, 1);
  assert.deepEqual(peer.closes.filter((code) => code !== 4001), []);
  assert.deepEqual(visitor.problems, []);
});

test("the token is in no URL and out of reach of scripts", async (t) => {
  const { peer, visitor } = await started(t);
  await visitor.goto(`${peer.address}/second`);
  await waitFor(visitor, "sessioncontinue");
  const { token } = peer.session;
  assert.ok(peer.requests.some((request) => request.cookie.includes(token)));
  assert.ok(!peer.requests.some((request) => request.path.includes(token)));
  const readable = await visitor.evaluate(() => JSON.stringify([document.cookie, { ...localStorage }, { ...sessionStorage }, location.href]));
  assert.ok(!readable.includes(token));
  assert.match(readable, /glance_cobrowse=1/);
});

for (const kind of ["ls", "dual", "secure"]) {
  test(`the session goes on with data-cookietype ${kind}`, async (t) => {
    const attributes = { "data-cookietype": kind };
    const { peer, visitor } = await started(t, { pages: { "/": page("one", { attributes }), "/second": page("two", { attributes }) } });
    await visitor.goto(`${peer.address}/second`);
    await waitFor(visitor, "sessioncontinue");
    const kept = await visitor.evaluate(() => [document.cookie, localStorage.glance_cobrowse ?? ""]);
    assert.equal(kept[1].includes(peer.session.token), kind !== "secure");
    assert.equal(kept[0].includes("glance_cobrowse=1"), kind !== "ls");
    await call(visitor, "stopSession");
    assert.deepEqual(await visitor.evaluate(() => [document.cookie, localStorage.length]), ["", 0]);
    await peer.until((that) => that.ends.length === 1);
    assert.equal(peer.ends[0].resume, kind === "secure" ? undefined : peer.session.token);
  });
}

test("a page that does not allow the group suspends the session, and does not end it", async (t) => {
  const { peer, visitor } = await started(t, { params: { groupid: 2 } });
  await visitor.goto(`${peer.address}/only-one`);
  await waitFor(visitor, "error");
  const [error] = await payloads(visitor, "error");
  assert.deepEqual([error.code, error.params], ["groupid", { groupid: 2, allowed: [1] }]);
  await peer.until((that) => that.said.some(({ type, code }) => type === "refuse" && code === "groupid"));
  // Even a backend that says otherwise gets nothing from this page.
  const frames = peer.frames.length;
  peer.say({ type: "state", state: "live" });
  peer.say({ type: "watch", watched: true });
  await batchesLater(visitor);
  assert.equal(peer.frames.length, frames);
  assert.ok(!peer.text().includes("page of group one"));
  assert.equal(await call(visitor, "inSession"), true);
  assert.ok(!(await heard(visitor)).includes("sessionend"));
  await visitor.goto(`${peer.address}/second`);
  await waitFor(visitor, "sessioncontinue");
  await peer.until((that) => that.text().includes("second page"));
});

test("the tab that has the focus is the one that is shown", async (t) => {
  const { peer, visitor } = await started(t);
  const other = await visit(browser, `${peer.address}/second`, visitor.context());
  await waitFor(other, "sessioncontinue");
  await waitFor(visitor, "blur");
  await peer.until((that) => that.text().includes("second page"));
  const frames = () => peer.frames.filter((frame) => frame.page === 1).length;
  const before = frames();
  await visitor.evaluate(() => document.body.append("unseen"));
  await batchesLater(visitor);
  assert.equal(frames(), before);
  await visitor.evaluate(() => dispatchEvent(new Event("focus")));
  await waitFor(visitor, "focus");
  await waitFor(other, "blur");
  await peer.until(() => frames() > before);
});

test("a tab that was open before the session joins it when it gets the focus", async (t) => {
  const { peer, visitor } = await scene(t);
  const other = await visit(browser, `${peer.address}/second`, visitor.context());
  await live(peer, visitor);
  assert.equal(await call(other, "inSession"), true);
  assert.equal(await other.evaluate(() => GLANCE.Cobrowse.Visitor.loaded), false);
  await other.evaluate(() => dispatchEvent(new Event("focus")));
  await waitFor(other, "sessioncontinue");
  await peer.until((that) => that.text().includes("second page"));
});

test("a tab that is duplicated has a name of its own", async (t) => {
  const { peer, visitor } = await started(t);
  const [twin] = await Promise.all([visitor.context().waitForEvent("page"), visitor.evaluate(() => void window.open("/second"))]);
  await peer.until((that) => that.tabs.size === 2);
  await twin.close();
});

test("a page from the back/forward cache goes on", async (t) => {
  const cached = await launchBrowser({ ignoreDefaultArgs: ["--disable-back-forward-cache"] });
  t.after(() => cached.close());
  const peer = await startPeer({ scripts, pages: Object.fromEntries(Object.entries(PAGES).map(([path, body]) => [path, { body, headers: { "cache-control": "max-age=60" } }])) });
  t.after(() => peer.stop());
  const visitor = await visit(cached, `${peer.address}/`);
  await live(peer, visitor);
  await visitor.evaluate(() => {
    window.kept = true;
    addEventListener("pageshow", (event) => (window.persisted = event.persisted));
  });
  await visitor.goto(`${peer.address}/second`);
  await waitFor(visitor, "sessioncontinue");
  const before = peer.snapshots();
  await visitor.evaluate(() => history.back());
  await visitor.waitForFunction(() => window.kept && window.persisted, undefined, { timeout: 5_000 });
  await peer.until((that) => that.snapshots() > before);
  assert.equal(await call(visitor, "inSession"), true);
});

test("a lost connection is looked for, and a snapshot begins anew", async (t) => {
  const { peer, visitor } = await started(t);
  const before = peer.snapshots();
  for (const { socket } of peer.tabs.values()) socket.terminate();
  await waitFor(visitor, "connection", 2);
  assert.deepEqual(await payloads(visitor, "connection"), [{ status: "reconnecting" }, { status: "ok" }]);
  await peer.until((that) => that.snapshots() > before);
  const [first, second] = [peer.frames[0], peer.frames.at(-1)];
  assert.ok(second.page > first.page);
  assert.equal(peer.frames.find((frame) => frame.page === second.page).sequence, 0);
});

test("a backend that is started again is found within five seconds", async (t) => {
  const { peer, visitor } = await started(t);
  await peer.stop();
  await waitFor(visitor, "connection");
  const again = await startPeer({ scripts, pages: PAGES, port: peer.port });
  t.after(() => again.stop());
  again.session = peer.session;
  again.join();
  await again.until((that) => that.snapshots() > 0, "a snapshot", 5_000);
  await waitFor(visitor, "connection", 2);
  assert.ok(!(await heard(visitor)).includes("error"));
});

test("frames are numbered without gaps and begin with a snapshot", async (t) => {
  const { peer, visitor } = await started(t);
  for (let round = 0; round < 5; round += 1) {
    await visitor.evaluate((count) => document.body.append(`round ${count}`), round);
    await settled(visitor, peer);
  }
  assert.deepEqual(peer.frames.map(({ sequence }) => sequence), peer.frames.map((_, index) => index));
  assert.equal(peer.frames[0].kind, 2);
  assert.deepEqual(peer.frames[0].events.map(({ type }) => type), [4, 2]);
});

test("a paused session sends nothing, on the next page neither", async (t) => {
  const { peer, visitor } = await started(t);
  await call(visitor, "pauseSession", { pause: true, message: "one moment" });
  await peer.until((that) => that.said.some(({ type, message }) => type === "pause" && message === "one moment"));
  assert.equal(await call(visitor, "isSessionPaused"), true);
  await visitor.goto(`${peer.address}/second`);
  await waitFor(visitor, "sessioncontinue");
  assert.equal(await call(visitor, "isSessionPaused"), true);
  await batchesLater(visitor);
  assert.ok(!peer.text().includes("second page"));
  await call(visitor, "pauseSession", { pause: false });
  await peer.until((that) => that.text().includes("second page"));
});

test("data-startpaused starts paused", async (t) => {
  const { peer, visitor } = await scene(t, { pages: { "/": page("x", { attributes: { "data-startpaused": "1" } }) } });
  peer.join();
  await call(visitor, "startSession");
  await waitFor(visitor, "sessionstart");
  assert.equal(await call(visitor, "isSessionPaused"), true);
  await batchesLater(visitor);
  assert.equal(peer.frames.length, 0);
});

test("messages go both ways", async (t) => {
  const { peer, visitor } = await started(t);
  await visitor.evaluate(() => {
    GLANCE.Cobrowse.Visitor.addSessionMessageListener("greet", (name, data) => {
      window.greeted = [name, data];
      throw new Error("the page's own mistake");
    });
  });
  peer.say({ type: "message", name: "greet", data: { a: [1] } });
  await visitor.waitForFunction(() => window.greeted);
  assert.deepEqual(await visitor.evaluate(() => window.greeted), ["greet", { a: [1] }]);
  await call(visitor, "sendSessionMessage", "answer", { b: 2 });
  await peer.until((that) => that.said.some(({ type }) => type === "message"));
  assert.deepEqual(peer.said.at(-1), { type: "message", name: "answer", data: { b: 2 } });
});

test("messages that cannot be sent are told, and the session goes on", async (t) => {
  const { peer, visitor } = await started(t);
  await call(visitor, "sendSessionMessage", "x".repeat(65), 1);
  await call(visitor, "sendSessionMessage", "large", "x".repeat(64 * 1024));
  await visitor.evaluate(() => GLANCE.Cobrowse.Visitor.sendSessionMessage("round", window));
  const errors = await payloads(visitor, "error");
  assert.deepEqual(errors.map(({ code, params }) => [code, params.name.length]), [["message", 65], ["message", 5], ["message", 5]]);
  assert.equal(peer.said.filter(({ type }) => type === "message").length, 0);

  // As much as pages can say at once; what is the script's own comes late, and only the last of it.
  await visitor.evaluate(() => {
    for (let count = 0; count < 500; count += 1) {
      GLANCE.Cobrowse.Visitor.sendSessionMessage("many", count);
      history.replaceState(null, "", `/moved-${count}`);
      GLANCE.Cobrowse.Visitor.pauseSession({ pause: count % 2 === 0 });
    }
  });
  await peer.until((that) => that.said.some(({ type, url }) => type === "location" && url.endsWith("/moved-499")));
  await peer.until((that) => that.said.findLast(({ type }) => type === "pause")?.paused === false);
  assert.ok(peer.said.length <= 200, `${peer.said.length}`);
  assert.ok((await payloads(visitor, "error")).some(({ msg }) => /too many/.test(msg)));
  assert.equal(await call(visitor, "inSession"), true);
  assert.deepEqual(peer.closes ?? [], []);
  await batchesLater(visitor);
  await call(visitor, "sendSessionMessage", "again", 1);
  await peer.until((that) => that.said.some(({ name }) => name === "again"));
});

test("an agent asks for control and the page answers", async (t) => {
  const { peer, visitor } = await started(t);
  await visitor.evaluate(() => GLANCE.Cobrowse.Visitor.addEventListener("rcrequested", (request) => request.accept()));
  peer.say({ type: "control_requested", agent: "Anna" });
  await peer.until((that) => that.said.some(({ type, enabled }) => type === "control" && enabled));
  peer.say({ type: "control", enabled: true });
  await waitFor(visitor, "rc");
  assert.deepEqual(await payloads(visitor, "rc"), [{ enabled: true }]);
});

test("either side ends the session", async (t) => {
  const { peer, visitor } = await started(t);
  await call(visitor, "stopSession");
  assert.deepEqual((await visitor.evaluate(() => window.heard)).slice(-2), [["leavesession"], ["sessionend", { reason: "visitor" }]]);
  await peer.until((that) => that.ends.length === 1);
  assert.equal(await call(visitor, "inSession"), false);
  await visitor.reload();
  assert.equal(await call(visitor, "inSession"), false);

  await live(peer, visitor);
  peer.end("agent");
  await waitFor(visitor, "sessionend");
  assert.deepEqual(await payloads(visitor, "sessionend"), [{ reason: "agent" }]);
  assert.equal(await call(visitor, "inSession"), false);
});

test("a session that ended elsewhere is over on the next page", async (t) => {
  const { peer, visitor } = await started(t);
  await visitor.goto(`${peer.address}/bare`);
  peer.end("error");
  await visitor.goto(`${peer.address}/second`);
  await waitFor(visitor, "sessionend");
  assert.deepEqual(await payloads(visitor, "sessionend"), [{ reason: "error" }]);
  assert.equal(await visitor.evaluate(() => document.cookie), "");
});

test("a second tag changes nothing, and a tag in a frame uses the page's session", async (t) => {
  const pages = {
    "/": page(`<p>outer</p>${tag()}<iframe src="/inner"></iframe>`, { attributes: TWO }),
    "/inner": page(`<b data-glancebutton="startSession" id="go">go</b>`),
  };
  const { peer, visitor } = await scene(t, { pages: pages, csp: false });
  await visitor.frameLocator("iframe").locator("#go").click();
  await waitFor(visitor, "sessionstart");
  peer.join();
  await peer.until((that) => that.snapshots() > 0);
  await settled(visitor, peer);
  assert.ok(peer.text().includes("outer"));
  // A frame is shown once the backend has allowed it.
  await peer.until((that) => that.text().includes('"go"'));
  assert.equal(peer.starts.length, 1);
  assert.equal(peer.tabs.size, 1);
});

test("a page in a frame hears of the session, and asks for it", async (t) => {
  const pages = {
    "/": page(`<iframe src="/inner"></iframe>`, { attributes: TWO }),
    "/inner": page("<p>inner</p>", { attributes: TWO }),
  };
  const { peer, visitor } = await scene(t, { pages, csp: false });
  const inner = visitor.frames().find((frame) => frame.url().endsWith("/inner"));
  await inner.evaluate(() => {
    const { Visitor } = GLANCE.Cobrowse;
    window.inside = [];
    window.listener = (payload) => window.inside.push(payload);
    Visitor.addEventListener("agents", window.listener);
    Visitor.setStartParams({ groupid: 2, sessionKey: "inner" });
    Visitor.startSession();
  });
  await waitFor(visitor, "sessionstart");
  peer.join();
  await waitFor(visitor, "agents", 2);
  assert.deepEqual(
    await inner.evaluate(() => {
      const { Visitor } = GLANCE.Cobrowse;
      const state = Visitor.getSessionState();
      return [window.inside.length, window.inside.at(-1).count, Visitor.inSession(), Visitor.getKey(), Visitor.sessionGroupId(), Visitor.isSessionPaused(), state.groupid];
    }),
    [2, 1, true, "inner", 2, false, 2],
  );
  assert.deepEqual([peer.starts[0].group, peer.starts[0].key], [2, "inner"]);
  await inner.evaluate(() => GLANCE.Cobrowse.Visitor.removeEventListener("agents", window.listener));
  peer.leave();
  await waitFor(visitor, "agents", 3);
  assert.equal(await inner.evaluate(() => window.inside.length), 2);
});

test("the tag may be a meta element, and the script may come late", async (t) => {
  const body = `<!doctype html><meta id="cobrowsescript" data-groupid="1" data-additionalgroupid="2" data-grant="v1.test.1-2.mac"><body><p>x</p>`;
  const { peer, visitor } = await scene(t, { pages: { "/": body } });
  await visitor.evaluate(() => new Promise((resolve) => {
    const script = document.createElement("script");
    script.src = "/_cobrowse/CobrowseJS.ashx?group=1";
    script.onload = resolve;
    document.body.append(script);
  }));
  await call(visitor, "startSession", { groupid: 2 });
  await peer.until((that) => that.tabs.size > 0);
  assert.equal(peer.starts[0].group, 2);
});
