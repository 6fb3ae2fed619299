import { isLayout, layoutStyle, maskCss, maskCssValue } from "./css.ts";
import { withoutAddressIn, withoutInherited } from "./sheets.ts";
import { plainUrl, stars } from "./text.ts";

/** Attributes as the recorder writes them; `style` can be a difference between two styles. */
export type Attributes = Record<string, Attribute>;
export type Attribute = string | number | boolean | null | StyleDifference | undefined;
export type StyleDifference = Record<string, string | [string, string] | false>;

/**
 * What of a masked element's attributes is left: enough to keep its place and size. `known`: of names,
 * those that agents have anyway.
 */
export function maskAttributes(attributes: Attributes, known: (names: string) => string): Attributes {
  const left: Attributes = {};
  for (const name of Object.keys(attributes)) {
    const value = attributes[name];
    if (name === "style") left[name] = maskStyle(value);
    else if (name === "value") left[name] = stars(`${value ?? ""}`);
    else if (name === "placeholder") left[name] = stars(`${value ?? ""}`);
    else if (EMPTIED.test(name)) left[name] = "";
    else if (name === "class" || name === "id") left[name] = known(`${value ?? ""}`);
    else if (isPlain(name.toLowerCase(), value)) left[name] = value;
  }
  return left;
}

const EMPTIED = /^(?:href|src|srcset|xlink:href|poster|data|action|formaction)$/i;

/** What layout needs of other attributes, and the values that it needs: none of them can say anything. */
const KEPT: [RegExp, RegExp][] = [
  [/^(?:hidden|disabled|readonly|multiple|open|nowrap)$/, /^(?:|true|hidden|disabled|readonly|multiple|open|nowrap|until-found)$/],
  [/^(?:width|height|rows|cols|size|colspan|rowspan|span|border|cellpadding|cellspacing)$/, /^\d{1,4}(?:px|%)?$/],
  [/^(?:dir|align|valign)$/, /^(?:ltr|rtl|auto|left|right|center|justify|char|top|middle|bottom|baseline)$/i],
  [
    /^type$/,
    /^(?:text|password|email|tel|url|search|number|date|time|month|week|datetime-local|color|range|file|image|button|submit|reset|checkbox|radio|hidden)$/i,
  ],
  [/^lang$/, /^[a-z]{2}(?:-[a-z]{2})?$/i],
  [/^rr_(?:width|height)$/, /^[\d.]+px$/],
  [/^rr_(?:scrollleft|scrolltop)$/, /^\d+$/],
  [/^rr_open_mode$/, /^(?:non-)?modal$/],
];

function isPlain(name: string, value: Attribute): boolean {
  const rule = KEPT.find(([names]) => names.test(name));
  return !!rule && (value === null || rule[1].test(`${value}`));
}

function maskStyle(value: Attribute): Attribute {
  if (typeof value === "string") return layoutStyle(value);
  return mapStyle(value, (property, text) => (isLayout(property, text) ? text : ""));
}

/** What no agent needs of any element: code, one-time values, queries of links, text in styles. */
export function plainAttributes(tag: string, attributes: Attributes, sheet: (css: string) => string): Attributes {
  const left: Attributes = {};
  for (const name of Object.keys(attributes)) {
    const given = attributes[name];
    // A sheet has lost its letters before.
    const isSheet = name === "_cssText" && typeof given === "string";
    const value = isSheet ? sheet(given) : plainAttribute(tag, name.toLowerCase(), given, attributes);
    if (value !== undefined) left[name] = value;
  }
  return left;
}

function plainAttribute(tag: string, name: string, value: Attribute, all: Attributes): Attribute {
  if (/^on|^(?:srcdoc|nonce|ping)$/.test(name)) return undefined;
  if (name === "style") {
    return typeof value === "string" ? withoutInherited(maskCss(value)) : mapStyle(value, plainStyle);
  }
  if (typeof value !== "string") return value;
  if (name === "rr_src" || name === "action" || name === "formaction") return plainUrl(value);
  if (/href$/.test(name) && /^(?:a|area)$/.test(tag)) return plainUrl(value);
  if (tag === "meta") return isPlainMeta(name, all) ? value : undefined;
  return value;
}

/** Custom properties are inherited, perhaps by masked elements. */
function plainStyle(property: string, text: string): string {
  const plain = maskCssValue(property, text);
  return property.indexOf("--") ? plain : withoutAddressIn(plain);
}

function isPlainMeta(name: string, all: Attributes): boolean {
  return name === "charset" || name === "name" || (name === "content" && all.name === "viewport");
}

function mapStyle(value: Attribute, map: (property: string, text: string) => string): Attribute {
  if (!value || typeof value !== "object") return undefined;
  const left: StyleDifference = {};
  for (const property of Object.keys(value)) {
    const part = value[property];
    if (typeof part === "string") left[property] = map(property, part);
    else if (part) left[property] = [map(property, part[0]), part[1]];
    else left[property] = false;
  }
  return left;
}
