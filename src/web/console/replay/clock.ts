/** Behind the visitor by so much, events are shown as evenly as they happened. */
export const BUFFER_MS = 100;
/** No event waits longer, whatever the visitor's clock says. */
export const WAIT_MS_MAX = 1_000;

/** When to show what happened at a time of the visitor's clock, in times of ours. */
export interface Clock {
  /** A frame came whose last event happened `at`. */
  heard: (at: number, now: number) => void;
  shows: (at: number, now: number) => number;
}

/**
 * The clocks of two machines differ by minutes. Their difference is the smallest time that a frame
 * seemed to take; kept frames, which come late to a late agent, are shown at once.
 */
export function createClock(): Clock {
  let offset = Infinity;
  let last = 0;
  return {
    heard: (at, now) => {
      offset = Math.min(offset, now - at);
    },
    shows: (at, now) => {
      const wanted = at + offset + BUFFER_MS;
      last = Math.max(last, Math.min(Math.max(wanted, now), now + WAIT_MS_MAX));
      return last;
    },
  };
}
