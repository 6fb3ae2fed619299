import { maskAttributes, plainAttributes } from "./attributes.ts";
import { maskCssValue } from "./css.ts";
import { CHANGE, EVENT, NODE, type Mutation, type RecordedEvent, type Written } from "./events.ts";
import type { Change, Look, MaskedNodes } from "./masked-nodes.ts";
import { createSheets, withoutAddressIn } from "./sheets.ts";
import { plainUrl, stars } from "./text.ts";

export interface MaskLayer {
  /** The event without what is masked, or nothing: then it must not be sent. */
  apply(event: RecordedEvent): RecordedEvent | undefined;
}

export interface MaskLayerParts {
  nodes: MaskedNodes;
  /** The node of an ID of the recorder's; `null` where it knows none. */
  nodeOf: (id: number) => Node | null;
  /** Asks for a snapshot, because the last one shows what is masked by now. */
  onGrown: () => void;
  /** An event could not be masked and is lost. */
  onFault: () => void;
}

/**
 * Stands between recorder and wire. What it does not know, it does not let through: a kind of event, a
 * node, an attribute of a masked element.
 */
export function maskLayer({ nodes, nodeOf, onGrown, onFault }: MaskLayerParts): MaskLayer {
  // Sheets that scripts made, by the recorder's number, of documents that are seen.
  const adopted = new Set<number>();
  const sheets = createSheets();

  const apply = (event: RecordedEvent) => {
    try {
      const change = changeOf(event, nodeOf);
      const left = mask(event);
      const grew = change ? nodes.grew(change) : false;
      if (sheets.grew() || grew) onGrown();
      return left;
    } catch {
      onFault();
      return undefined;
    }
  };

  const mask = (event: RecordedEvent): RecordedEvent | undefined => {
    const look = nodes.look();
    switch (event.type) {
      case EVENT.dom:
      case EVENT.load:
        return { ...event, data: {} };
      case EVENT.meta:
        return { ...event, data: { ...event.data, href: plainUrl(event.data.href) } };
      case EVENT.snapshot:
        sheets.reset();
        meetTree(event.data.node, look);
        maskTree(event.data.node, look);
        sheets.grew(); // what was met by now is known to the sheets
        return event;
      case EVENT.change:
        return maskChange(event, look) ? event : undefined;
      default:
        return undefined;
    }
  };

  /** First all names, then what they decide. */
  const meetTree = (written: Written, look: Look) => {
    const { attributes, tagName = "", childNodes = [] } = written;
    const node = nodeOf(written.id);
    if (written.type === NODE.document && look.withheld(node)) return;
    if (attributes) {
      sheets.meet(tagName, attributes, look.masked(node));
      if (typeof attributes._cssText === "string") attributes._cssText = sheets.read(attributes._cssText);
    } else if (isSheet(node)) {
      written.textContent = sheets.read(written.textContent ?? "");
    }
    for (const child of childNodes) meetTree(child, look);
  };

  const wholeSheet = (css: string) => sheets.write(sheets.read(css));

  const maskTree = (written: Written, look: Look) => {
    const node = nodeOf(written.id);
    if (written.type === NODE.element) {
      maskElement(written, node, look.masked);
    } else if (written.type === NODE.text) {
      written.textContent = maskText(written.textContent, node, look.masked);
    } else if (written.type === NODE.document && look.withheld(node)) {
      written.childNodes = []; // an empty frame, in the place of what was in it before
    } else if (written.type !== NODE.document && written.type !== NODE.doctype) {
      written.textContent = "";
    }
    for (const child of written.childNodes ?? []) maskTree(child, look);
  };

  const maskElement = (written: Written, node: Node | null, ask: Ask) => {
    const tag = (written.tagName ?? "").toLowerCase();
    const attributes = written.attributes ?? {};
    if (!ask(node)) {
      if (node) nodes.shown(node as Element);
      written.attributes = plainAttributes(tag, attributes, sheets.write);
      return;
    }
    written.attributes = maskAttributes(attributes, sheets.known);
    if (HOLLOW.test(tag)) written.childNodes = [];
  };

  const maskText = (text: string | null | undefined, node: Node | null, ask: Ask): string => {
    const tag = (node?.parentNode as Element | null)?.localName;
    if (ask(node) || tag === "title") return stars(text ?? "");
    if (!isSheet(node)) return text ?? "";
    return sheets.write(text ?? "", node?.parentNode?.childNodes.length !== 1);
  };

  const maskMutation = (data: Mutation, look: Look) => {
    const { masked: ask } = look;
    const isSeen = ({ id }: { id: number }) => !look.withheld(nodeOf(id));
    data.texts = data.texts.filter(isSeen);
    data.attributes = data.attributes.filter(isSeen);
    data.adds = data.adds.filter(({ node }) => {
      return (isSeen(node) || node.type === NODE.document) && !isInHollow(nodeOf(node.id), ask);
    });
    for (const { node } of data.adds) meetTree(node, look);
    for (const { id, attributes } of data.attributes) {
      const element = nodeOf(id) as Element | null;
      sheets.meet(element?.localName ?? "", attributes, ask(element));
      if (typeof attributes._cssText === "string") attributes._cssText = sheets.read(attributes._cssText);
    }
    for (const { node } of data.adds) maskTree(node, look);
    for (const text of data.texts) {
      const node = nodeOf(text.id);
      text.value = maskText(isSheet(node) ? sheets.read(text.value ?? "") : text.value, node, ask);
    }
    for (const change of data.attributes) {
      const element = nodeOf(change.id) as Element | null;
      change.attributes = ask(element)
        ? maskAttributes(change.attributes, sheets.known)
        : plainAttributes(element?.localName ?? "", change.attributes, sheets.write);
    }
  };

  /** Whether the change may go out; it has been masked in place. */
  const maskChange = (event: RecordedEvent, look: Look): boolean => {
    const { data } = event;
    const isMasked = (id: number) => look.masked(nodeOf(id));
    // What happens in a document that must not be seen is nobody's business.
    if (typeof data.id === "number" && look.withheld(nodeOf(data.id))) return false;
    switch (data.source) {
      case CHANGE.mutation:
        maskMutation(data as unknown as Mutation, look);
        return true;
      case CHANGE.mouseMove:
      case CHANGE.touchMove:
      case CHANGE.drag:
        // Where a pointer is on a masked keypad tells which key it presses.
        data.positions = data.positions.filter((position: { id: number }) => !isMasked(position.id));
        return data.positions.length > 0;
      case CHANGE.mouse:
      case CHANGE.media:
        return !isMasked(data.id);
      case CHANGE.input:
        return maskInput(data, nodeOf(data.id), look.masked);
      case CHANGE.rule:
        if (data.styleId && !adopted.has(data.styleId)) return false;
        for (const add of data.adds ?? []) add.rule = wholeSheet(add.rule);
        for (const whole of ["replace", "replaceSync"]) {
          if (typeof data[whole] === "string") data[whole] = wholeSheet(data[whole]);
        }
        return true;
      case CHANGE.declaration:
        if (data.styleId && !adopted.has(data.styleId)) return false;
        if (data.set) data.set.value = withoutAddressIn(maskCssValue(data.set.property, `${data.set.value ?? ""}`));
        return true;
      case CHANGE.sheet:
        for (const id of data.styleIds ?? []) adopted.add(id);
        for (const sheet of data.styles ?? []) {
          for (const part of sheet.rules) part.rule = wholeSheet(part.rule);
        }
        return true;
      case CHANGE.scroll:
      case CHANGE.resize:
      case CHANGE.selection:
      case CHANGE.customElement:
        return true;
      default:
        return false;
    }
  };

  return { apply };
}

type Ask = (node: Node | null) => boolean;

/** The text of a style element. */
function isSheet(node: Node | null): boolean {
  return (node?.parentNode as Element | null)?.localName === "style";
}

/** Elements of which a masked one is an empty box. */
const HOLLOW = /^(?:svg|math|video|audio|canvas|picture|object|embed|iframe|frame)$/;

function isInHollow(node: Node | null, ask: Ask): boolean {
  for (let parent = node?.parentNode; parent; parent = parent.parentNode) {
    if (HOLLOW.test((parent as Element).localName ?? "") && ask(parent)) return true;
  }
  return false;
}

function maskInput(data: Record<string, any>, node: Node | null, ask: Ask): boolean {
  if (!ask(node)) return true;
  const type = (node as HTMLInputElement | null)?.type;
  if (!node || type === "radio" || type === "checkbox") return false;
  data.text = stars(`${data.text ?? ""}`);
  data.isChecked = false;
  return true;
}

/** What of an event can mask more than before. */
function changeOf({ type, data }: RecordedEvent, nodeOf: (id: number) => Node | null): Change | undefined {
  if (type !== EVENT.change || data.source !== CHANGE.mutation) return undefined;
  const mutation = data as unknown as Mutation;
  const attributes: Change["attributes"] = [];
  for (const change of mutation.attributes) {
    const element = nodeOf(change.id) as Element | null;
    if (element) attributes.push({ element, names: Object.keys(change.attributes) });
  }
  return { attributes, nodes: mutation.adds.length > 0 || mutation.removes.length > 0 };
}
