/** A place in the visitor's page: a node of the recording, and a fraction of its box. */
export interface Spot {
  node: number;
  x: number;
  y: number;
  /** The node's box in the window of the page. */
  box: DOMRect;
}

/**
 * What lies at a point of the page's window, through shadow roots and frames. A node says more than
 * coordinates: it is at another place where the visitor's window is wider.
 */
export function spotAt(doc: Document, x: number, y: number, idOf: (node: Node) => number): Spot | undefined {
  const found = deepest(doc, x, y);
  if (!found) return undefined;
  for (let element: Element | null = found.element; element; element = parentOf(element)) {
    const node = idOf(element);
    if (node <= 0) continue;
    const { left, top, width, height } = element.getBoundingClientRect();
    const box = new DOMRect(left + found.left, top + found.top, width, height);
    if (!width || !height) continue;
    return { node, x: fraction(x - box.x, width), y: fraction(y - box.y, height), box };
  }
  return undefined;
}

interface Found {
  element: Element;
  /** Where the element's frame lies in the window. */
  left: number;
  top: number;
}

function deepest(root: Document | ShadowRoot, x: number, y: number, left = 0, top = 0): Found | undefined {
  const element = root.elementFromPoint(x - left, y - top);
  if (!element) return undefined;
  if (element.shadowRoot && element.shadowRoot !== root) {
    return deepest(element.shadowRoot, x, y, left, top) ?? { element, left, top };
  }
  const inner = (element as Partial<HTMLIFrameElement>).contentDocument;
  if (inner) {
    const box = element.getBoundingClientRect();
    const within = { left: left + box.left + element.clientLeft, top: top + box.top + element.clientTop };
    return deepest(inner, x, y, within.left, within.top) ?? { element, left, top };
  }
  return { element, left, top };
}

function parentOf(element: Element): Element | null {
  const root = element.getRootNode();
  return element.parentElement ?? ("host" in root ? (root as ShadowRoot).host : null);
}

function fraction(part: number, whole: number): number {
  return Math.min(1, Math.max(0, part / whole));
}
