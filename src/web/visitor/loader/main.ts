import { parseGroup } from "../../shared/groups.ts";
import { MARKER } from "../../shared/protocol.ts";
import { checkGroup, wantedGroup } from "../group-check.ts";
import { guarded } from "../guard.ts";
import type { Call, Handover, Listener } from "../handover.ts";
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
  const listeners: Record<string, Listener[]> = {};
  const emit = (name: string, payload?: unknown) => {
    for (const listener of [...(listeners[name] ?? [])]) guarded(listener)(payload);
  };
  const visitor: Record<string, unknown> = {
    loaded: false,
    VERSION: __VERSION__,
    setStartParams: (params: unknown) => (handover.params = params),
    inSession: () => !!markedGroup(),
    sessionGroupId: markedGroup,
    addEventListener: (name: string, listener: Listener) => (listeners[name] ??= []).push(listener),
    removeEventListener: (name: string, listener: Listener) =>
      (listeners[name] = (listeners[name] ?? []).filter((other) => other !== listener)),
  };
  const ui: Record<string, unknown> = { loaded: false };
  const handover: Handover = (cobrowse.Loader = { tag, queue, emit, visitor, ui } as unknown as Handover);

  const call = (handover.call = guarded((name: string, args: readonly unknown[], primary?: boolean): unknown => {
    const outer = outermost() ?? handover;
    if (outer !== handover) return outer.call(name, args, primary);
    if (handover.run) return handover.run({ name, args, primary });
    if (/^start|Terms/.test(name)) {
      const wanted = primary ? undefined : wantedGroup(args[0] ?? handover.params);
      const checked = checkGroup(wanted, tag.groups);
      if (typeof checked !== "number") return emit("error", checked);
    }
    if (queue.length < QUEUE_MAX) queue.push({ name, args, primary });
    if (/^(start|show|toggle)/.test(name)) load(handover);
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
    if (name && CALLED.split(" ").indexOf(name) >= 0) call(name, [], true);
  };
  on("keydown", (event: KeyboardEvent) => trigger(functionOf(keys, event)));
  // Links may be added at any time: they are found when they are clicked.
  on("click", (event: MouseEvent) => {
    const target = event.composedPath()[0] as Element;
    const link = target.closest?.("[data-glancebutton],[glance_button]");
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

/** In a frame, sessions are the outermost page's, where that can be reached. */
function outermost(): Handover | undefined {
  try {
    return (top as any).GLANCE.Cobrowse.Loader;
  } catch {
    return undefined;
  }
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
    const cookies = `${document.cookie};${MARKER}=${localStorage[MARKER]}`;
    return parseGroup(new RegExp(`(?:^|;) ?${MARKER}=(\\d+)`).exec(cookies)?.[1]);
  } catch {
    return undefined; // a page that may keep nothing
  }
}
