import type { Bag } from "./values.ts";

export type CleanAttributes = Record<string, string | number | boolean | null | Record<string, unknown>>;

/** Stands in the place of elements that have no business in a picture: same node, nothing in it. */
export const INERT = "cobrowse-inert";

/** Elements that load documents or code, change what others load, or send something. */
const DISARMED = new Set(
  [
    "script object embed applet portal fencedframe base meta frame frameset template param",
    "foreignscript handler listener model geolocation permission selectlist webview",
  ].join(" ").split(" "),
);

/** The tag that is built for one of a recording. */
export function cleanTag(tag: string, attributes: Bag): string {
  const name = tag.toLowerCase();
  const local = name.slice(name.indexOf(":") + 1);
  if (!/^[a-z][a-z0-9_.:-]*$/.test(name) || DISARMED.has(local)) return INERT;
  if (local === "link" && !isStylesheet(attributes)) return INERT;
  return tag;
}

/** Nothing but a sheet: `preconnect` and the like would tell other hosts that an agent watches. */
function isStylesheet({ rel, _cssText }: Bag): boolean {
  return typeof _cssText === "string" || (typeof rel === "string" && rel.trim().toLowerCase() === "stylesheet");
}

/** Attributes by which an element does something, or takes the agent's keys and sound. */
const TAKEN = new Set(
  [
    "srcdoc sandbox csp allow allowfullscreen action formaction formtarget formmethod form target ping download",
    "http-equiv content manifest archive code codebase classid data profile longdesc cite usemap",
    "autofocus autoplay controls accesskey contenteditable draggable is nonce integrity crossorigin",
    "attributionsrc attributionsourceid browsingtopics sharedstoragewritable privatetoken fetchpriority credentialless",
    "popover popovertarget popovertargetaction command commandfor interestfor invoketarget",
    "imagesrcset blocking xml:base shadowrootmode itemprop itemscope itemtype",
  ].join(" ").split(" "),
);

const URLS = new Set(["href", "xlink:href", "src", "poster", "background", "srcset", "lowsrc", "dynsrc"]);

/** Which elements may load something, and by which attribute. */
const LOADS: Record<string, readonly string[]> = {
  img: ["src", "srcset"],
  input: ["src"],
  source: ["srcset"],
  video: ["poster"],
  link: ["href"],
  image: ["href", "xlink:href"],
  feimage: ["href", "xlink:href"],
  body: ["background"],
  table: ["background"],
  td: ["background"],
  th: ["background"],
};

/** What the recorder adds of its own; media stay at rest. */
const RECORDERS = new Set(["rr_width", "rr_height", "rr_scrollleft", "rr_scrolltop", "rr_dataurl"]);

/**
 * A dialog that is modal in the visitor's page would take the focus in the agent's, and with it the keys. It
 * gets this attribute, by which it is drawn like one.
 */
export const MODAL = "data-cobrowse-modal";

/**
 * The attributes with which an element of `tag` may be built or changed. Values of links lead nowhere;
 * names that no browser takes are left out, so that nothing is thrown half way.
 */
export function cleanAttributes(tag: string, given: Bag): CleanAttributes {
  const left: CleanAttributes = {};
  const local = tag.toLowerCase().slice(tag.indexOf(":") + 1);
  if (local === INERT) return { style: "display: none" };
  for (const name of Object.keys(given)) {
    const value = cleanAttribute(local, name, given[name]);
    if (value !== undefined) left[name] = value;
  }
  if (local === "dialog" && "rr_open_mode" in given) left[MODAL] = given.rr_open_mode === "modal" ? "" : null;
  if (local === "link" && "href" in left) left.rel = "stylesheet";
  return left;
}

function cleanAttribute(tag: string, name: string, value: unknown): CleanAttributes[string] | undefined {
  const plain = name.toLowerCase();
  if (plain === "_csstext") return typeof value === "string" ? value : undefined;
  if (!/^[a-z_][a-z0-9_:.-]*$/.test(plain)) return undefined;
  if (plain.startsWith("on") || TAKEN.has(plain)) return undefined;
  if (plain.startsWith("rr_")) return RECORDERS.has(plain) ? recorders(plain, value) : undefined;
  if (plain === "rel" || plain === "as") return tag === "link" ? undefined : scalar(value);
  if (/^(?:set|animate)/.test(tag) && /^(?:to|from|by|values|attributename)$/.test(plain) && leads(value)) return undefined;
  if (tag === "link" && plain === "title") return undefined; // would make it an alternate sheet
  if (URLS.has(plain)) return typeof value === "string" ? url(tag, plain, value) : undefined;
  if (plain === "style" && typeof value === "object" && value !== null) return styleDifference(value as Bag);
  return scalar(value);
}

/** An animation can put a link where none was. */
function leads(value: unknown): boolean {
  return typeof value === "string" && /script:|href/i.test(value);
}

function scalar(value: unknown): string | number | boolean | null | undefined {
  if (value === null || typeof value === "string" || typeof value === "boolean") return value;
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

function url(tag: string, name: string, value: string): string | undefined {
  if (value.startsWith("#")) return value;
  if (name.endsWith("href") && (tag === "a" || tag === "area")) return "#";
  if (!LOADS[tag]?.includes(name)) return undefined;
  if (name === "srcset") return value;
  return isLoadable(value) ? value : undefined;
}

/** Of the web, or in the recording itself. The policy of the frame decides which hosts. */
function isLoadable(value: string): boolean {
  return /^https?:\/\//i.test(value) || /^data:image\//i.test(value);
}

function recorders(name: string, value: unknown): string | number | undefined {
  if (typeof value === "number") return Number.isFinite(value) ? value : undefined;
  if (typeof value !== "string") return undefined;
  return name !== "rr_dataurl" || /^data:image\//i.test(value) ? value : undefined;
}

/** A difference between two styles: values, values with a priority, and `false` for those that went. */
function styleDifference(given: Bag): Record<string, unknown> {
  const left: Record<string, unknown> = {};
  for (const property of Object.keys(given)) {
    const value = given[property];
    const pair = Array.isArray(value) && value.length === 2 && value.every((part) => typeof part === "string");
    if (value === false || typeof value === "string" || pair) left[property] = value;
  }
  return left;
}
