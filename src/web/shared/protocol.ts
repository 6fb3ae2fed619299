/**
 * What visitor and backend say to each other. PROTOCOL.md tells when; the examples in
 * tests/web/protocol.json are read by both sides.
 */

export const PROTOCOL_VERSION = 1;
export const SUBPROTOCOL = "cobrowse.v1";
/** Offered beside it, and never chosen, by a page whose tag has a cookie domain. */
export const DOMAIN_OFFER = "cobrowse.domain";

/** Text messages, and names in them, are no longer. */
export const TEXT_BYTES_MAX = 64 * 1024;
export const MESSAGE_NAME_MAX = 64;

/** Where the HTTP calls and the socket are, seen from the folder of the scripts. */
export const PATHS = {
  start: "session/start",
  end: "session/end",
  socket: "session/socket",
  settings: "session/settings",
} as const;

/** Readable by scripts: that there is a session, and its group. No secret. */
export const MARKER = "glance_cobrowse";

export type StorageKind = "normal" | "ls" | "dual" | "secure";

/** `POST session/start` */
export interface StartRequest {
  version: number;
  grant: string;
  group: number;
  /** Absent: the backend makes random digits. */
  key?: string;
  site: "production" | "staging";
  url: string;
  visitor: { id?: string; name?: string; email?: string; phone?: string };
  video?: "off" | "small" | "large";
  storage: { kind: StorageKind; domain?: string };
}

/** Its answer with status 200. */
export interface StartReply {
  session: SessionName;
  /** Only for storage `ls` and `dual`; otherwise the token is in an HttpOnly cookie alone. */
  resume?: string;
}

/** Every answer with another status. */
export interface Refusal {
  error: SessionError;
}

/** `POST session/end`, answered with 204 whether or not there was a session. */
export interface EndRequest {
  reason: "visitor" | "maskingerror";
  resume?: string;
}

/** `GET session/settings?group=&site=` */
export interface GroupSettings {
  group: number;
  button: { label?: string; color?: string; css?: string };
  terms: { url?: string; text?: string };
}

export interface SessionName {
  group: number;
  key: string;
}

export interface SessionError {
  code: ErrorCode;
  msg: string;
  params?: Record<string, unknown>;
}

export type ErrorCode =
  | "service"
  | "conndrop"
  | "dupkey"
  | "maskingerror"
  | "groupid"
  | "grant"
  | "sessionkey"
  | "SCRIPT_NOT_LOADED";

export interface Agent {
  username: string;
  partnerid: number;
  partneruserid: string;
  name: string;
  title: string;
  agentrole?: string;
}

export interface Agents {
  count: number;
  agentlist: Agent[];
}

export type SessionState = "waiting" | "live" | "suspended";
export type SuspendReason = "group" | "navigating" | "masks";
export type EndReason = "agent" | "visitor" | "error";

/** Text frames from the visitor. */
export type VisitorMessage =
  | Hello
  | { type: "focus" }
  | { type: "pause"; paused: boolean; message?: string }
  | { type: "location"; url: string }
  | { type: "refuse"; code: "maskingerror" | "groupid"; msg: string }
  | { type: "message"; name: string; data: unknown }
  | { type: "control"; enabled: boolean }
  | { type: "frame"; frame: number; grant: string; url: string };

/** The first message on every socket. */
export interface Hello {
  type: "hello";
  version: number;
  grant: string;
  /** Made by the script, kept over navigation of one tab. */
  tab: string;
  resume?: string;
  page: { url: string; width: number; height: number };
  focused: boolean;
  paused: boolean;
  /** What is masked depends on who watches: no agent may be shown an older snapshot. */
  masksByAgent: boolean;
}

/** Text frames from the backend. */
export type BackendMessage =
  | Welcome
  | { type: "state"; state: SessionState; reason?: SuspendReason }
  | { type: "shown"; shown: boolean }
  | { type: "watch"; watched: boolean }
  | { type: "snapshot" }
  | ({ type: "agents" } & Agents)
  | { type: "message"; name: string; data: unknown }
  | Pointer
  | { type: "highlight"; agent: string; page: number; node: number }
  | { type: "control_requested"; agent: string }
  | { type: "control"; enabled: boolean }
  | FrameAnswer
  /** What the page said was not done. */
  | { type: "refused"; error: SessionError }
  | { type: "beat" }
  | { type: "ended"; reason: EndReason; error?: SessionError };

export interface Welcome {
  type: "welcome";
  page: number;
  session: SessionName;
  state: SessionState;
  reason?: SuspendReason;
  /** Whether this tab is the one that agents see. */
  shown: boolean;
  watched: boolean;
  /** The visitor paused the session, on this page or one before. */
  paused: boolean;
  /** Selectors of site, path and the session's group. */
  masks: string[];
  agents: Agents;
  /** The page does not allow the session's group, by its grant and the rules of now. */
  refusal?: SessionError;
}

/** Whether the document of a frame may be seen, and what is masked in it. */
export interface FrameAnswer {
  type: "frame";
  frame: number;
  allowed: boolean;
  masks: string[];
}

/** An agent's pointer, at a fraction of a node's box; `node: 0` when it went away. */
export interface Pointer {
  type: "pointer";
  agent: string;
  page: number;
  node: number;
  x: number;
  y: number;
}

/** Close codes of the socket; 1001, 1006 and 1012 mean: try again. */
export const CLOSE = {
  /** By the visitor: the page goes away. */
  NAVIGATING: 4001,
  /** By the visitor: the session is over for it. */
  DONE: 4002,
  /** A message that cannot be read, or none in time. */
  PROTOCOL: 4400,
  /** No such session, or not this visitor's. */
  UNKNOWN: 4401,
  /** The same tab opened another socket. */
  REPLACED: 4409,
  /** The session has ended. */
  ENDED: 4410,
  /** Too much, too fast. */
  LIMIT: 4429,
} as const;
