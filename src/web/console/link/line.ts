import { AGENTS_SUBPROTOCOL } from "../../shared/agents.ts";
import { isLost, retryDelay, SILENCE_MS } from "./retry.ts";

/** A connection to the backend that is looked for until it is closed, here or there. */
export interface Line<Said> {
  say: (message: Said) => void;
  close: () => void;
}

export interface LineEvents<Heard> {
  open: () => void;
  message: (message: Heard) => void;
  frame?: (bytes: ArrayBuffer) => void;
  /** The connection broke; it is being looked for. */
  broken: () => void;
  /** The backend closed it for good. */
  over: (code: number) => void;
}

export function openLine<Said, Heard>(path: string, on: LineEvents<Heard>): Line<Said> {
  let socket: WebSocket | undefined;
  let closed = false;
  let attempt = 0;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let silence: ReturnType<typeof setTimeout> | undefined;

  const stop = () => {
    closed = true;
    clearTimeout(retry);
    clearTimeout(silence);
  };
  const heard = (made: WebSocket) => {
    clearTimeout(silence);
    silence = setTimeout(() => dropped(made, 1006), SILENCE_MS);
  };
  // A dead network does not tell when it closes: the socket is given up at once.
  const dropped = (made: WebSocket, code: number) => {
    if (closed || made !== socket) return;
    socket = undefined;
    clearTimeout(silence);
    made.close();
    if (!isLost(code)) {
      stop();
      return on.over(code);
    }
    on.broken();
    retry = setTimeout(open, retryDelay(attempt, Math.random()));
    attempt += 1;
  };

  const open = () => {
    const made = new WebSocket(socketUrl(path), AGENTS_SUBPROTOCOL);
    socket = made;
    heard(made);
    made.binaryType = "arraybuffer";
    made.onopen = () => on.open();
    made.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
      if (made !== socket) return;
      heard(made);
      attempt = 0;
      if (typeof data === "string") on.message(JSON.parse(data) as Heard);
      else on.frame?.(data);
    };
    made.onclose = ({ code }) => dropped(made, code);
  };

  open();
  return {
    say: (message) => {
      if (socket?.readyState === 1) socket.send(JSON.stringify(message));
    },
    close: () => {
      stop();
      socket?.close(1000);
      socket = undefined;
    },
  };
}

function socketUrl(path: string): string {
  const url = new URL(path, location.href);
  url.protocol = url.protocol.replace("http", "ws");
  return url.href;
}
