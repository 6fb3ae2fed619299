import type { Call, Handover, Listener } from "../handover.ts";
import { guarded } from "../guard.ts";
import type { Ui } from "../ui/ui.ts";
import type { Controller } from "./controller.ts";
import { pageMessage } from "./page-message.ts";
import { startParams, type PageSettings } from "./params.ts";
import type { TagSettings } from "./tag-settings.ts";

/** More of the text of a pause is shown to nobody. */
const PAUSE_MAX = 256;

/** Messages between page and agents, by name. */
export type Messages = Record<string, ((name: string, data: unknown) => void)[]>;

export interface ApiParts {
  handover: Handover;
  tag: TagSettings;
  controller: Controller;
  /** The group's button and texts are fetched when something is shown for the first time. */
  ui: () => Ui;
  messages: Messages;
  settings: () => PageSettings;
  setStyle: (group: unknown) => void;
  page: Window;
}

/** The functions of `GLANCE.Cobrowse.Visitor` by name, for calls that come from the loader's queue too. */
export function visitorApi(parts: ApiParts): Record<string, (call: Call) => unknown> {
  const { handover, controller, ui, messages, page } = parts;

  /** What a start asks for, or nothing: then the page was told why. */
  const read = ({ args, primary }: Call) => {
    const { tag, params } = handover;
    const made = startParams(args[0], params, tag.groups, parts.tag, parts.settings(), !!primary);
    if (!("code" in made)) return made;
    handover.emit("error", made);
    return undefined;
  };
  const first = (call: Call) => call.args[0] as any;
  const inSession = () => controller.session().phase !== "idle";

  return {
    startSession: (call) => {
      const params = read(call);
      if (params) controller.start(params);
    },
    showTerms: (call) => {
      const params = read(call);
      if (params && !inSession()) ui().askTerms(() => controller.start(params));
    },
    showButton: (call) => ui().showButton(first(call) !== false),
    toggleButton: () => ui().toggleButton(),
    stopSession: () => controller.stop(),
    pauseSession: (call) => {
      const given = first(call);
      if (!inSession() || !given) return;
      controller.pause(!!given.pause, given.message === undefined ? undefined : `${given.message}`.slice(0, PAUSE_MAX));
    },
    enableRC: (call) => controller.say({ type: "control", enabled: !!first(call) }),
    addSessionMessageListener: ({ args: [name, listener] }) => {
      if (typeof listener === "function") (messages[`${name}`] ??= []).push(listener as () => void);
    },
    sendSessionMessage: ({ args: [name, data] }) => {
      const message = pageMessage(name, data);
      const msg = typeof message === "string" ? message : controller.say(message) ? "" : "too many messages at once";
      if (msg) handover.emit("error", { code: "message", msg, params: { name } });
    },
    crossDomain: (call) => void page.open(`${first(call)?.url}`, first(call)?.target || "_self"),
    continueSessionAt: (call) => {
      if (typeof first(call)?.oncomplete === "function") guarded(first(call).oncomplete as Listener)();
    },
    viewPDF: (call) => void page.open(`${first(call)?.url}`, "_blank", "noopener"),
    viewXLS: (call) => void page.open(`${first(call)?.url}`, "_blank", "noopener"),
    promptCrossDomain: () => Promise.resolve(),
    setStyle: (call) => parts.setStyle(first(call)),
  };
}

/** Puts the core in the loader's place: same objects, calls that waited first. */
export function takeOver(parts: ApiParts): void {
  const { handover, controller } = parts;
  const { visitor, ui, queue } = handover;
  const api = visitorApi(parts);
  const session = () => controller.session();
  const answers: Record<string, () => unknown> = {
    inSession: () => session().phase !== "idle",
    getKey: () => session().name?.key,
    sessionGroupId: () => session().name?.group,
    isSessionPaused: () => session().phase !== "idle" && session().paused,
    getSessionState: () => {
      const { phase, state, reason, name, paused, agents } = session();
      if (phase === "idle") return undefined;
      return { state, reason, groupid: name?.group, sessionKey: name?.key, paused, agents };
    },
  };
  // Frames ask by name.
  handover.run = guarded((call) => (api[call.name] ?? answers[call.name])?.(call));
  Object.assign(visitor, answers, { loaded: true });
  ui.loaded = true;
  for (const call of queue.splice(0)) handover.run(call);
}
