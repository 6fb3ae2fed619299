import type { BackendMessage } from "../../shared/protocol.ts";
import { checkGroup } from "../group-check.ts";
import { guarded } from "../guard.ts";
import type { Handover } from "../handover.ts";
import { attributeOf } from "../loader/tag.ts";
import { createUi, type Ui } from "../ui/ui.ts";
import { takeOver, type Messages } from "./api.ts";
import { browserState, tabName } from "./browser-state.ts";
import { createController } from "./controller.ts";
import type { PageSettings } from "./params.ts";
import { rrwebRecorder } from "./recorder.ts";
import { service } from "./service.ts";
import { readSettings } from "./tag-settings.ts";

guarded(() => {
  const handover = (window as any).GLANCE?.Cobrowse?.Loader as Handover | undefined;
  if (handover && !handover.run) run(handover);
})();

function run(handover: Handover): void {
  const { emit } = handover;
  const { element, groups, grant } = handover.tag;
  const tag = readSettings(handover.tag);
  const customUi = attributeOf(element, "ui") === "custom";
  const backend = service(tag.backend, Boolean(tag.cookieDomain));
  const state = browserState(tag, window);
  const tab = tabName(window);
  const messages: Messages = {};
  const settings = () => ((window as any).GLANCE_COBROWSE ?? {}) as PageSettings;
  let made: Ui | undefined;
  let styled: number | undefined;
  let chosen: unknown;

  /** Button and texts are the primary group's, then the session's, unless the page chose a group. */
  const style = (wanted: unknown) => {
    const group = checkGroup(chosen ?? wanted, groups);
    if (typeof group !== "number" || group === styled) return;
    styled = group;
    void backend.settings(group, tag.site).then((found) => {
      if (found && styled === group) made?.settings(found);
    });
  };

  const ui = () => {
    if (!made) {
      made = createUi(document, tag.termsUrl, {
        press: () => handover.run?.({ name: "showTerms", args: [], primary: false }),
        end: () => controller.stop(),
        pause: (paused) => controller.pause(paused),
        masks: () => controller.maskRules(),
        seen: (seen) => {
          controller.seen(seen);
          if (seen) listen(); // `document.open` takes all listeners away
        },
      });
      style(undefined);
    }
    return made;
  };

  const agentSays = (message: BackendMessage, nodeOf: (id: number) => Node | null) => {
    switch (message.type) {
      case "message":
        for (const listener of messages[message.name] ?? []) guarded(listener)(message.name, message.data);
        return undefined;
      case "pointer":
        return made?.pointers.point(message.agent, nodeOf(message.node), message.x, message.y);
      case "highlight":
        return made?.pointers.highlight(message.agent, nodeOf(message.node));
      case "control_requested":
        return emit("rcrequested", {
          accept: () => controller.say({ type: "control", enabled: true }),
          decline: () => controller.say({ type: "control", enabled: false }),
        });
      case "control":
        return emit("rc", { enabled: message.enabled });
      default:
        return undefined;
    }
  };

  const controller = createController({
    grant,
    groups,
    tag,
    page: window,
    settings,
    service: backend,
    state,
    tab: tab.name,
    recorder: rrwebRecorder(),
    emit,
    agentSays,
    render: (session) => {
      if (customUi) return;
      if (session.phase !== "idle") ui().render(session);
      else made?.render(session);
      if (session.name) style(session.name.group);
      if (session.phase === "idle") made?.pointers.clear();
    },
  });

  const listeners: [string, () => void][] = [
    ["pagehide", () => {
      if (controller.session().phase !== "idle") tab.keep();
      controller.hide();
    }],
    ["pageshow", () => {
      tab.take();
      lookForSession();
    }],
    ["focus", () => {
      lookForSession();
      controller.focus();
    }],
    ["hashchange", () => navigation || controller.moved()],
  ];
  for (const pair of listeners) pair[1] = guarded(pair[1]);
  const { navigation } = window as { navigation?: EventTarget };
  navigation?.addEventListener("currententrychange", guarded(() => controller.moved()));
  const listen = () => {
    for (const [name, listener] of listeners) addEventListener(name, listener);
  };

  const marked = handover.visitor.inSession as () => boolean;
  const lookForSession = () => {
    if (controller.session().phase === "idle" && marked()) controller.resume();
  };
  controller.seen(customUi);
  // First the session that there is: calls that waited may be about it.
  lookForSession();
  const setStyle = (group: unknown) => {
    chosen = group;
    style(group);
  };
  takeOver({ handover, tag, controller, ui, messages, settings, setStyle, page: window });

  listen();
}
