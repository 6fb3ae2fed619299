export interface MaskRules {
  /** Everything is masked, whatever the selectors say. */
  page: boolean;
  /** The compiled list for a document; nothing: it must not be seen in this session, perhaps not yet. */
  selectorOf: (doc: Document) => string | undefined;
}

export interface MaskedNodes {
  /** Answers for one event: asks each node once, and finds the DOM as it is now. */
  look(): Look;
  /** Remembers that the agent saw this element in clear. */
  shown(element: Node): void;
  /** Whether something that was seen in clear is masked since this change; answered with yes once. */
  grew(change: Change): boolean;
}

export interface Look {
  masked: (node: Node | null) => boolean;
  /** The node is in a document that must not be seen: nothing of it may be sent. */
  withheld: (node: Node | null) => boolean;
}

/** What of a change can make masks of other elements. */
export interface Change {
  /** Elements of which an attribute changed. */
  attributes: { element: Element; names: readonly string[] }[];
  /** Nodes came, went or moved. */
  nodes: boolean;
}

/**
 * Which nodes are masked. A node that was masked once stays so, wherever it is moved and whatever
 * becomes of its attributes: a page can add masks, never take them away. `masked`: those that were by now,
 * in recordings before this one.
 */
export function maskedNodes(rules: MaskRules, top: Document, masked = new WeakSet<Node>()): MaskedNodes {
  const clear = new WeakSet<Node>();
  const roots = new Set<Document | ShadowRoot>([top]);
  let grown = false;

  const look = (): Look => {
    const known = new Map<Node, boolean>();
    const selectors = new Map<Document, string | undefined>();
    const selectorIn = (doc: Document) => {
      if (!selectors.has(doc)) selectors.set(doc, rules.selectorOf(doc));
      return selectors.get(doc);
    };
    const ask = (node: Node | null): boolean => {
      if (!node) return true; // not part of the page that is shown: nobody knows what it is
      if (masked.has(node)) return true;
      const answer = known.get(node);
      if (answer !== undefined) return answer;
      const selector = selectorIn(documentOf(node));
      // Not remembered: it may be seen later.
      const found = selector === undefined || isMasked(node, selector, ask);
      known.set(node, found);
      if (!found || selector === undefined) return found;
      masked.add(node);
      grown = clear.delete(node) || grown;
      return true;
    };
    // Of a page that is masked as a whole nothing is remembered but what its selectors mean: it may open later.
    return { masked: (node) => ask(node) || rules.page, withheld: (node) => !!node && selectorIn(documentOf(node)) === undefined };
  };

  const isMasked = (node: Node, selector: string, ask: Ask): boolean => {
    if (node.nodeType === DOCUMENT) return isMaskedDocument(node as Document, ask);
    if (node.nodeType === FRAGMENT) {
      if (looksAround(selector)) roots.add(node as ShadowRoot);
      return ask((node as ShadowRoot).host ?? null);
    }
    if (node.nodeType === ELEMENT && isMaskedElement(node as Element, selector, ask)) return true;
    const slot = (node as Element).assignedSlot;
    return (slot ? ask(slot) : false) || ask(node.parentNode);
  };

  const isMaskedDocument = (doc: Document, ask: Ask): boolean => {
    if (doc === top) return false;
    roots.add(doc);
    return ask(doc.defaultView?.frameElement ?? null);
  };

  const isMaskedElement = (element: Element, selector: string, ask: Ask): boolean => {
    if (element.matches(selector)) return true;
    if (/^(?:select|textarea)$/.test(element.localName)) return holdsMasked(element, selector);
    return element.localName === "datalist" && inputsOf(element).some(ask);
  };

  /** The value of such a field is made of what is in it. */
  const holdsMasked = (field: Element, selector: string): boolean => {
    if (field.querySelector(selector)) return true;
    for (const child of field.childNodes) if (masked.has(child)) return true;
    return false;
  };

  const grew = ({ attributes, nodes }: Change) => {
    if (grown) {
      grown = false;
      return true;
    }
    for (const root of roots) if (isGone(root)) roots.delete(root);
    const changed = attributes.filter(({ element, names }) => {
      return names.some((name) => name !== "style") || READS_STYLE.test(selectorOf(element));
    });
    if (!changed.length && !nodes) return false;
    for (const root of roots) if (looksAround(selectorOf(root)) && grewIn(root)) return true;
    return changed.some(({ element }) => grewIn(element));
  };

  const selectorOf = (node: Node) => rules.selectorOf(documentOf(node)) ?? "";

  const grewIn = (place: ParentNode): boolean => {
    const selector = selectorOf(place);
    if (!selector) return false;
    for (const element of place.querySelectorAll(selector)) {
      if (clear.has(element) && !masked.has(element)) return true;
    }
    return false;
  };

  return { look, shown: (element) => clear.add(element), grew };
}

type Ask = (node: Node | null) => boolean;

const READS_STYLE = /\[\s*style/i;

/** With siblings or counting, a change can matter anywhere; else only within what changed. */
function looksAround(selector: string): boolean {
  return /[+:]|~[^=]/.test(selector);
}

function documentOf(node: Node): Document {
  return node.ownerDocument ?? (node as Document);
}

const ELEMENT = 1;
const DOCUMENT = 9;
const FRAGMENT = 11;

function isGone(root: Document | ShadowRoot): boolean {
  return root.nodeType === DOCUMENT ? !(root as Document).defaultView : !root.isConnected;
}

/** The choices of a masked field tell what may be in it. */
function inputsOf(datalist: Element): Element[] {
  const root = datalist.getRootNode() as Document | ShadowRoot;
  const inputs: Element[] = [];
  for (const input of root.querySelectorAll("input[list]")) {
    if (input.getAttribute("list") === datalist.id) inputs.push(input);
  }
  return inputs;
}
