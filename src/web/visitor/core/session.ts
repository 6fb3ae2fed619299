import type {
  Agents,
  EndReason,
  SessionError,
  SessionName,
  SessionState,
  SuspendReason,
  Welcome,
} from "../../shared/protocol.ts";
import type { VisitorError } from "../handover.ts";

/** The session as this page knows it. */
export interface Session {
  phase: "idle" | "starting" | "joining" | "masking" | "running";
  /** Started on this page, and not yet told so. */
  fresh: boolean;
  /** The page was told that the session goes on here. */
  told: boolean;
  name?: SessionName;
  state: SessionState;
  reason?: SuspendReason;
  /** Agents see this tab, not another one of the visitor's. */
  shown: boolean;
  /** At least one agent watches. */
  watched: boolean;
  paused: boolean;
  linked: boolean;
  masked: boolean;
  /** The page allows the session's group. */
  allowed: boolean;
  agents: Agents;
}

export type Happening =
  | { type: "start" }
  | { type: "started"; name: SessionName }
  | { type: "refused"; error: SessionError }
  | { type: "continue" }
  /** `refusal`: the page does not allow the session's group. */
  | { type: "welcome"; welcome: Welcome; refusal?: VisitorError }
  | { type: "masked" }
  | { type: "unmaskable"; msg: string }
  | { type: "state"; state: SessionState; reason?: SuspendReason }
  | { type: "shown"; shown: boolean }
  | { type: "watch"; watched: boolean }
  | { type: "agents"; agents: Agents }
  | { type: "pause"; paused: boolean }
  | { type: "unlinked" }
  | { type: "lost" }
  | { type: "leave" }
  | { type: "ended"; reason: EndReason; error?: SessionError };

export type Effect =
  | { type: "emit"; name: string; payload?: unknown }
  | { type: "connect" }
  /** Closes the socket; what the browser keeps of the session is forgotten. */
  | { type: "forget" }
  /** Tells the backend that the visitor is done. */
  | { type: "finish"; reason: "visitor" | "maskingerror" }
  /** Tells the backend that this page cannot be shown. */
  | { type: "refuse"; code: "maskingerror" | "groupid"; msg: string }
  | { type: "mask"; selectors: string[] };

export function noSession(paused: boolean): Session {
  return {
    phase: "idle",
    fresh: false,
    told: false,
    state: "waiting",
    shown: false,
    watched: false,
    paused,
    linked: false,
    masked: false,
    allowed: false,
    agents: { count: 0, agentlist: [] },
  };
}

/** Whether anything may be recorded. Every doubt is a no. */
export function records(session: Session): boolean {
  const { phase, state, linked, shown, watched, masked, allowed, paused } = session;
  const shareable = phase === "running" && state === "live" && linked && shown && watched;
  return shareable && masked && allowed && !paused;
}

/** What becomes of the session, and what is to be done about it. */
export function next(session: Session, happening: Happening): [Session, Effect[]] {
  const stay: [Session, Effect[]] = [session, []];
  switch (happening.type) {
    case "start":
      if (session.phase !== "idle") return stay;
      return [{ ...session, phase: "starting", fresh: true }, [emit("sessionstarting")]];
    case "started":
      if (session.phase !== "starting") return stay;
      return [{ ...session, phase: "joining", name: happening.name }, [{ type: "connect" }]];
    case "refused":
      if (session.phase !== "starting") return stay;
      return [noSession(session.paused), [emit("error", happening.error)]];
    case "continue":
      if (session.phase !== "idle") return stay;
      return [{ ...session, phase: "joining" }, [{ type: "connect" }]];
    case "welcome":
      if (session.phase === "idle" || session.phase === "starting") return stay;
      return welcome(session, happening.welcome, happening.refusal);
    case "masked":
      return masked(session);
    case "unmaskable":
      return unmaskable(session, happening.msg);
    case "state":
      return [withReason(session, happening.state, happening.reason), []];
    case "shown":
      if (session.shown === happening.shown) return stay;
      return [{ ...session, shown: happening.shown }, [emit(happening.shown ? "focus" : "blur")]];
    case "watch":
      return [{ ...session, watched: happening.watched }, []];
    case "agents":
      return [{ ...session, agents: happening.agents }, agentsCame(session, happening.agents)];
    case "pause":
      return [{ ...session, paused: happening.paused }, []];
    case "unlinked":
      if (!session.linked) return stay;
      return [{ ...session, linked: false }, connection(session, "reconnecting")];
    case "lost":
      if (session.phase === "idle") return stay;
      return over(session, "error", unreachable(session));
    case "leave":
      if (session.phase === "idle") return stay;
      return [
        noSession(false),
        [
          emit("leavesession"),
          { type: "finish", reason: "visitor" },
          { type: "forget" },
          emit("sessionend", { reason: "visitor" }),
        ],
      ];
    case "ended":
      return session.phase === "idle" ? stay : over(session, happening.reason, happening.error);
  }
}

/** `check`: what this page's own check of the group says; the backend may refuse where it does not. */
function welcome(session: Session, said: Welcome, check?: VisitorError): [Session, Effect[]] {
  const { session: name, state, reason, shown, watched, agents, masks } = said;
  // Masks come only with a page that is allowed.
  const isRefused = state === "suspended" && reason === "group";
  const refusal = check ?? said.refusal ?? (isRefused ? deniedBy(name.group) : undefined);
  const joined: Session = {
    ...withReason(session, state, reason),
    phase: "masking",
    name,
    shown,
    watched,
    agents,
    linked: true,
    masked: false,
    allowed: !refusal,
    paused: session.paused || said.paused,
  };
  if (!refusal) return [joined, [{ type: "mask", selectors: masks }]];
  // The session is not over: it waits for a page that allows its group.
  const waiting: Session = { ...joined, phase: "running", state: "suspended", reason: "group" };
  const refuse: Effect[] = check ? [{ type: "refuse", code: "groupid", msg: check.msg }] : [];
  // After a connection that came back it is no news.
  const known = session.phase === "running" && !session.allowed;
  return [waiting, known ? refuse : [...refuse, emit("error", refusal)]];
}

function deniedBy(groupid: number): VisitorError {
  return { code: "groupid", msg: `this page's grant does not allow group ${groupid}`, params: { groupid } };
}

function masked(session: Session): [Session, Effect[]] {
  if (session.phase === "running") return [{ ...session, masked: true }, []];
  if (session.phase !== "masking") return [session, []];
  const effects = session.told ? connection(session, "ok") : greeting(session);
  return [{ ...session, phase: "running", masked: true, fresh: false, told: true }, effects];
}

/** `agentjoin` is what pages for older versions wait for. */
function agentsCame({ agents: before }: Session, agents: Agents): Effect[] {
  const said = [emit("agents", agents)];
  return agents.count > before.count ? [...said, emit("agentjoin")] : said;
}

function greeting({ fresh, agents }: Session): Effect[] {
  const first = emit(fresh ? "sessionstart" : "statereceived");
  return [first, emit("sessioncontinue"), emit("agents", agents)];
}

/** A start is refused; a session that was there waits for another page. */
function unmaskable(session: Session, msg: string): [Session, Effect[]] {
  if (session.phase !== "masking" && session.phase !== "running") return [session, []];
  const error = emit("error", { code: "maskingerror", msg });
  if (session.fresh) {
    const finish: Effect = { type: "finish", reason: "maskingerror" };
    return [noSession(session.paused), [finish, { type: "forget" }, error]];
  }
  const suspended = withReason(session, "suspended", "masks");
  const waiting: Session = { ...suspended, phase: "running", masked: false, told: true };
  return [waiting, [{ type: "refuse", code: "maskingerror", msg }, error]];
}

function unreachable({ told }: Session): SessionError {
  return { code: told ? "conndrop" : "service", msg: "the cobrowse service cannot be reached" };
}

function over(session: Session, reason: EndReason, error?: SessionError): [Session, Effect[]] {
  const effects: Effect[] = [{ type: "forget" }];
  if (error) effects.push(emit("error", error));
  // A start that never became a session ends with its error alone.
  if (session.told || !session.fresh) effects.push(emit("sessionend", { reason }));
  return [noSession(false), effects];
}

function connection(session: Session, status: "ok" | "reconnecting"): Effect[] {
  return session.told ? [emit("connection", { status })] : [];
}

function withReason(session: Session, state: SessionState, reason?: SuspendReason): Session {
  const changed: Session = { ...session, state };
  if (state === "suspended" && reason) changed.reason = reason;
  else delete changed.reason;
  return changed;
}

function emit(name: string, payload?: unknown): Effect {
  return payload === undefined ? { type: "emit", name } : { type: "emit", name, payload };
}
