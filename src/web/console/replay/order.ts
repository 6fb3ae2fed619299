import { SNAPSHOT, type FrameHead } from "../../shared/frame.ts";

/** The recording that is shown: its page, and the frame that was shown last. */
export interface Order {
  page: number;
  sequence: number;
  /** There is a snapshot, and nothing behind it is missing. */
  whole: boolean;
}

export const NOTHING: Order = { page: 0, sequence: 0, whole: false };

/**
 * What a frame is to the recording: it begins another one, goes on with this one, is none of its
 * business, or shows that something is missing. `stray` and `gap` want a snapshot.
 */
export type Place = "begins" | "follows" | "ignored" | "stray" | "gap";

export function place(order: Order, { kind, page, sequence }: FrameHead): [Order, Place] {
  if (kind === SNAPSHOT) return [{ page, sequence, whole: true }, "begins"];
  if (!order.whole) return [order, "ignored"];
  if (page !== order.page) return [order, "stray"];
  if (sequence !== order.sequence + 1) return [{ ...order, whole: false }, "gap"];
  return [{ ...order, sequence }, "follows"];
}
