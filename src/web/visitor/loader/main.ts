import { parseGroup } from "../../shared/groups.ts";
import { MARKER } from "../../shared/protocol.ts";
import { checkGroup, wantedGroup } from "../group-check.ts";
import { guarded } from "../guard.ts";
import type { Call, Handover, Listener, VisitorError } from "../handover.ts";
import { functionOf, parseHotKeys } from "./hot-keys.ts";
import { attributeOf, findTag, readTag, type Tag } from "./tag.ts";

declare const __VERSION__: string;
declare const __CORE_FILE__: string;
declare const __CORE_INTEGRITY__: string;

const UI = "showTerms showButton toggleButton ";
/** What links and hot keys may call. */
const CALLED = `startSession ${UI}stopSession`;
const OTHERS =
  "pauseSession enableRC addSessionMessageListener sendSessionMessage crossDomain continueSessionAt " +
  "viewPDF viewXLS getKey getSessionState isSessionPaused";
/** A page that calls and calls without a session is not listened to for ever. */
const QUEUE_MAX = 99;

guarded(() => {
  const element = findTag(document);
  const script = (document.currentScript ?? element) as HTMLScriptElement | null;
  const page = window as any;
  const glance = (page.GLANCE ??= {});
  const cobrowse = (glance.Cobrowse ??= {});
  if (!element || !script?.src || cobrowse.Loader) return;
  glance.VERSION = __VERSION__;
  install(cobrowse, readTag(element, script.src));
})();

function install(cobrowse: Record<string, unknown>, tag: Tag): void {
  const queue: Call[] = [];
  const emit = (name: string, payload?: unknown) => {
    for (const [other, listener] of [...handover.listeners]) if (other === name) guarded(listener)(payload);
  };
  /** In a frame, sessions are the outermost page's, where that can be reached. */
  const outer = (): Handover => {
    try {
      return (top as any).GLANCE.Cobrowse.Loader ?? handover;
    } catch {
      return handover;
    }
  };
  const visitor: Record<string, unknown> = {
    loaded: false,
    VERSION: __VERSION__,
    setStartParams: (params: unknown) => (outer().params = params),
    inSession: () => !!markedGroup(),
    sessionGroupId: markedGroup,
    addEventListener: (...pair: [string, Listener]) => outer().listeners.push(pair),
    removeEventListener: (name: string, listener: Listener) => {
      const page = outer();
      page.listeners = page.listeners.filter((pair) => pair[0] !== name || pair[1] !== listener);
    },
  };
  const ui: Record<string, unknown> = { loaded: false };
  const handover: Handover = (cobrowse.Loader = { tag, queue, listeners: [], emit, visitor, ui } as unknown as Handover);

  const call = (handover.call = guarded((name: string, args: readonly unknown[], primary?: boolean): unknown => {
    const page = outer();
    if (page !== handover) return page.call(name, args, primary);
    if (handover.run) return handover.run({ name, args, primary });
    if (/^start|Terms/.test(name)) {
      const checked = checkGroup(primary ? "" : wantedGroup(args[0] ?? handover.params), tag.groups);
      if ((checked as VisitorError).code) return emit("error", checked);
    }
    if (/^(start|show|toggle)/.test(name) || markedGroup()) load(handover);
    // What is about a session is nothing without one.
    else if (!queue[0] && !/^(add|set)/.test(name)) return undefined;
    if (queue.length < QUEUE_MAX) queue.push({ name, args, primary });
    return undefined;
  }));
  const offer = (object: Record<string, unknown>, names: string) => {
    for (const name of names.split(" ")) object[name] = (...args: unknown[]) => call(name, args);
  };
  offer(visitor, `${CALLED} ${OTHERS}`);
  offer(ui, `${UI}setStyle promptCrossDomain`);
  cobrowse.Visitor = visitor;
  // With a user interface of its own the page must not find ours.
  if (attributeOf(tag.element, "ui") !== "custom") cobrowse.VisitorUI = ui;

  const keys = parseHotKeys(tag.inputEvents);
  const trigger = (name: string | null | undefined) => {
    // A part of a name is the name of nothing.
    if (name && CALLED.indexOf(name) >= 0) call(name, [], true);
  };
  on("keydown", (event: KeyboardEvent) => trigger(functionOf(keys, event)));
  // Links may be added at any time: they are found when they are clicked.
  on("click", (event: MouseEvent) => {
    const path = event.composedPath() as Element[];
    const link = path.find((node) => node.matches?.("[data-glancebutton],[glance_button]"));
    if (link?.localName === "a") event.preventDefault();
    trigger(link && (attributeOf(link, "glancebutton") || link.getAttribute("glance_button")));
  });
  const look = () => {
    if (!handover.run && top === window && markedGroup()) load(handover);
  };
  on("focus", look);
  on("pageshow", look);
  look();
}

function on(name: string, listener: (event: any) => void): void {
  addEventListener(name, guarded(listener), true);
}

function load({ tag, queue, emit }: Handover): void {
  const id = "glance_cbscript";
  if (document.getElementById(id)) return;
  const script = document.createElement("script");
  script.id = id;
  script.nonce = tag.element.nonce;
  script.crossOrigin = "anonymous";
  script.integrity = __CORE_INTEGRITY__;
  script.onerror = () => {
    script.remove();
    queue.length = 0;
    emit("error", { code: "SCRIPT_NOT_LOADED", msg: "not loaded", params: { script: __CORE_FILE__ } });
  };
  script.src = tag.scripts + __CORE_FILE__;
  document.documentElement.appendChild(script);
}

/** The group of the session that there is, started on this page or on one before it. */
function markedGroup(): number | undefined {
  try {
    const kept = `;${document.cookie};${MARKER}=${localStorage[MARKER]}`;
    return parseGroup(kept.match(`; ?${MARKER}=(\\d+)`)?.[1]);
  } catch {
    return undefined; // a page that may keep nothing
  }
}
