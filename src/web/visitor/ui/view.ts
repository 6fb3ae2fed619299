import { records, type Session } from "../core/session.ts";

/** What the session bar says; nothing while there is no session. */
export interface BarView {
  key: string;
  text: string;
  state: "live" | "waiting" | "off";
  paused: boolean;
}

export function barView(session: Session): BarView | undefined {
  if (session.phase === "idle") return undefined;
  return {
    key: session.name?.key ?? "",
    text: statusText(session),
    state: records(session) ? "live" : session.state === "waiting" && session.linked ? "waiting" : "off",
    paused: session.paused,
  };
}

function statusText(session: Session): string {
  const { phase, linked, told, state, reason, shown, paused } = session;
  if (!told && phase !== "running") return "The session is starting…";
  if (!linked) return "Reconnecting…";
  if (paused) return "Paused: agents do not see this page";
  if (phase === "running" && !session.allowed) return "This page is not shown in the session";
  if (state === "suspended" && reason === "masks") return "This page cannot be shown safely";
  if (state === "suspended") return "The session is waiting for you";
  if (state === "waiting") return "Tell the agent this key";
  return shown ? `${watchers(session)} can see this page` : "The session shows another tab";
}

function watchers({ agents }: Session): string {
  const names = agents.agentlist.map((agent) => agent.name || agent.username).filter(Boolean);
  if (names.length) return names.join(", ");
  return agents.count === 1 ? "An agent" : `${agents.count} agents`;
}
