/**
 * What the agents' console and the backend say to each other. AGENTS.md tells when; the examples in
 * tests/web/agents.json are read by both sides.
 */

export const AGENTS_SUBPROTOCOL = "cobrowse-agent.v1";

export const AGENTS_PATHS = {
  login: "/api/login",
  logout: "/api/logout",
  account: "/api/account",
  desk: "/api/desk",
  session: "/api/session",
  replay: "/replay",
} as const;

export interface Credentials {
  name: string;
  password: string;
}

export interface Account {
  name: string;
  display_name: string;
  groups: AccountGroup[];
}

export interface AccountGroup extends GroupName, Rights {}

export interface GroupName {
  id: number;
  name: string;
}

/** What an agent may do in a group. */
export interface Rights {
  view: boolean;
  point: boolean;
  end: boolean;
}

/** Every answer that is no success; `text` is for people. */
export interface Refused {
  code: "credentials" | "login" | "origin" | "unknown" | "method" | "large" | "malformed" | "rate" | "busy";
  text: string;
  /** Seconds. */
  retry_after?: number;
}

export interface SessionView {
  /** Public and random: no secret, and no right. */
  id: string;
  group: number;
  group_name: string;
  key: string;
  state: "starting" | "waiting" | "live" | "suspended";
  /** Of `suspended`. */
  reason?: "group" | "masks" | "navigating";
  url?: string;
  /** As the page said; not verified. */
  visitor?: { id?: string; name?: string; email?: string; phone?: string };
  /** Seconds since 1970. */
  started: number;
  agents: string[];
  may: Rights;
}

export type DeskMessage =
  | { type: "account"; account: Account }
  | { type: "sessions"; sessions: SessionView[]; more: number }
  | { type: "beat" };

export type DeskRequest = { type: "active" };

export type WatchMessage =
  | { type: "joined"; session: SessionView }
  | { type: "waiting" }
  | JoinRefused
  | { type: "session"; session: SessionView }
  | { type: "paused"; paused: boolean; message?: string }
  | { type: "reset" }
  | { type: "message"; name: string; data: unknown }
  | { type: "denied"; action: "view" | "point" | "end" }
  | { type: "ended"; by: "visitor" | "agent" | "error"; error?: string }
  | { type: "beat" };

export interface JoinRefused {
  type: "refused";
  code: "unknown" | "groups" | "rate" | "timeout";
  text: string;
  /** Of `groups`: which of them is meant? */
  groups?: GroupName[];
  retry_after?: number;
}

export type WatchRequest =
  | ({ type: "join" } & Wanted)
  | { type: "pointer"; page: number; node: number; x: number; y: number }
  | { type: "highlight"; page: number; node: number }
  | { type: "message"; name: string; data: unknown }
  | { type: "snapshot" }
  | { type: "end" }
  | { type: "active" };

/** A session by its ID, or by what the visitor reads from the screen. */
export type Wanted = { session: string } | { key: string; group?: number; wait?: true };

export const AGENTS_CLOSE = {
  /** By the console: the agent leaves. */
  LEFT: 1000,
  PROTOCOL: 4400,
  LOGIN: 4401,
  FORBIDDEN: 4403,
  ENDED: 4410,
  LIMIT: 4429,
} as const;

export const KEY_CHARACTERS_MAX = 62;
export const MESSAGE_NAME_MAX = 64;
