import { NODE, type CleanNode } from "./recording.ts";
import type { Bag } from "./values.ts";

const XHTML = "http://www.w3.org/1999/xhtml";
/** WHATWG HTML 13.2.6.4.1: with these a page is laid out in limited-quirks mode. */
const LIMITED = /^-\/\/W3C\/\/DTD XHTML 1\.0 (?:Frameset|Transitional)\/\//i;
const LIMITED_WITH_SYSTEM = /^-\/\/W3C\/\/DTD HTML 4\.01 (?:Frameset|Transitional)\/\//i;

/**
 * A document that the replayer lays out as the visitor's browser does. A doctype that is put into a
 * document changes no mode any more; only one that is written does. The replayer writes one for documents
 * in quirks mode that bring none: that of HTML 4.0 (quirks), or behind a root with an `xmlns` that of
 * XHTML 1.0 (limited quirks: table cells as high as their pictures).
 */
export function inLayoutMode(page: CleanNode, compatMode: unknown): CleanNode {
  const nodes = page.childNodes as CleanNode[];
  const root = nodes.find(({ type }) => type === NODE.element);
  const doctype = nodes.find(({ type }) => type === NODE.doctype);
  const isQuirky = compatMode === "BackCompat";
  if (!root || !(isQuirky || (doctype && isLimited(doctype)))) return page;
  const { xmlns: _, ...attributes } = root.attributes as Bag;
  root.attributes = isQuirky ? attributes : { ...attributes, xmlns: XHTML };
  const rest = nodes.filter((node) => node !== root && node !== doctype);
  return { ...page, compatMode: "BackCompat", childNodes: [root, ...rest] };
}

function isLimited({ publicId, systemId }: CleanNode): boolean {
  const name = `${publicId}`;
  return LIMITED.test(name) || (systemId !== "" && LIMITED_WITH_SYSTEM.test(name));
}
