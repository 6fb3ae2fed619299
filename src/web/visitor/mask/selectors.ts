/** What is masked on every page, whoever says what. */
export const BUILT_IN = [
  "input[type=password i]",
  "input[type=hidden i]",
  "[autocomplete^='cc-' i]",
  "[autocomplete~=one-time-code i]",
  "[autocomplete*=password i]",
  "[data-rr-is-password]", // the recorder's mark on a password that is shown in clear
  "[glance_masked=true i]",
  ".glance_masked",
] as const;

export type Compiled = { ok: true; selector: string } | { ok: false; bad: string };

/**
 * One selector out of many. Each is tried alone: browsers let the whole of a list fail, or match
 * nothing, where one part of it is bad.
 */
export function compileSelectors(selectors: readonly string[], doc: Document): Compiled {
  const probe = doc.createDocumentFragment();
  probe.appendChild(doc.createElement(PROBE));
  for (const selector of selectors) {
    if (!stands(selector, probe)) return { ok: false, bad: selector };
  }
  return { ok: true, selector: [...BUILT_IN, ...selectors].join(",") };
}

const PROBE = "glance-probe";

/** Whether the selector means the same alone and in a list, and can mean an element. */
function stands(selector: string, probe: DocumentFragment): boolean {
  if (typeof selector !== "string" || namesPseudoElement(selector)) return false;
  try {
    probe.querySelector(selector);
    // What is left open (a string, a bracket, a comment) swallows what comes behind it.
    return probe.querySelector(`${selector},${PROBE}`) !== null;
  } catch {
    return false;
  }
}

/** `p::before` parses, and never matches: a mask that would be lost without a word. */
function namesPseudoElement(selector: string): boolean {
  const bare = selector.replace(/\\[^]/g, "").replace(/"[^"]*"|'[^']*'/g, "");
  return /::|:(before|after|first-line|first-letter)\b/i.test(bare);
}

/** The mark that the edge puts on elements which are masked in one group's sessions. */
export function groupSelector(group: number): string {
  return `[data-cobrowse-mask-groups~="${group}"]`;
}
