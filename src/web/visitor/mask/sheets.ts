import type { Attributes } from "./attributes.ts";
import { maskCss } from "./css.ts";

/**
 * What style sheets and masked elements may know of each other. A sheet can say where the picture of a
 * masked element is; classes and IDs of masked elements can say anything.
 */
export interface Sheets {
  /** An element that is about to be sent. */
  meet: (tag: string, attributes: Attributes, isMasked: boolean) => void;
  /** A sheet that is about to be sent: its text without letters. */
  read: (css: string) => string;
  /**
   * The same sheet, once all elements were met: without addresses in rules for masked elements; where it is a
   * part of a sheet, and nobody knows what stands around it, without any.
   */
  write: (css: string, isPart?: boolean) => string;
  /** Class or ID of a masked element: as much of it as agents have in sheets, or on elements that they see. */
  known: (names: string) => string;
  /** Whether a rule that was sent with an address is by now one for a masked element; answered with yes once. */
  grew: () => boolean;
  /** All is sent anew. */
  reset: () => void;
}

/** Rules that are remembered; more of them lose their addresses. */
const SENT_MAX = 50_000;
/** Names of masked elements that are remembered; with more of them all rules lose their addresses. */
const MASKED_MAX = 20_000;

/** What the last part of a selector asks of an element: `.a`, `#b`, `c`. */
type Subject = readonly string[];

export function createSheets(): Sheets {
  const known = new Set<string>();
  const masked = new Set<string>();
  let sent: Subject[] = [];
  let isNew = false;

  const mayBeMasked = (subject: Subject) =>
    masked.size > MASKED_MAX || (masked.size > 0 && subject.every((part) => masked.has(part)));

  const meet = (tag: string, attributes: Attributes, isMasked: boolean) => {
    const parts = [...namesIn(attributes.class, "."), ...namesIn(attributes.id, "#")];
    if (!isMasked) return parts.forEach((part) => known.add(part));
    for (const part of [tag.toLowerCase(), ...parts.map((name) => name.toLowerCase())]) {
      if (masked.has(part) || masked.size > MASKED_MAX) continue;
      isNew = true;
      masked.add(part);
    }
  };

  const read = (css: string) => {
    const plain = maskCss(css);
    for (const [name] of plain.replace(ADDRESS, "").replace(STRINGS, "").matchAll(NAME)) known.add(unescaped(name));
    return plain;
  };

  const write = (css: string, isPart?: boolean) => {
    return withoutAddresses(css, (prelude) => {
      if (isPart) return true;
      const subjects = subjectsOf(prelude);
      if (subjects.some(mayBeMasked) || sent.length > SENT_MAX) return true;
      sent.push(...subjects);
      return false;
    });
  };

  const kept = (names: string) =>
    names.split(/\s+/).filter((name) => known.has(`.${name}`) || known.has(`#${name}`)).join(" ");

  const grew = () => {
    if (!isNew) return false;
    isNew = false;
    return sent.some(mayBeMasked);
  };

  // What was masked once is not forgotten: a sheet may be sent before the frame that has the masked element,
  // and a snapshot that shows anew what the next one must hide would be followed by others without end.
  const reset = () => {
    known.clear();
    sent = [];
  };

  return { meet, read, write, known: kept, grew, reset };
}

function namesIn(value: unknown, sign: string): string[] {
  const names = typeof value === "string" ? value.split(/\s+/) : [];
  return names.filter(Boolean).map((name) => sign + name);
}

/** As browsers read it: it ends with its line. */
const STRING = `"(?:[^"\\\\\n\r\f]|\\\\[^])*"?|'(?:[^'\\\\\n\r\f]|\\\\[^])*'?`;
const STRINGS = new RegExp(STRING, "g");
const COMMENTS = /\/\*[^]*?\*\//g;
const NAME = /[.#](?:[\w-]|[^\0-\x7f]|\\[^])+/g;
const ADDRESS = new RegExp(`url\\(\\s*(?:${STRING}|(?:[^)"'\\\\]|\\\\[^])*)\\s*\\)?`, "gi");
/** What fetches something, or could by another spelling. */
const FETCHES = /(?:url|src|image|image-set|cross-fade)\(|\\/i;

function unescaped(name: string): string {
  return name.replace(/\\/g, "");
}

const TOKEN = new RegExp(`/\\*[^]*?(?:\\*/|$)|${STRING}|${ADDRESS.source}|\\\\[^]|[{};]|[^{};"'\\\\/u]+|[^]`, "gi");
/** Rules around rules; those within are asked for themselves. */
const AROUND = /^@(?:media|supports|layer|container|starting-style|document|-moz-document)\b/i;
const HARMLESS = /^@(?:font-face|font-feature-values|import|namespace|charset)\b/i;

/** Browsers read such an address to its bracket; for the expressions here a string begins in it. */
const BROKEN = /url\(\s*[^"'\s)][^)"']*["']/i;

/**
 * A sheet, or declarations, without addresses where `isHidden` says so of what stands before the block.
 * `isBare`: declarations outside of all blocks are seen.
 */
function withoutAddresses(css: string, isHidden: (prelude: string) => boolean, isBare = false): string {
  if (!FETCHES.test(css)) return css;
  if (BROKEN.test(css)) return /\\/.test(css) ? "" : css.replace(/(?:url|src|image|image-set|cross-fade)\(/gi, "none(");
  const blocks: boolean[] = [];
  let done = "";
  let piece = "";
  const finish = () => {
    // Outside of all blocks only a few rules have addresses.
    done += withoutAddress(piece, blocks[blocks.length - 1] ?? !(isBare || HARMLESS.test(piece.trim())));
    piece = "";
  };
  for (const [token] of css.matchAll(TOKEN)) {
    if (token === "{") {
      const prelude = piece.replace(COMMENTS, "").trim();
      const outer = !!blocks[blocks.length - 1];
      // What stands in doubt, keyframes for one, may be for anything.
      blocks.push(prelude[0] === "@" ? (AROUND.test(prelude) ? outer : !HARMLESS.test(prelude)) : outer || isHidden(prelude));
      done += piece + token;
      piece = "";
    } else if (token === "}" || token === ";") {
      finish();
      if (token === "}") blocks.pop();
      done += token;
    } else {
      piece += token;
    }
  }
  finish();
  return done;
}

function withoutAddress(declaration: string, isHidden: boolean): string {
  const [, head = "", value = declaration] = /^([^:()]*:)([^]*)$/.exec(declaration) ?? [];
  if (!(isHidden || /^\s*--/.test(head.replace(COMMENTS, ""))) || !FETCHES.test(value.replace(STRINGS, ""))) return declaration;
  const left = value.replace(ADDRESS, "none");
  return head + (FETCHES.test(left.replace(STRINGS, "")) ? " none" : left);
}

/** A style attribute of an element that is seen: what stands there for others, in custom properties, has no address. */
export function withoutInherited(css: string): string {
  return withoutAddresses(css, () => true, true);
}

/** A value that a script sets: nobody knows for which elements. */
export function withoutAddressIn(value: string): string {
  return withoutAddress(`a:${value}`, true).slice(2);
}

/**
 * What each selector of a list asks of the element itself; what is said by pseudo-classes and attributes
 * is left out, so that it may mean more elements than it does, never less.
 */
function subjectsOf(prelude: string): Subject[] {
  // A part is another element than its host, and may be masked where that is seen.
  if (/[\\&"']|::part/i.test(prelude)) return [[]];
  let bare = prelude.toLowerCase();
  for (let before = ""; before !== bare; ) {
    before = bare;
    bare = bare.replace(/\([^()]*\)|\[[^\]]*\]/g, "");
  }
  return bare.split(",").map((selector) => {
    const last = selector.trim().split(/[\s>+~|]+/).pop() ?? "";
    return last.replace(/::?[\w-]+|\*/g, "").match(/[.#]?[^.#]+/g) ?? [];
  });
}
