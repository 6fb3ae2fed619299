import type { SessionView } from "../shared/agents.ts";
import type { Ending, Watch } from "./watch.ts";

/** What stands in the place of the picture. */
export interface Notice {
  title: string;
  text: string;
  /** Something is under way. */
  busy: boolean;
}

export function stateWord({ state, reason }: SessionView): string {
  if (state === "live") return "Live";
  if (state === "waiting") return "Waiting for an agent";
  if (state === "starting") return "Starting";
  return reason === "navigating" ? "Between pages" : "Suspended";
}

export function visitorName({ visitor }: SessionView): string {
  return visitor?.name || visitor?.email || visitor?.id || "Visitor";
}

/** "just now", "5 min", "2 h 10 min" since a time in seconds. */
export function since(started: number, now: number): string {
  const minutes = Math.max(0, Math.floor((now / 1_000 - started) / 60));
  if (minutes < 1) return "just now";
  if (minutes < 60) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Why there is no picture, in words for the agent; nothing where there is one. */
export function notice(watch: Watch): Notice | undefined {
  const { phase, linked, session, paused, drawn, ending } = watch;
  if (phase === "over") return { ...endings(ending ?? { why: "error" }), busy: false };
  if (phase === "choosing") return said("Which group?", "This key runs in several of your groups. Choose the one that the visitor is in.");
  if (!linked) return working("Reconnecting", "The connection to the server is lost. It is being looked for; you need not do anything.");
  if (phase === "waiting") return working("Waiting for the visitor", "No session with this key has started yet. It opens here by itself when it does.");
  if (phase === "joining" || !session) return working("Joining", "Asking for the session.");
  if (!session.may.view) return said("You may not see this group's pages", "You are in the session. Seeing pages needs the right to view in this group.");
  if (session.state === "suspended") return suspended(session);
  if (paused) return said("The visitor has paused sharing", paused.message ? `They say: ${paused.message}` : "The picture comes back when they go on.");
  if (drawn) return undefined;
  if (watch.unshowable) return said("This page cannot be shown", "It is too large, or its recording is broken. The picture comes back with the next page.");
  return working("Fetching the page", "The visitor's browser is sending a fresh picture.");
}

function suspended({ reason, group_name }: SessionView): Notice {
  switch (reason) {
    case "group":
      return said(
        "The visitor is on a page that this group may not see",
        `Nothing of it is shown to agents of ${group_name}. The session goes on; the picture comes back when they return to a page of the group.`,
      );
    case "masks":
      return said(
        "This page cannot be masked",
        "The visitor's browser could not make sure that private fields stay hidden, so nothing of the page is sent. The picture comes back on the next page.",
      );
    default:
      return working("The visitor is between two pages", "Or on a page without cobrowsing, or their network is gone for a moment. The picture comes back with the next page that has it.");
  }
}

function endings(ending: Ending): { title: string; text: string } {
  switch (ending.why) {
    case "visitor":
      return { title: "The visitor ended the session", text: "Nothing more is shown." };
    case "agent":
      return { title: "The session was ended", text: "You or another agent ended it for everybody." };
    case "refused":
      return { title: "You cannot join", text: sentence(ending.text) };
    case "forbidden":
      return { title: "You may no longer see this session", text: "Your right in its group was taken away. Ask whoever gives out rights." };
    case "limit":
      return { title: "Too many connections", text: "This login has too many sessions open, or sent too much. Close some and join again." };
    case "unreadable":
      return { title: "Something went wrong", text: "The server did not understand this console. Reload the page and join again." };
    case "error":
      return { title: "The session is over", text: errors[ending.error ?? ""] ?? "It came to an end." };
  }
}

const errors: Record<string, string> = {
  timeout: "The visitor did not come back in time.",
  maskingerror: "The visitor's browser could not make sure that private fields stay hidden.",
};

function sentence(text: string): string {
  return text ? `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}` : "";
}

function said(title: string, text: string): Notice {
  return { title, text, busy: false };
}

function working(title: string, text: string): Notice {
  return { title, text, busy: true };
}
