import { AGENTS_CLOSE, type GroupName, type SessionView, type Wanted, type WatchMessage } from "../shared/agents.ts";

/** A session as this agent sees it, from asking for it until it is over for him. */
export interface Watch {
  phase: "joining" | "waiting" | "choosing" | "in" | "over";
  wanted: Wanted;
  linked: boolean;
  session?: SessionView;
  /** Of `choosing`. */
  groups: GroupName[];
  /** The visitor paused the picture. */
  paused?: { message?: string };
  /** There is a picture, and it is up to date. */
  drawn: boolean;
  /** Its recording cannot be drawn: too large, or none. */
  unshowable: boolean;
  /** Of `over`. */
  ending?: Ending;
}

export type Ending =
  | { why: "visitor" | "agent" }
  | { why: "error"; error?: string }
  | { why: "refused"; text: string }
  | { why: "forbidden" | "limit" | "unreadable" };

export type Happening =
  | { type: "linked" }
  | { type: "unlinked" }
  | { type: "heard"; message: WatchMessage }
  | { type: "closed"; code: number }
  | { type: "drawn" }
  | { type: "unshowable" };

/** What is to be done: forget the picture, or ask for the password again. */
export type Effect = "clear" | "log in";

export function watch(wanted: Wanted): Watch {
  return { phase: "joining", wanted, linked: false, groups: [], drawn: false, unshowable: false };
}

export function next(watch: Watch, happening: Happening): [Watch, Effect[]] {
  switch (happening.type) {
    case "linked":
      return [{ ...watch, linked: true }, []];
    case "unlinked":
      return [{ ...watch, linked: false }, []];
    case "heard":
      return heard(watch, happening.message);
    case "closed":
      return closed(watch, happening.code);
    case "drawn":
      return [{ ...watch, drawn: isShown(watch), unshowable: false }, []];
    case "unshowable":
      return [{ ...watch, drawn: false, unshowable: true }, ["clear"]];
  }
}

function heard(watch: Watch, message: WatchMessage): [Watch, Effect[]] {
  switch (message.type) {
    case "joined":
      return joined(watch, message.session);
    case "waiting":
      return [{ ...watch, phase: "waiting" }, []];
    case "refused":
      if (message.code === "groups") return [{ ...watch, phase: "choosing", groups: message.groups ?? [] }, []];
      return over(watch, { why: "refused", text: message.text });
    case "session":
      return told({ ...watch, session: message.session });
    case "paused": {
      const { message: text } = message;
      if (!message.paused) return [without(watch), []];
      return hidden({ ...watch, paused: text === undefined ? {} : { message: text } });
    }
    case "reset":
      return hidden(watch);
    case "ended": {
      const { by, error } = message;
      return over(watch, by === "error" ? { why: by, ...(error === undefined ? {} : { error }) } : { why: by });
    }
    default:
      return [watch, []];
  }
}

/** From here on it is asked for by ID: a key may be another session's after a while. */
function joined(watch: Watch, session: SessionView): [Watch, Effect[]] {
  const { paused: _, ...rest } = watch;
  return [{ ...rest, phase: "in", wanted: { session: session.id }, session, drawn: false, unshowable: false }, ["clear"]];
}

/** What an agent may not see any more is not left standing. */
function told(watch: Watch): [Watch, Effect[]] {
  return isShown(watch) ? [watch, []] : hidden(watch);
}

function isShown({ phase, session, paused }: Watch): boolean {
  return phase === "in" && session?.state === "live" && session.may.view && !paused;
}

function hidden(watch: Watch): [Watch, Effect[]] {
  return [{ ...watch, drawn: false }, ["clear"]];
}

function without({ paused: _, ...watch }: Watch): Watch {
  return watch;
}

function closed(watch: Watch, code: number): [Watch, Effect[]] {
  switch (code) {
    case AGENTS_CLOSE.LOGIN:
      return [{ ...watch, linked: false }, ["clear", "log in"]];
    case AGENTS_CLOSE.FORBIDDEN:
      return watch.phase === "choosing" ? [watch, []] : over(watch, { why: "forbidden" });
    case AGENTS_CLOSE.ENDED:
      return over(watch, { why: "error" });
    case AGENTS_CLOSE.LIMIT:
      return over(watch, { why: "limit" });
    default:
      return over(watch, { why: "unreadable" });
  }
}

/** The first reason counts: what follows is its consequence. */
function over(watch: Watch, ending: Ending): [Watch, Effect[]] {
  if (watch.phase === "over") return [watch, []];
  return [{ ...watch, phase: "over", ending, drawn: false, linked: false }, ["clear"]];
}
