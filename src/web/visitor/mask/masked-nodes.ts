export interface MaskRules {
  /** A compiled list; see `compileSelectors`. */
  selector: string;
  /** Everything is masked, whatever the selectors say. */
  page: boolean;
  /** Whether the document of a frame may be seen in this session. */
  mayShow: (frame: Document) => boolean;
}

export interface MaskedNodes {
  /** Answers for one event: asks each node once, and finds the DOM as it is now. */
  look(): (node: Node | null) => boolean;
  /** Remembers that the agent saw this element in clear. */
  shown(element: Node): void;
  /** Whether something that was seen in clear is masked since this change; answered with yes once. */
  grew(change: Change): boolean;
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
 * becomes of its attributes: a page can add masks, never take them away.
 */
export function maskedNodes(rules: MaskRules, top: Document): MaskedNodes {
  const masked = new WeakSet<Node>();
  const clear = new WeakSet<Node>();
  const roots = new Set<Document | ShadowRoot>([top]);
  // With siblings or counting, a change can matter anywhere; else only within what changed.
  const looksAround = /[+:]|~[^=]/.test(rules.selector);
  const readsStyle = /\[\s*style/i.test(rules.selector);
  let grown = false;

  const look = () => {
    const known = new Map<Node, boolean>();
    const ask = (node: Node | null): boolean => {
      if (!node) return true; // not part of the page that is shown: nobody knows what it is
      if (masked.has(node)) return true;
      const answer = known.get(node);
      if (answer !== undefined) return answer;
      const found = isMasked(node, ask);
      known.set(node, found);
      if (!found) return false;
      masked.add(node);
      grown = clear.delete(node) || grown;
      return true;
    };
    return ask;
  };

  const isMasked = (node: Node, ask: (node: Node | null) => boolean): boolean => {
    if (rules.page) return true;
    if (node.nodeType === DOCUMENT) return isMaskedDocument(node as Document, ask);
    if (node.nodeType === FRAGMENT) {
      if (looksAround) roots.add(node as ShadowRoot);
      return ask((node as ShadowRoot).host ?? null);
    }
    if (node.nodeType === ELEMENT && isMaskedElement(node as Element, ask)) return true;
    const slot = (node as Element).assignedSlot;
    return (slot ? ask(slot) : false) || ask(node.parentNode);
  };

  const isMaskedDocument = (doc: Document, ask: (node: Node | null) => boolean): boolean => {
    if (doc === top) return false;
    if (looksAround) roots.add(doc);
    return !rules.mayShow(doc) || ask(doc.defaultView?.frameElement ?? null);
  };

  const isMaskedElement = (element: Element, ask: (node: Node | null) => boolean): boolean => {
    if (element.matches(rules.selector)) return true;
    if (/^(?:select|textarea)$/.test(element.localName)) return holdsMasked(element);
    return element.localName === "datalist" && inputsOf(element).some(ask);
  };

  /** The value of such a field is made of what is in it. */
  const holdsMasked = (field: Element): boolean => {
    if (field.querySelector(rules.selector)) return true;
    for (const child of field.childNodes) if (masked.has(child)) return true;
    return false;
  };

  const grew = ({ attributes, nodes }: Change) => {
    if (grown) {
      grown = false;
      return true;
    }
    const changed = attributes.filter(({ names }) => readsStyle || names.some((name) => name !== "style"));
    if (!changed.length && !nodes) return false;
    if (!looksAround) return grewIn(changed.map(({ element }) => element));
    for (const root of roots) if (isGone(root)) roots.delete(root);
    return grewIn(roots);
  };

  const grewIn = (places: Iterable<ParentNode>): boolean => {
    for (const place of places) {
      for (const element of place.querySelectorAll(rules.selector)) {
        if (clear.has(element) && !masked.has(element)) return true;
      }
    }
    return false;
  };

  return { look, shown: (element) => clear.add(element), grew };
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
