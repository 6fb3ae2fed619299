import type { ErrorCode } from "../shared/protocol.ts";
import type { Tag } from "./loader/tag.ts";

/**
 * What the loader leaves at `GLANCE.Cobrowse.Loader`: everything that the core needs to go on where
 * the loader stopped. The core takes it over once, and sets `run`.
 */
export interface Handover {
  readonly tag: Tag;
  /** Calls that wait for the core, oldest first. */
  readonly queue: Call[];
  /** The page's listeners, and those of its frames, each with the name of its event. */
  listeners: [string, Listener][];
  /** Tells the page's listeners. */
  readonly emit: (name: string, payload?: unknown) => void;
  /** The page's objects `Visitor` and `VisitorUI`, which the core completes. */
  readonly visitor: Record<string, unknown>;
  readonly ui: Record<string, unknown>;
  /** What `setStartParams` was given last. */
  params?: unknown;
  run?: (call: Call) => unknown;
  /** Calls a function by name, here or in the outermost page. */
  call: (name: string, args: readonly unknown[], primary?: boolean) => unknown;
}

export interface Call {
  name: string;
  args: readonly unknown[];
  /** By a link or a hot key: always in the primary group. */
  primary: boolean | undefined;
}

export type Listener = (payload?: unknown) => void;

export interface VisitorError {
  /** `message`: one of the page's own could not be sent. */
  code: ErrorCode | "message";
  msg: string;
  params?: Record<string, unknown>;
}
