import {
  DOMAIN_OFFER,
  PATHS,
  SUBPROTOCOL,
  type EndRequest,
  type GroupSettings,
  type Refusal,
  type SessionError,
  type StartReply,
  type StartRequest,
} from "../../shared/protocol.ts";
import { stringify } from "./json.ts";

/** The backend, as HTTP and as a socket. */
export interface Service {
  start: (request: StartRequest) => Promise<StartReply | Refusal>;
  end: (request: EndRequest) => void;
  settings: (group: number, site: string) => Promise<GroupSettings | undefined>;
  socket: () => WebSocket;
}

export function service(folder: string, hasCookieDomain: boolean): Service {
  const ask = (path: string, body: unknown, keepalive: boolean) =>
    fetch(folder + path, {
      method: "POST",
      credentials: "include",
      keepalive,
      headers: { "content-type": "application/json" },
      body: stringify(body),
    });
  const offers = hasCookieDomain ? [SUBPROTOCOL, DOMAIN_OFFER] : [SUBPROTOCOL];
  return {
    start: async (request) => {
      try {
        const answer = await ask(PATHS.start, request, false);
        const said = (await answer.json()) as Partial<StartReply & Refusal>;
        if (answer.ok && said.session) return { ...said, session: said.session };
        return { error: said.error ?? unreachable() };
      } catch {
        return { error: unreachable() };
      }
    },
    end: (request) => {
      ask(PATHS.end, request, true).catch(() => undefined);
    },
    settings: async (group, site) => {
      try {
        const answer = await fetch(`${folder}${PATHS.settings}?group=${group}&site=${site}`);
        return answer.ok ? ((await answer.json()) as GroupSettings) : undefined;
      } catch {
        return undefined;
      }
    },
    socket: () => new WebSocket(folder.replace(/^http/, "ws") + PATHS.socket, offers),
  };
}

function unreachable(): SessionError {
  return { code: "service", msg: "the cobrowse service cannot be reached" };
}
