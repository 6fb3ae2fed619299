import { TEXT_BYTES_MAX, type BackendMessage, type VisitorMessage } from "../../shared/protocol.ts";
import { guarded } from "../guard.ts";
import { stringify } from "./json.ts";
import { createPace, type Pace } from "./pace.ts";
import { afterClose, PATIENCE_MS, retryDelay, SILENCE_MS } from "./retry.ts";

/** The connection to the backend, kept up until it is closed. */
export interface Link {
  /**
   * `false`: not said, there were too many. What is not the page's own then waits; of what says how
   * things stand, the last one counts.
   */
  say: (message: VisitorMessage) => boolean;
  send: (frame: Uint8Array<ArrayBuffer>) => void;
  /** Bytes that wait to be sent. */
  waiting: () => number;
  close: (code: number) => void;
}

export interface LinkEvents {
  open: () => void;
  message: (message: BackendMessage) => void;
  /** The connection broke; it is being looked for. */
  broken: () => void;
  /** There will be no connection. */
  over: (why: "lost" | "gone" | "replaced") => void;
}

export function openLink(connect: () => WebSocket, on: LinkEvents): Link {
  let socket: WebSocket | undefined;
  let closed = false;
  let attempt = 0;
  let brokenSince = Date.now();
  let retry: ReturnType<typeof setTimeout> | undefined;
  let silence: ReturnType<typeof setTimeout> | undefined;
  let pace: Pace = createPace(Date.now);
  let unsaid: ReturnType<typeof setTimeout> | undefined;
  const late = new Map<string, VisitorMessage>();

  const finish = (why: "lost" | "gone" | "replaced") => {
    if (closed) return;
    stop();
    on.over(why);
  };

  const stop = () => {
    closed = true;
    clearTimeout(retry);
    clearTimeout(silence);
    clearTimeout(unsaid);
  };

  const heard = () => {
    clearTimeout(silence);
    silence = setTimeout(() => socket?.close(), SILENCE_MS);
  };

  const dropped = (code: number) => {
    if (closed) return;
    clearTimeout(silence);
    const then = afterClose(code);
    if (then !== "retry") return finish(then === "over" ? "gone" : "replaced");
    if (socket) on.broken();
    if (socket) brokenSince = Date.now();
    socket = undefined;
    if (Date.now() - brokenSince > PATIENCE_MS) return finish("lost");
    retry = setTimeout(guarded(open), retryDelay(attempt, Math.random()));
    attempt += 1;
  };

  const open = () => {
    let made: WebSocket;
    try {
      made = connect();
    } catch {
      return finish("lost"); // forbidden by the page's policy: trying again cannot help
    }
    made.binaryType = "arraybuffer";
    made.onopen = guarded(() => {
      socket = made;
      pace = createPace(Date.now);
      late.clear();
      heard();
      on.open();
    });
    made.onmessage = guarded((event: MessageEvent) => {
      if (made !== socket || typeof event.data !== "string") return;
      heard();
      attempt = 0;
      on.message(JSON.parse(event.data) as BackendMessage);
    });
    made.onclose = guarded((event: CloseEvent) => dropped(event.code));
  };

  open();
  const isOpen = () => socket?.readyState === 1;

  const say = (message: VisitorMessage): boolean => {
    if (!isOpen()) return true; // how things stand is said anew on the next socket
    const text = stringify(message);
    // Three bytes a character at most; longer ones would end the session.
    if (text.length > TEXT_BYTES_MAX / 3 && new TextEncoder().encode(text).length > TEXT_BYTES_MAX) return false;
    const key = message.type === "frame" ? `frame ${message.frame}` : message.type;
    if (!late.size && pace.take()) {
      socket?.send(text);
      return true;
    }
    if (message.type === "message") return false;
    late.set(key, message);
    unsaid ??= setTimeout(guarded(sayLate), pace.wait());
    return false;
  };

  const sayLate = () => {
    unsaid = undefined;
    const waiting = [...late.values()];
    late.clear();
    for (const message of waiting) say(message);
  };

  return {
    say,
    send: (frame) => isOpen() && socket?.send(frame),
    waiting: () => socket?.bufferedAmount ?? 0,
    close: (code) => {
      stop();
      socket?.close(code);
    },
  };
}
