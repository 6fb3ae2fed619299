/** So much at once, and so much in a second: less than what the backend takes of one socket. */
const BURST = 150;
const PER_SECOND = 15;

export interface Pace {
  /** Whether one more may go out now. */
  take: () => boolean;
  /** Milliseconds until one may. */
  wait: () => number;
}

export function createPace(now: () => number): Pace {
  let left = BURST;
  let seen = now();
  const refill = () => {
    const at = now();
    left = Math.min(BURST, left + (Math.max(0, at - seen) / 1_000) * PER_SECOND);
    seen = at;
  };
  return {
    take: () => {
      refill();
      if (left < 1) return false;
      left -= 1;
      return true;
    },
    wait: () => Math.ceil((Math.max(0, 1 - left) / PER_SECOND) * 1_000),
  };
}
