import { CLOSE } from "../../shared/protocol.ts";

/** How long a lost connection is looked for before the session is given up. */
export const PATIENCE_MS = 60_000;
/** A connection on which nothing came for so long is dead; the backend sends a beat every 20 s. */
export const SILENCE_MS = 45_000;

/** Soon at first, so that a restart is not noticed, then every two seconds; never all at once. */
export function retryDelay(attempt: number, chance: number): number {
  const delay = Math.min(2_000, 200 * 2 ** attempt);
  return Math.round(delay * (0.75 + chance / 2));
}

/** What a closed socket means: try again, or the session is over, or it is another tab's business. */
export function afterClose(code: number): "retry" | "over" | "replaced" {
  if (code === CLOSE.REPLACED) return "replaced";
  const over: number[] = [CLOSE.PROTOCOL, CLOSE.UNKNOWN, CLOSE.ENDED];
  return over.indexOf(code) >= 0 ? "over" : "retry";
}
