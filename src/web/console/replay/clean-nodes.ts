import { cleanAttributes, cleanTag, INERT } from "./clean-attributes.ts";
import { inLayoutMode } from "./layout-mode.ts";
import { NODE, type CleanNode } from "./recording.ts";
import { bag, id, list, malformed, text, type Bag } from "./values.ts";

/** Deeper trees are in no page that a browser parsed, and would use up the stack. */
export const DEPTH_MAX = 600;
/** Nodes that one recording may hold. */
export const NODES_MAX = 400_000;

/** Which tags the nodes of a recording have, so that later changes are cleaned as what they change. */
export interface Nodes {
  tagOf: (node: number) => string | undefined;
  clean: (node: unknown) => CleanNode;
}

const RESERVED = new Set(
  [
    "annotation-xml color-profile font-face font-face-src font-face-uri font-face-format font-face-name",
    "missing-glyph",
  ].join(" ").split(" "),
);

export function cleanNodes(): Nodes {
  const tags = new Map<number, string>();

  const clean = (given: unknown, depth: number): CleanNode => {
    if (depth > DEPTH_MAX || tags.size > NODES_MAX) malformed("too large");
    const node = bag(given, "node");
    const made: CleanNode = { type: NODE.comment, id: id(node.id, "node.id"), textContent: "" };
    if (node.rootId !== undefined) made.rootId = id(node.rootId, "node.rootId");
    if (node.isShadow === true) made.isShadow = true;
    const children = () => list(node.childNodes, "childNodes").map((child) => clean(child, depth + 1));
    switch (node.type) {
      case NODE.document:
        return inLayoutMode({ ...made, type: NODE.document, childNodes: children() }, node.compatMode);
      case NODE.doctype:
        return { ...made, ...doctype(node) };
      case NODE.element:
        return { ...made, ...element(node, made.id), childNodes: node.childNodes === undefined ? [] : children() };
      case NODE.text:
      case NODE.cdata:
        return { ...made, ...textNode(node) };
      default:
        return made;
    }
  };

  const element = (node: Bag, nodeId: number): Bag => {
    const attributes = bag(node.attributes ?? {}, "attributes");
    const tagName = cleanTag(text(node.tagName), attributes);
    tags.set(nodeId, tagName);
    return {
      type: NODE.element,
      tagName,
      attributes: cleanAttributes(tagName, attributes),
      ...(node.isSVG === true && tagName !== INERT ? { isSVG: true } : {}),
      ...(node.isCustom === true && isCustomName(tagName) ? { isCustom: true } : {}),
      ...(node.isShadowHost === true ? { isShadowHost: true } : {}),
    };
  };

  return { tagOf: (node) => tags.get(node), clean: (node) => clean(node, 0) };
}

function doctype({ publicId, systemId }: Bag): Bag {
  return { type: NODE.doctype, name: "html", publicId: text(publicId), systemId: text(systemId) };
}

function textNode({ textContent, isStyle }: Bag): Bag {
  return { type: NODE.text, textContent: text(textContent), ...(isStyle === true ? { isStyle } : {}) };
}

function isCustomName(tag: string): boolean {
  return /^[a-z][a-z0-9_.]*-[a-z0-9_.-]*$/.test(tag) && !RESERVED.has(tag) && tag !== INERT;
}
