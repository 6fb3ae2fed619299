// An agent at the console, and what is in front of him.

/** Opens the console, logged in unless told otherwise, and listens for everything that goes wrong. */
export async function agent(browser, peer, { path = "/", login = true, viewport = { width: 1280, height: 800 }, ...options } = {}) {
  const context = await browser.newContext({ viewport, ...options });
  const page = await context.newPage();
  page.problems = [];
  page.answered = [];
  page.on("pageerror", (problem) => page.problems.push(`${problem}`));
  page.on("console", (message) => {
    if (/Content Security Policy|Uncaught|Trusted/.test(message.text())) page.problems.push(message.text());
  });
  context.on("response", (response) => page.answered.push(response.url()));
  if (login) {
    const url = new URL(peer.address);
    await context.addCookies([{ name: "cobrowse-agent", value: peer.logIn(), domain: url.hostname, path: "/", httpOnly: true, sameSite: "Strict" }]);
  }
  await page.goto(peer.address + path);
  return page;
}

/** The document of the replayer, and the frame in it in which the visitor's page is drawn. */
export const replay = (page) => page.frameLocator("iframe.picture");
export const drawn = (page) => replay(page).frameLocator("#pages > div:last-child iframe");

/** Joins the session from the list. */
export async function join(page, peer, name = /Grace Hopper/) {
  const before = peer.saidOf("join").length;
  await page.getByRole("complementary").getByRole("button", { name }).first().click();
  await peer.until((that) => that.saidOf("join").length > before, "a join");
}

/** Takes a tool, and waits until the picture knows. */
export async function takes(page, tool) {
  await page.getByRole("button", { name: tool, exact: true }).click();
  await replay(page).locator(`body[data-tool=${tool.toLowerCase()}]`).waitFor();
}

/** Whether what is in front of the picture says so. */
export const notice = (page, title) => page.locator(".cover h2", { hasText: title });
