import type { FrameAnswer, VisitorMessage } from "../../shared/protocol.ts";
import { plainUrl } from "../mask/text.ts";
import { compileSelectors } from "../mask/selectors.ts";
import { attributeOf, findTag, groupsOf } from "../loader/tag.ts";
import { descriptorOf } from "./masks.ts";
import type { PageSettings } from "./params.ts";

/** What is masked in which document of a page. */
export interface Frames {
  /** The selector that holds in a document; nothing: it must not be seen, as far as is known yet. */
  selectorOf: (doc: Document) => string | undefined;
  /** What the backend says to a question of ours. */
  hear: (answer: FrameAnswer) => void;
}

export interface FramesParts {
  /** The selector of the page itself. */
  selector: string;
  group: number;
  page: Document;
  say: (message: VisitorMessage) => void;
  /** A number that no question had before. */
  number: () => number;
  /** A document may be seen from now on. */
  onShown: () => void;
}

/** So many documents are asked for in one page; frames that load without end are not shown at some point. */
export const FRAMES_MAX = 150;

/**
 * A frame is a page of its own: it is seen only if its grant, which the backend looks at, allows the
 * session's group, and then with the masks of its own rule beside those of the page around it. Documents
 * that were never served, `about:blank`, `srcdoc` and what the page around wrote there, belong to it. What
 * was served without a tag came past the edge, or could not be masked: it is not seen.
 */
export function createFrames(parts: FramesParts): Frames {
  const { selector, group, page, say, number, onShown } = parts;
  // By grant and address, so that a frame that loads the same again is seen at once.
  const known = new Map<string, string | undefined>();
  const names = new WeakMap<Document, string>();
  const asked = new Map<number, string>();
  let isNew = false;

  const selectorOf = (doc: Document): string | undefined => {
    if (doc === page) return selector;
    const around = doc.defaultView?.frameElement?.ownerDocument;
    const outer = around && selectorOf(around);
    if (!outer) return undefined;
    // What such a page masks only its own script can say, and frames are not asked.
    if (descriptorOf(settingsOf(doc))) return undefined;
    if (isWritten(doc, around)) return outer;
    const own = ownSelector(doc);
    return own === undefined ? undefined : `${outer},${own}`;
  };

  const ownSelector = (doc: Document): string | undefined => {
    const tag = findTag(doc);
    if (tag && groupsOf(tag).indexOf(group) < 0) return undefined;
    const name = names.get(doc) ?? (tag && nameOf(doc, attributeOf(tag, "grant")));
    if (!name) return undefined; // perhaps it is still loading
    if (!known.has(name)) ask(name);
    return known.get(name);
  };

  const nameOf = (doc: Document, grant: string): string => {
    const name = `${grant} ${plainUrl(servedFrom(doc)) || plainUrl(doc.URL)}`;
    names.set(doc, name);
    return name;
  };

  const ask = (name: string) => {
    if (known.size >= FRAMES_MAX) return;
    known.set(name, undefined);
    const frame = number();
    asked.set(frame, name);
    const [grant = "", url = ""] = name.split(" ");
    say({ type: "frame", frame, grant, url });
  };

  const hear = ({ frame, allowed, masks }: FrameAnswer) => {
    const name = asked.get(frame);
    if (name === undefined) return;
    asked.delete(frame);
    const compiled = allowed === true && Array.isArray(masks) && compileSelectors(masks, page);
    if (compiled && compiled.ok) {
      known.set(name, compiled.selector);
      isNew = true;
    }
    // Pages have many frames: all that were asked for are shown at once.
    if (asked.size || !isNew) return;
    isNew = false;
    onShown();
  };

  return { selectorOf, hear };
}

function settingsOf(doc: Document): PageSettings {
  const view = doc.defaultView as { GLANCE_COBROWSE?: PageSettings } | null;
  return view?.GLANCE_COBROWSE ?? {};
}

/** Made without the network. `document.open` gives a document the address of the page whose script calls it. */
function isWritten(doc: Document, around: Document): boolean {
  if (NO_ADDRESS.test(doc.URL)) return true;
  return NO_ADDRESS.test(servedFrom(doc)) && !findTag(doc) && doc.URL === around.URL.replace(/#.*/, "");
}

const NO_ADDRESS = /^about:(?:blank|srcdoc)/;

/** The address under which the browser fetched the document, whatever it is called by now. */
function servedFrom(doc: Document): string {
  const name = doc.defaultView?.performance?.getEntriesByType("navigation")[0]?.name ?? "";
  return /^(?:https?|about):/.test(name) ? name : "";
}
