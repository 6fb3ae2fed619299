import { encodeFrame, EVENTS, FRAME_BYTES_MAX, SNAPSHOT, type FrameKind } from "../../shared/frame.ts";
import { EVENT, type RecordedEvent } from "../mask/events.ts";

/** Events go out together, this often. */
export const BATCH_MS = 75;
/** While so much still waits in the socket, nothing is added to it. */
export const WAITING_BYTES_MAX = 1024 * 1024;
/** More events than this are dropped for a snapshot later. */
export const HELD_EVENTS_MAX = 4_000;

export interface Batcher {
  push: (event: RecordedEvent) => void;
  /** Nothing goes out until the next snapshot: what is there does not fit together any more. */
  reset: () => void;
  stop: () => void;
}

export interface BatcherParts {
  page: number;
  pack: (events: readonly RecordedEvent[]) => Promise<Uint8Array>;
  send: (frame: Uint8Array<ArrayBuffer>) => void;
  waiting: () => number;
  /** Asks the recorder for a snapshot. */
  snapshot: () => void;
}

/**
 * Joins events into frames. A snapshot has a frame of its own and begins the stream; before the first
 * one, and after something was lost, there is nothing that an agent could use.
 */
export function batcher({ page, pack, send, waiting, snapshot }: BatcherParts): Batcher {
  let events: RecordedEvent[] = [];
  let kind: FrameKind = EVENTS;
  let usable = false;
  let starved = false;
  let stopped = false;
  let sequence = 0;
  let packing: Promise<unknown> = Promise.resolve();
  let timer: ReturnType<typeof setTimeout> | undefined;

  const flush = () => {
    clearTimeout(timer);
    timer = undefined;
    if (stopped) return;
    if (waiting() > WAITING_BYTES_MAX) return hold();
    if (starved) {
      starved = false;
      return snapshot();
    }
    if (!events.length || !usable) return undefined;
    const batch = events;
    const batchKind = kind;
    events = [];
    kind = EVENTS;
    // Frames leave in the order of their events, however long each takes to pack.
    packing = packing.then(async () => ship(batchKind, await pack(batch))).catch(reset);
  };

  const ship = (shipped: FrameKind, body: Uint8Array) => {
    if (stopped) return;
    if (body.length > FRAME_BYTES_MAX) return reset();
    send(encodeFrame({ kind: shipped, page, sequence }, body));
    sequence += 1;
  };

  const hold = () => {
    if (events.length > HELD_EVENTS_MAX) {
      reset();
      starved = true;
    }
    later();
  };

  const later = () => {
    timer = timer ?? setTimeout(flush, BATCH_MS);
  };

  const reset = () => {
    events = [];
    kind = EVENTS;
    usable = false;
  };

  const push = (event: RecordedEvent) => {
    if (stopped) return;
    if (event.type === EVENT.meta) {
      flush();
      events = [event];
      kind = SNAPSHOT;
      usable = false;
      return;
    }
    if (event.type === EVENT.snapshot && kind === SNAPSHOT) {
      events.push(event);
      usable = true;
      flush();
      return;
    }
    if (!usable) return;
    events.push(event);
    later();
  };

  const stop = () => {
    stopped = true;
    clearTimeout(timer);
    events = [];
  };

  return { push, reset, stop };
}
