import { AGENTS_CLOSE } from "../../shared/agents.ts";

/** A connection on which nothing came for so long is dead; the backend sends a beat every 20 s. */
export const SILENCE_MS = 45_000;

/** Soon at first, so that a restart is not noticed, then every two seconds; never all at once. */
export function retryDelay(attempt: number, chance: number): number {
  const delay = Math.min(2_000, 200 * 2 ** Math.min(attempt, 10));
  return Math.round(delay * (0.75 + chance / 2));
}

/** Whether a closed socket is worth another one. */
export function isLost(code: number): boolean {
  return !Object.values<number>(AGENTS_CLOSE).includes(code) || code === AGENTS_CLOSE.LEFT;
}
