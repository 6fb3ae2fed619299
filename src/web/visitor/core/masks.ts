import type { Agents } from "../../shared/protocol.ts";
import { compileSelectors, groupSelector } from "../mask/selectors.ts";
import type { PageSettings } from "./params.ts";

/** What is masked on the page itself; `page`: all of it. */
export type Prepared = { ok: true; selector: string; page: boolean } | { ok: false; msg: string };

/** `GLANCE_COBROWSE.getMaskingDescriptor`, if the page has one. */
export type Descriptor = (params: { agents: Agents }) => unknown;

export function descriptorOf(settings: PageSettings): Descriptor | undefined {
  const own = settings.getMaskingDescriptor;
  return typeof own === "function" ? (params) => own.call(settings, params) : undefined;
}

/**
 * The rules of a session in a group: the backend's selectors and the page's own. One that cannot be
 * read, or a page that cannot say what it masks, and there are no rules at all.
 */
export async function prepareMasks(
  selectors: readonly string[],
  group: number,
  agents: Agents,
  descriptor: Descriptor | undefined,
  doc: Document,
): Promise<Prepared> {
  try {
    const own = descriptor ? readDescriptor(await inTime(descriptor({ agents }))) : NOTHING;
    const all = [...selectors, ...own.selectors, groupSelector(group)];
    const compiled = compileSelectors(all, doc);
    if (!compiled.ok) return { ok: false, msg: `not a selector of elements: ${compiled.bad}` };
    return { ok: true, selector: compiled.selector, page: own.page };
  } catch (problem) {
    return { ok: false, msg: `the page could not say what it masks: ${problem}` };
  }
}

/** How long a page may take to say what it masks. */
const PATIENCE_MS = 10_000;

function inTime(said: unknown): Promise<unknown> {
  const late = new Promise((_resolve, reject) => {
    setTimeout(() => reject(new Error("it took too long")), PATIENCE_MS);
  });
  return Promise.race([said, late]);
}

interface Described {
  page: boolean;
  selectors: string[];
}

const NOTHING: Described = { page: false, selectors: [] };

function readDescriptor(said: unknown): Described {
  if (!said || typeof said !== "object") throw new Error("no masking descriptor");
  const { maskpage, maskedelements = [] } = said as { maskpage?: unknown; maskedelements?: unknown };
  if (!Array.isArray(maskedelements)) throw new Error("maskedelements is not a list");
  return { page: !!maskpage, selectors: maskedelements as string[] };
}
