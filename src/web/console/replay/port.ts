/** What the console and the document of the replayer say to each other, over a `MessagePort`. */

export type Zoom = "fit" | number;
export type Tool = "look" | "point" | "highlight";

export type ToReplay =
  | { type: "frame"; bytes: ArrayBuffer }
  /** Forget what is shown. */
  | { type: "clear" }
  | { type: "zoom"; zoom: Zoom }
  | { type: "tool"; tool: Tool };

export type FromReplay =
  /** Something is missing or broken: a snapshot is needed. */
  | { type: "lost" }
  /** Not even snapshots of this page can be shown. */
  | { type: "unshowable" }
  | { type: "drawn"; page: number }
  | { type: "scale"; scale: number }
  | { type: "pointer"; page: number; node: number; x: number; y: number }
  | { type: "highlight"; page: number; node: number };

/** With which the console gives the document its port. */
export const GREETING = "cobrowse-replay";
