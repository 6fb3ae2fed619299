import type { GroupSet } from "../../shared/groups.ts";
import {
  CLOSE,
  PROTOCOL_VERSION,
  type BackendMessage,
  type SessionError,
  type Welcome,
} from "../../shared/protocol.ts";
import { checkGroup } from "../group-check.ts";
import { plainUrl } from "../mask/text.ts";
import type { MaskRules } from "../mask/masked-nodes.ts";
import { guarded } from "../guard.ts";
import type { Handover } from "../handover.ts";
import type { BrowserState } from "./browser-state.ts";
import { startCapture, type Capture } from "./capture.ts";
import { createFrames, type Frames } from "./frames.ts";
import { openLink, type Link } from "./link.ts";
import { descriptorOf, prepareMasks } from "./masks.ts";
import type { PageSettings, StartParams } from "./params.ts";
import type { Recorder } from "./recorder.ts";
import type { Service } from "./service.ts";
import { next, noSession, records, type Effect, type Happening, type Session } from "./session.ts";
import type { TagSettings } from "./tag-settings.ts";

export interface ControllerParts {
  grant: string;
  groups: GroupSet;
  tag: TagSettings;
  page: Window;
  settings: () => PageSettings;
  service: Service;
  state: BrowserState;
  tab: string;
  recorder: Recorder;
  emit: Handover["emit"];
  /** The session changed. */
  render: (session: Session) => void;
  /** What agents send beside the session's own messages. */
  agentSays: (message: BackendMessage, nodeOf: (id: number) => Node | null) => void;
}

/** The backend takes no more of them; longer addresses are none to it. */
const URL_MAX = 2_500;
const MSG_MAX = 1_000;

/** The session of this page: what happens to it, and what that entails. */
export interface Controller {
  session: () => Session;
  start: (params: StartParams) => void;
  resume: () => void;
  stop: () => void;
  pause: (paused: boolean, message?: string) => void;
  focus: () => void;
  /** The page goes away, perhaps to come back. */
  hide: () => void;
  moved: () => void;
  /** Whether the visitor sees that there is a session, and can end it: without that nothing is recorded. */
  seen: (seen: boolean) => void;
  say: Link["say"];
  maskRules: () => MaskRules | undefined;
}

export function createController(parts: ControllerParts): Controller {
  const { grant, groups, tag, page, service, state, emit, recorder } = parts;
  let session: Session = noSession(tag.startPaused);
  let link: Link | undefined;
  let pageNumber = 0;
  let rules: MaskRules | undefined;
  let frames: Frames | undefined;
  let questions = 0;
  let selectors: string[] = [];
  let capture: Capture | undefined;
  let masking = 0;
  let seen = false;
  const masked = new WeakSet<Node>();

  const whereAmI = () => plainUrl(page.location.href).slice(0, URL_MAX);

  const happen = (happening: Happening) => {
    const [changed, effects] = next(session, happening);
    session = changed;
    // Recording stops before anybody hears why it should.
    syncCapture();
    parts.render(session);
    for (const effect of effects) perform(effect);
  };

  const perform = (effect: Effect) => {
    switch (effect.type) {
      case "emit":
        return emit(effect.name, effect.payload);
      case "connect":
        return connect();
      case "forget":
        link?.close(CLOSE.DONE);
        link = undefined;
        return state.forget();
      case "finish":
        return service.end({ reason: effect.reason, ...resumeToken() });
      case "refuse":
        return void link?.say({ ...effect, msg: effect.msg.slice(0, MSG_MAX) });
      case "mask":
        selectors = effect.selectors;
        return void mask();
    }
  };

  const resumeToken = () => {
    const resume = state.resume();
    return resume ? { resume } : {};
  };

  const connect = () => {
    link?.close(CLOSE.NAVIGATING);
    const opened = openLink(service.socket, {
      open: () => opened.say(hello()),
      message: hear,
      broken: () => happen({ type: "unlinked" }),
      over: (why) => {
        if (why === "lost") return happen({ type: "lost" });
        if (why === "gone") return happen({ type: "ended", reason: "error" });
        session = noSession(false); // another page goes on with this tab's session
        syncCapture();
        return parts.render(session);
      },
    });
    link = opened;
  };

  const hello = () =>
    ({
      type: "hello",
      version: PROTOCOL_VERSION,
      grant,
      tab: parts.tab,
      ...resumeToken(),
      page: { url: whereAmI(), width: page.innerWidth, height: page.innerHeight },
      focused: page.document.hasFocus(),
      paused: session.paused,
      masksByAgent: !!descriptorOf(parts.settings()),
    }) as const;

  const hear = (message: BackendMessage) => {
    switch (message.type) {
      case "welcome":
        pageNumber = message.page;
        stopCapture();
        return welcome(message);
      case "state":
      case "shown":
      case "watch":
      case "ended":
        return happen(message);
      case "agents":
        happen({ type: "agents", agents: { count: message.count, agentlist: message.agentlist } });
        // Who watches may decide what is masked: nothing is shown until the page has said so.
        if (descriptorOf(parts.settings())) void mask();
        return undefined;
      case "refused":
        return emit("error", message.error);
      case "snapshot":
        return capture?.snapshot();
      case "frame":
        return frames?.hear(message);
      default:
        return parts.agentSays(message, recorder.nodeOf);
    }
  };

  const welcome = (message: Welcome) => {
    const checked = checkGroup(message.session.group, groups);
    const refusal = typeof checked === "number" ? {} : { refusal: checked };
    happen({ type: "welcome", welcome: message, ...refusal });
  };

  const mask = async () => {
    stopCapture();
    rules = undefined;
    masking += 1;
    const turn = masking;
    const group = session.name?.group ?? 0;
    const descriptor = descriptorOf(parts.settings());
    const prepared = await prepareMasks(selectors, group, session.agents, descriptor, page.document);
    if (turn !== masking) return;
    if (!prepared.ok) return happen({ type: "unmaskable", msg: prepared.msg });
    frames = createFrames({
      selector: prepared.selector,
      group,
      page: page.document,
      say: (message) => link?.say(message),
      number: () => (questions += 1),
      onShown: () => capture?.snapshot(),
    });
    rules = { page: prepared.page, selectorOf: frames.selectorOf };
    happen({ type: "masked" });
  };

  const stopCapture = () => {
    capture?.stop();
    capture = undefined;
  };

  const syncCapture = () => {
    if (!records(session) || !rules || !link) return stopCapture();
    capture?.hold(!seen);
    if (seen) capture ??= startCapture({
      recorder,
      rules,
      page: pageNumber,
      link,
      doc: page.document,
      masked,
      onUnmaskable: () => happen({ type: "unmaskable", msg: "the page could not be masked" }),
    });
  };

  const start = async (params: StartParams) => {
    if (session.phase !== "idle") return;
    happen({ type: "start" });
    const { group, key, visitor, video } = params;
    const answer = await service.start({
      version: PROTOCOL_VERSION,
      grant,
      group,
      ...(key === undefined ? {} : { key }),
      site: tag.site,
      url: whereAmI(),
      visitor,
      ...(video ? { video } : {}),
      storage: { kind: tag.storage, ...(tag.cookieDomain ? { domain: tag.cookieDomain } : {}) },
    });
    if ("error" in answer) return happen({ type: "refused", error: answer.error as SessionError });
    state.mark(answer.session.group, answer.resume);
    happen({ type: "started", name: answer.session });
  };

  return {
    session: () => session,
    start: guarded((params) => void start(params).catch(() => happen({ type: "lost" }))),
    resume: () => happen({ type: "continue" }),
    stop: () => happen({ type: "leave" }),
    pause: (paused, message) => {
      happen({ type: "pause", paused });
      link?.say({ type: "pause", paused, ...(message ? { message } : {}) });
    },
    focus: () => void link?.say({ type: "focus" }),
    hide: () => {
      if (session.phase === "idle" || session.phase === "starting") return;
      masking += 1;
      link?.close(CLOSE.NAVIGATING);
      link = undefined;
      session = noSession(session.paused);
      syncCapture();
    },
    moved: () => void link?.say({ type: "location", url: whereAmI() }),
    seen: (now) => {
      seen = now;
      syncCapture();
    },
    say: (message) => link?.say(message) ?? true,
    maskRules: () => rules,
  };
}
