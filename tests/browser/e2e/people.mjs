// Visitors and agents in browsers of their own, and every byte that goes over their sockets.

import { inflateRawSync } from "node:zlib";

import { agent as atConsole, drawn } from "../console/agent.mjs";
import { call, visit, waitFor } from "../visitor/visit.mjs";
import { PASSWORD } from "./house.mjs";

const HEAD_BYTES = 13;
/** Of all sockets of all tests of this run. */
export const heardOnSockets = [];

/** What went over a page's sockets, recordings inflated. */
function listen(page) {
  page.bytes = [];
  const keep = (payload) => {
    const text = typeof payload === "string" ? payload : inflateRawSync(payload.subarray(HEAD_BYTES)).toString();
    page.bytes.push(text);
    heardOnSockets.push(text);
  };
  page.on("websocket", (socket) => {
    socket.on("framesent", ({ payload }) => keep(payload));
    socket.on("framereceived", ({ payload }) => keep(payload));
  });
}

/** A visitor on a page of the site; in `context` for another tab. */
export async function visitor(t, browser, house, path = "/mortgage/apply", context) {
  const own = context ?? (await browser.newContext({ viewport: { width: 1000, height: 700 } }));
  if (!context) t.after(() => own.close());
  const page = await visit(browser, "about:blank", own);
  listen(page);
  await page.goto(house.site + path);
  return page;
}

/** Starts a session, and waits for it. Gives its key. */
export async function started(page, params) {
  await call(page, "startSession", ...(params ? [params] : []));
  await waitFor(page, "sessionstart");
  return call(page, "getKey");
}

/** An agent who is logged in. */
export async function agent(t, browser, house, name = "ada", path = "/") {
  const page = await atConsole(browser, { address: house.agents }, { path: "/", login: false });
  t.after(() => page.context().close());
  listen(page);
  await page.goto(house.agents + path);
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Log out" }).waitFor();
  return page;
}

/** Joins a session of the list by its key. */
export async function joins(page, key) {
  await page.getByRole("complementary").getByRole("button", { name: new RegExp(`(?<!\\d)${key}(?!\\d)`) }).click();
}

/** Waits until the agent sees a text of the visitor's page. */
export async function sees(page, text, options) {
  await drawn(page).getByText(text).first().waitFor(options);
  await page.locator(".cover").waitFor({ state: "hidden" });
}

/** All that the agent sees of the page, as text. */
export const seen = (page) => drawn(page).locator("body").evaluate((body) => `${body.innerText}\n${[...body.querySelectorAll("input")].map(({ value }) => value).join("\n")}`);
