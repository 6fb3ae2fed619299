import { AGENTS_PATHS, type SessionView, type Wanted, type WatchMessage, type WatchRequest } from "../shared/agents.ts";
import { openLine, type Line } from "./link/line.ts";
import { createPicture } from "./page/picture.ts";
import { sessionPage } from "./page/session.ts";
import type { FromReplay } from "./replay/port.ts";
import { next, watch as asking, type Happening, type Watch } from "./watch.ts";

/** The backend drops what is more than one a second. */
const SNAPSHOT_MS = 1_100;

/** A page for a session, whose picture is there before the session is. */
export interface PreparedSession {
  root: HTMLElement;
  begin: (wanted: Wanted) => void;
  close: () => void;
}

export interface SessionParts {
  join: (wanted: Wanted) => void;
  leave: () => void;
  loggedOut: () => void;
  changed: (session: SessionView) => void;
}

export function prepareSession({ join, leave, loggedOut, changed }: SessionParts): PreparedSession {
  let watch: Watch | undefined;
  let line: Line<WatchRequest> | undefined;
  let snapshot: ReturnType<typeof setTimeout> | undefined;
  let asked = 0;

  const say = (message: WatchRequest) => line?.say(message);
  const happen = (happening: Happening) => {
    if (!watch) return;
    const [after, effects] = next(watch, happening);
    watch = after;
    if (effects.includes("clear")) picture.say({ type: "clear" });
    page.render(watch);
    if (effects.includes("log in")) loggedOut();
  };

  const hear = (message: WatchMessage) => {
    if (message.type === "message") return page.heard(message.name, message.data);
    if (message.type === "denied") return page.denied(message.action);
    happen({ type: "heard", message });
    if ("session" in message) changed(message.session);
  };

  const fetchAnew = () => {
    if (snapshot !== undefined) return;
    const ask = () => {
      snapshot = undefined;
      asked = Date.now();
      say({ type: "snapshot" });
    };
    snapshot = setTimeout(ask, Math.max(0, asked + SNAPSHOT_MS - Date.now()));
  };

  const seen = (message: FromReplay) => {
    switch (message.type) {
      case "lost":
        return fetchAnew();
      case "drawn":
      case "unshowable":
        return happen({ type: message.type });
      case "scale":
        return page.scaled(message.scale);
      case "pointer":
      case "highlight":
        if (watch?.phase === "in" && watch.session?.may.point && message.page) say(message);
    }
  };

  const picture = createPicture(seen);
  const page = sessionPage({ picture: picture.root, show: picture.say, say, join, leave });
  page.root.hidden = true;
  return {
    root: page.root,
    begin: (wanted) => {
      watch = asking(wanted);
      page.render(watch);
      page.root.hidden = false;
      line = openLine<WatchRequest, WatchMessage>(AGENTS_PATHS.session, {
        open: () => {
          happen({ type: "linked" });
          say({ type: "join", ...(watch?.wanted ?? wanted) });
        },
        broken: () => happen({ type: "unlinked" }),
        over: (code) => happen({ type: "closed", code }),
        frame: (bytes) => picture.say({ type: "frame", bytes }),
        message: hear,
      });
    },
    close: () => {
      clearTimeout(snapshot);
      line?.close();
      picture.close();
      page.root.remove();
    },
  };
}
