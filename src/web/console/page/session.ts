import type { Wanted, WatchRequest } from "../../shared/agents.ts";
import type { Tool, ToReplay } from "../replay/port.ts";
import type { Watch } from "../watch.ts";
import { notice, since, stateWord, visitorName } from "../words.ts";
import { askFirst } from "./ask-first.ts";
import { button, element, setText } from "./element.ts";
import { createMessages } from "./messages.ts";
import { zoomButtons } from "./zoom.ts";

/** A session that is open, with everything that an agent can do in it. */
export interface SessionPage {
  root: HTMLElement;
  render: (watch: Watch) => void;
  scaled: (scale: number) => void;
  /** The page said something to agents. */
  heard: (name: string, data: unknown) => void;
  denied: (action: string) => void;
}

export interface SessionParts {
  picture: HTMLElement;
  show: (message: ToReplay) => void;
  say: (message: WatchRequest) => void;
  join: (wanted: Wanted) => void;
  leave: () => void;
}

export function sessionPage({ picture, show, say, join, leave }: SessionParts): SessionPage {
  const facts = createFacts();
  const zoom = zoomButtons((wanted) => show({ type: "zoom", zoom: wanted }));
  const tools = createTools((tool) => show({ type: "tool", tool }));
  const messages = createMessages((name, data) => say({ type: "message", name, data }));
  messages.root.hidden = true;
  const talk = button("Messages", () => open(!!messages.root.hidden), { "aria-expanded": "false" });
  const open = (opened: boolean) => {
    messages.root.hidden = !opened;
    talk.setAttribute("aria-expanded", `${opened}`);
    setText(talk, "Messages");
  };
  const end = button("End session", () => askFirst(END, () => say({ type: "end" })), { class: "danger" });
  const exit = button("Leave", leave);
  const cover = createCover(join, leave);
  const bar = element("div", { class: "tools" }, tools.root, zoom.root, element("span", { class: "room" }), talk);
  const root = element("section", { class: "session-page", "aria-label": "Session" },
    element("header", {}, facts.root, element("div", { class: "choices" }, exit, end)),
    bar,
    element("div", { class: "stage" }, picture, cover.root),
    messages.root,
  );

  return {
    root,
    render: (watch) => {
      const isIn = watch.phase === "in";
      const may = isIn ? watch.session?.may : undefined;
      facts.render(watch);
      cover.render(watch);
      picture.toggleAttribute("inert", notice(watch) !== undefined);
      tools.allow(!!may?.point && !!may.view);
      messages.allow(!!may?.point);
      end.hidden = !may?.end;
      exit.hidden = watch.phase === "over";
      for (const part of [bar, talk]) part.hidden = !isIn;
      if (!isIn) open(false);
    },
    scaled: zoom.scaled,
    heard: (name, data) => {
      messages.heard(name, data);
      if (messages.root.hidden) setText(talk, "Messages \u2022");
    },
    denied: (action) => cover.tell(`You have no right to ${WORDS[action] ?? action} in this group.`),
  };
}

const END = {
  title: "End the session for everybody?",
  text: "The visitor and all agents are disconnected. To go on, the visitor has to start another session.",
  keep: "Go on",
  act: "End session",
};

const WORDS: Record<string, string> = { view: "see pages", point: "point", end: "end sessions" };

/** Who, where, in which group, and who else. */
function createFacts(): { root: HTMLElement; render: (watch: Watch) => void } {
  const title = element("h1", { tabindex: "-1" });
  const key = element("span", { class: "key" });
  const state = element("span", { class: "state", role: "status" });
  const about = element("p", { class: "quiet about" });
  const url = element("p", { class: "url" });
  return {
    root: element("div", { class: "facts" }, element("div", { class: "line" }, title, key, state), about, url),
    render: ({ session, wanted, linked, phase }) => {
      setText(title, session ? visitorName(session) : "Session");
      setText(key, session?.key ?? ("key" in wanted ? wanted.key : ""));
      key.hidden = !key.textContent;
      state.hidden = !session || phase === "over";
      state.dataset.state = linked ? (session?.state ?? "") : "";
      setText(state, session ? (linked ? stateWord(session) : "Reconnecting") : "");
      setText(about, session ? describe(session) : "");
      setText(url, session?.url ?? "");
      url.title = session?.url ?? "";
    },
  };
}

function describe({ group_name, group, agents, started, visitor }: NonNullable<Watch["session"]>): string {
  const contact = [visitor?.email, visitor?.phone, visitor?.id].filter((part) => part && part !== visitor?.name);
  const parts = [
    `${group_name} (${group})`,
    `started ${since(started, Date.now())}${started * 1_000 > Date.now() - 60_000 ? "" : " ago"}`,
    ...contact,
    `Agents: ${agents.join(", ") || "none"}`,
  ];
  return parts.join(" \u00b7 ");
}

/** One tool at a time, as a group of radio buttons would be. */
function createTools(choose: (tool: Tool) => void): { root: HTMLElement; allow: (allowed: boolean) => void } {
  const buttons = new Map<Tool, HTMLButtonElement>();
  const pick = (tool: Tool) => {
    buttons.forEach((press, other) => press.setAttribute("aria-pressed", `${other === tool}`));
    choose(tool);
  };
  const add = (tool: Tool, label: string, title: string) => {
    const press = button(label, () => pick(tool), { "aria-pressed": `${tool === "look"}`, title });
    buttons.set(tool, press);
    return press;
  };
  const root = element("div", { class: "group", role: "group", "aria-label": "What your pointer does" },
    add("look", "Look", "The visitor does not see your pointer"),
    add("point", "Point", "The visitor sees where you point"),
    add("highlight", "Highlight", "Click something to mark it for the visitor"),
  );
  let allowedNow = true;
  return {
    root,
    allow: (allowed) => {
      root.hidden = !allowed;
      if (!allowed && allowedNow) pick("look");
      allowedNow = allowed;
    },
  };
}

interface Cover {
  root: HTMLElement;
  render: (watch: Watch) => void;
  /** Says something for a while, before the picture. */
  tell: (text: string) => void;
}

/** What stands before the picture while there is none. */
function createCover(join: (wanted: Wanted) => void, leave: () => void): Cover {
  const title = element("h2");
  const text = element("p");
  const choices = element("div", { class: "choices" });
  const spinner = element("div", { class: "spinner", "aria-hidden": "true" });
  const root = element("div", { class: "cover", role: "status" }, spinner, title, text, choices);
  const hint = element("p", { class: "hint", role: "alert", hidden: true });
  let drawn = "";
  return {
    root: element("div", { class: "covers" }, root, hint),
    tell: (said) => {
      hint.hidden = false;
      setText(hint, said);
      setTimeout(() => (hint.hidden = true), 6_000);
    },
    render: (watch) => {
      const said = notice(watch);
      root.hidden = !said;
      root.classList.toggle("busy", !!said?.busy);
      setText(title, said?.title ?? "");
      setText(text, said?.text ?? "");
      const now = `${watch.phase} ${watch.groups.map(({ id }) => id).join()}`;
      if (now === drawn) return;
      drawn = now;
      choices.replaceChildren();
      const { wanted } = watch;
      if (watch.phase === "choosing" && "key" in wanted) {
        for (const { id, name } of watch.groups) {
          choices.append(button(`${name} (${id})`, () => join({ ...wanted, group: id })));
        }
      }
      if (watch.phase === "over") choices.append(button("Back to the sessions", leave, { class: "strong" }));
    },
  };
}
