import { decodeFrame } from "../../shared/frame.ts";
import { createCleaner } from "./clean-events.ts";
import { inflate } from "./inflate.ts";
import { NOTHING, place } from "./order.ts";
import { EVENT, type CleanEvent } from "./recording.ts";

/** Frames that wait to be inflated; a visitor who sends faster than we read starts anew. */
export const PENDING_FRAMES_MAX = 256;
/** Snapshots that fail one after the other: another one would too. */
export const FAULTS_MAX = 3;

export interface PicturesParts {
  /** Shows another recording from its beginning. */
  begin: (page: number, events: CleanEvent[]) => void;
  add: (events: CleanEvent[]) => void;
  /** The picture cannot go on without a snapshot. */
  lost: () => void;
  unshowable: () => void;
}

/** Makes pictures of frames, in their order. */
export interface Pictures {
  /** Resolves once the frame, and all before it, are read. */
  take: (bytes: ArrayBuffer) => Promise<unknown>;
  /** The recording that is shown is of no use any more. */
  forget: () => void;
  /** What was begun could not be drawn. */
  fault: () => void;
  drawn: () => void;
}

export function createPictures({ begin, add, lost, unshowable }: PicturesParts): Pictures {
  let order = NOTHING;
  let clean = createCleaner();
  let work: Promise<unknown> = Promise.resolve();
  let pending = 0;
  let turn = 0;
  let faults = 0;

  const forget = () => {
    turn += 1;
    order = NOTHING;
  };
  // What goes on with the faulty recording is ignored; a snapshot that waits behind it is not lost.
  const fault = () => {
    order = NOTHING;
    faults += 1;
    if (faults < FAULTS_MAX) lost();
    else if (faults === FAULTS_MAX) unshowable();
  };

  const read = async (bytes: ArrayBuffer, begun: number) => {
    if (begun !== turn) return;
    const frame = decodeFrame(new Uint8Array(bytes));
    if (!frame) return fault();
    const [after, found] = place(order, frame.head);
    order = after;
    if (found === "gap" || found === "stray") return lost();
    if (found === "ignored") return;
    const text = await inflate(bytes.slice(frame.body.byteOffset));
    if (begun !== turn) return;
    if (found === "begins") clean = createCleaner();
    const events = text === undefined ? undefined : eventsOf(text, clean);
    if (!events || (found === "begins" && !isWhole(events))) return fault();
    if (found === "begins") begin(frame.head.page, events);
    else add(events);
  };

  return {
    take: (bytes) => {
      if (pending >= PENDING_FRAMES_MAX) {
        forget();
        lost();
        return work;
      }
      const begun = turn;
      pending += 1;
      work = work.then(() => read(bytes, begun)).catch(fault).finally(() => (pending -= 1));
      return work;
    },
    forget,
    fault,
    drawn: () => (faults = 0),
  };
}

/** The events of a frame, cleaned; nothing where one of them is none. */
function eventsOf(text: string, clean: (event: unknown) => CleanEvent | undefined): CleanEvent[] | undefined {
  try {
    const events: unknown = JSON.parse(text);
    if (!Array.isArray(events)) return undefined;
    return events.map(clean).filter((event) => event !== undefined);
  } catch {
    return undefined;
  }
}

function isWhole(events: readonly CleanEvent[]): boolean {
  return events[0]?.type === EVENT.meta && events[1]?.type === EVENT.snapshot;
}
