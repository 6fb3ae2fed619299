// What the demo's rules make of the bank's pages: the same facts as `PAGES` in
// src/cli/demo/bank/catalogue.rs, as a browser sees them.

const retail = { group: "15687", additional: null };
const mortgage = { group: "15687", additional: "15688,15690" };
const chat = { group: "15691", additional: null };

/** `ready`: a selector that is there once the page has settled. `live`: it never stands still. */
export const TAGGED = [
  { path: "/", ...retail, masks: { "input[type=password]": 1 }, ready: "#rates table" },
  { path: "/frames.html", ...retail, masks: {} },
  { path: "/about/xhtml.html", ...retail, masks: { ".account-number": 1 } },
  { path: "/login", ...retail, masks: { "input[type=password]": 1 } },
  {
    path: "/account",
    ...retail,
    masks: { ".account-number": 5, "#ssn": 1, "[autocomplete^='cc-']": 1 },
  },
  { path: "/account/statement", ...retail, masks: { ".account-number": 4701 } },
  { path: "/mortgage/", ...mortgage, masks: { ".account-number": 1 } },
  {
    path: "/mortgage/apply",
    ...mortgage,
    masks: { ".account-number": 1, "#ssn": 1, ".income": 3, "form#declaration textarea": 1 },
  },
  { path: "/chat", ...chat, masks: {} },
  { path: "/chat/room", ...chat, masks: { ".account-number": 1 } },
  { path: "/markets", ...retail, masks: {}, live: true },
  { path: "/search?q=annual%20report", ...retail, masks: {} },
  { path: "/missing", ...retail, masks: {} },
  { path: "/error", ...retail, masks: {} },
];

export const UNTAGGED = [{ path: "/mortgage/calculators/payment" }];

/** Opens a page and waits until it has settled. */
export async function open(page, address, { path, ready }) {
  await page.goto(address + path, { waitUntil: "load" });
  if (ready) await page.waitForSelector(ready);
}
