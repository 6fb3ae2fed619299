import { SHEET } from "./sheet.ts";

/** Where all that visitors see of a session is drawn; the page's styles do not reach in. */
export interface Host {
  element: HTMLElement;
  root: ShadowRoot;
  /** A group's own rules, behind ours. */
  style: (css: string) => void;
}

export function createHost(doc: Document): Host {
  const own = new CSSStyleSheet();
  const custom = new CSSStyleSheet();
  own.replaceSync(SHEET);
  const host = doc.createElement("glance-cobrowse");
  host.setAttribute("data-no-cobrowse-content", "1");
  // Closed: neither the page nor the recorder looks in.
  const root = host.attachShadow({ mode: "closed" });
  root.adoptedStyleSheets = [own, custom];
  doc.documentElement.appendChild(host);
  return { element: host, root, style: (css) => custom.replaceSync(css) };
}
