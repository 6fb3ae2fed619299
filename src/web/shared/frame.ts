/**
 * A binary frame: one byte of kind, four of page, eight of sequence number, both big-endian, then the
 * events as JSON, compressed. Whoever relays it reads these 13 bytes and no more.
 */
export interface FrameHead {
  readonly kind: FrameKind;
  /** Given by the backend in `welcome`; node IDs mean something only within their page. */
  readonly page: number;
  /** Counts frames of a page from 0, without gaps. */
  readonly sequence: number;
}

export type FrameKind = typeof EVENTS | typeof SNAPSHOT;

/** Goes on from the frame before it. */
export const EVENTS = 1;
/** Stands on its own: what came before it is no longer needed and must be forgotten. */
export const SNAPSHOT = 2;

export const HEAD_BYTES = 13;
/** The largest frame that is sent, and that a backend has to take. */
export const FRAME_BYTES_MAX = 8 * 1024 * 1024;

export function encodeFrame(head: FrameHead, body: Uint8Array): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(HEAD_BYTES + body.length);
  const view = new DataView(frame.buffer);
  view.setUint8(0, head.kind);
  view.setUint32(1, head.page);
  view.setUint32(5, Math.floor(head.sequence / 0x1_0000_0000));
  view.setUint32(9, head.sequence >>> 0);
  frame.set(body, HEAD_BYTES);
  return frame;
}

export function decodeFrame(frame: Uint8Array): { head: FrameHead; body: Uint8Array } | undefined {
  if (frame.length < HEAD_BYTES) return undefined;
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const kind = view.getUint8(0);
  if (kind !== EVENTS && kind !== SNAPSHOT) return undefined;
  const sequence = view.getUint32(5) * 0x1_0000_0000 + view.getUint32(9);
  return { head: { kind, page: view.getUint32(1), sequence }, body: frame.subarray(HEAD_BYTES) };
}
