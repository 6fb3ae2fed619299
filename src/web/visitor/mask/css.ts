import { stars } from "./text.ts";

/**
 * Style sheets can carry text: in `content`, in markers, in custom properties. Agents see its layout,
 * not its letters; icons of icon fonts stay.
 */
export function maskCss(css: string): string {
  if (css.indexOf(":") < 0) return css;
  return css.replace(DECLARATION, (_all, head: string, property: string, colon: string, value: string) => {
    return head + property + colon + maskValue(property, value);
  });
}

/** A value that is set by a script, `style.setProperty(property, value)`. */
export function maskCssValue(property: string, value: string): string {
  return carriesText(property) ? maskValue(property, value) : value;
}

const TEXT_PROPERTIES =
  "content|quotes|list-style(?:-type)?|text-overflow|hyphenate-character|" +
  "symbols|additive-symbols|prefix|suffix|negative|pad";
const STRING = `"(?:[^"\\\\]|\\\\[^])*"?|'(?:[^'\\\\]|\\\\[^])*'?`;
const DECLARATION = new RegExp(
  `(^|[{;\\s*/])(${TEXT_PROPERTIES}|--[^\\s:;{}]+)(\\s*:)((?:${STRING}|[^;}"'])*)`,
  "gi",
);
const PROPERTY = new RegExp(`^(?:${TEXT_PROPERTIES}|--.*)$`, "i");

function carriesText(property: string): boolean {
  return PROPERTY.test(property);
}

function maskValue(property: string, value: string): string {
  if (property.slice(0, 2) !== "--") return maskStrings(value);
  if (/font/i.test(property)) return value;
  return maskStrings(value).replace(WORDS, (word) => (isStyling(word) ? word : stars(word)));
}

function maskStrings(value: string): string {
  return value.replace(new RegExp(STRING, "g"), (text) => {
    return text.replace(ESCAPE_OR_LETTER, (part) => (isIcon(part) ? part : "*"));
  });
}

// An escape with its digits, an escaped character, or a letter or digit of any script.
const ESCAPE_OR_LETTER = /\\[0-9a-f]{1,6}\s?|\\[^]|[\p{L}\p{N}\p{Co}]/giu;

function isIcon(part: string): boolean {
  const code = part[0] === "\\" ? parseInt(part.slice(1), 16) : part.codePointAt(0);
  if (!code || code > 0x10ffff) return false;
  return !/[\p{L}\p{N}]/u.test(String.fromCodePoint(code));
}

// Strings are stars by now. Colours, sizes, names of functions and keywords are what sheets are made
// of; capitals, long numbers and whatever else is not needed.
const WORDS = /[\p{L}\p{N}#_.%-]+/gu;
const STYLING = /^(?:#[0-9a-f]{3,8}|[+-]?\d{0,4}(?:\.\d+)?(?:[a-z]{1,5}|%)?|-?[a-z]+(?:-[a-z0-9]{1,12})*)$/;

function isStyling(word: string): boolean {
  if (word.slice(0, 2) === "--") return true; // the name of another property
  return STYLING.test(word) && !/\d{5}/.test(word.replace(/^#|\.\d+/, ""));
}

/** Inline style of a masked element: its place and size, nothing that can name or fetch anything. */
export function layoutStyle(style: string): string {
  const kept: string[] = [];
  for (const declaration of style.split(";")) {
    const colon = declaration.indexOf(":");
    const property = declaration.slice(0, colon).trim().toLowerCase();
    const value = declaration.slice(colon + 1).trim();
    if (colon > 0 && isLayout(property, value)) kept.push(`${property}: ${value};`);
  }
  return kept.join(" ");
}

const LAYOUT = new RegExp(
  `^(?:${[
    "display|position|float|clear|(?:min-|max-)?(?:width|height)|top|right|bottom|left|inset|z-index",
    "margin.*|padding.*|border.*|box-sizing|overflow.*|visibility|opacity|transform|color|background-color",
    "flex.*|order|align-.*|justify-.*|(?:row-|column-)?gap|vertical-align|white-space",
    "font-(?:size|weight|style)|line-height|letter-spacing|text-(?:align|indent)",
  ].join("|")})$`,
);
const TOKEN =
  /^(?:[a-z]+(?:-[a-z]+)*|#[0-9a-f]{3,8}|[+-]?\d{0,5}(?:\.\d*)?(?:[a-z]{1,5}|%)?|!important|[+-])$/;

export function isLayout(property: string, value: string): boolean {
  if (!LAYOUT.test(property) || value.length > 100 || /url/i.test(value)) return false;
  return value.split(/[\s,()/*]+/).every((token) => token === "" || TOKEN.test(token));
}
