import type { Account, SessionView, Wanted } from "../../shared/agents.ts";
import { parseKey } from "../link/wanted.ts";
import { since, stateWord, visitorName } from "../words.ts";
import { button, element, field, setText } from "./element.ts";

/** The list of the sessions of the agent's groups, and the field for a key. */
export interface Desk {
  root: HTMLElement;
  account: (account: Account) => void;
  sessions: (sessions: readonly SessionView[], more: number) => void;
  linked: (linked: boolean) => void;
  /** The session that is open. */
  mark: (id: string | undefined) => void;
}

interface Row {
  item: HTMLLIElement;
  press: HTMLButtonElement;
  who: HTMLElement;
  key: HTMLElement;
  group: HTMLElement;
  state: HTMLElement;
  session: SessionView;
}

const CLOCK_MS = 20_000;

export function createDesk(join: (wanted: Wanted) => void): Desk {
  const rows = new Map<string, Row>();
  const waiting = section("Waiting", "Nobody is waiting.");
  const others = section("In session", "No other sessions.");
  const more = element("p", { class: "quiet", hidden: true });
  const link = element("p", { class: "problem", hidden: true }, "Reconnecting to the server\u2026");
  const told = element("p", { class: "unseen", role: "status" });
  const groups = element("p", { class: "quiet groups" });
  let marked: string | undefined;
  let known: Set<string> | undefined;

  const make = (session: SessionView): Row => {
    const who = element("span", { class: "who" });
    const key = element("span", { class: "key" });
    const group = element("span", { class: "group" });
    const state = element("span", { class: "state" });
    const press = button("", () => join({ session: session.id }), { class: "session" });
    press.append(who, key, group, state);
    return { item: element("li", {}, press), press, who, key, group, state, session };
  };

  const draw = (row: Row) => {
    const { session, press } = row;
    setText(row.who, visitorName(session));
    setText(row.key, session.key);
    setText(row.group, session.group_name);
    const others = session.agents.length ? ` \u00b7 ${session.agents.join(", ")}` : "";
    setText(row.state, `${stateWord(session)} \u00b7 ${since(session.started, Date.now())}${others}`);
    press.dataset.state = session.state;
    if (session.id === marked) press.setAttribute("aria-current", "true");
    else press.removeAttribute("aria-current");
  };

  /** New ones are told to those who do not see them come. */
  const tell = (sessions: readonly SessionView[]) => {
    const fresh = sessions.filter(({ id, state }) => state === "waiting" && known && !known.has(id));
    known = new Set(sessions.map(({ id }) => id));
    const [first] = fresh;
    if (first) setText(told, `${visitorName(first)} is waiting in ${first.group_name}, key ${first.key}.`);
  };

  setInterval(() => rows.forEach(draw), CLOCK_MS);
  return {
    root: element("aside", { class: "desk", "aria-label": "Sessions" },
      keyForm(join), link, waiting.root, others.root, more, groups, told,
    ),
    account: ({ groups: all }) => {
      const names = all.map(({ name }) => name).join(", ");
      setText(groups, names ? `Your groups: ${names}` : "You are in no group yet: ask whoever gives out rights.");
    },
    sessions: (sessions, left) => {
      const there = new Set(sessions.map(({ id }) => id));
      for (const [id, row] of rows) {
        if (there.has(id)) continue;
        row.item.remove();
        rows.delete(id);
      }
      for (const session of sessions) {
        const row = rows.get(session.id) ?? make(session);
        rows.set(session.id, row);
        row.session = session;
        draw(row);
      }
      const isWaiting = ({ state }: SessionView) => state === "waiting" || state === "starting";
      waiting.fill(sessions.filter(isWaiting).map(({ id }) => rows.get(id)!.item));
      others.fill(sessions.filter((session) => !isWaiting(session)).map(({ id }) => rows.get(id)!.item));
      more.hidden = !left;
      setText(more, `${left} older sessions are not listed: join them by key.`);
      tell(sessions);
    },
    linked: (linked) => (link.hidden = linked),
    mark: (id) => {
      marked = id;
      rows.forEach(draw);
    },
  };
}

function section(title: string, nothing: string): { root: HTMLElement; fill: (items: HTMLLIElement[]) => void } {
  const count = element("span", { class: "count" }, "0");
  const list = element("ul");
  const none = element("p", { class: "quiet" }, nothing);
  return {
    root: element("section", {}, element("h2", {}, title, " ", count), none, list),
    fill: (items) => {
      setText(count, `${items.length}`);
      none.hidden = items.length > 0;
      arrange(list, items);
    },
  };
}

/** Puts items in order, and moves none that is in its place: the focus stays where it is. */
function arrange(list: HTMLElement, items: readonly HTMLElement[]): void {
  items.forEach((item, index) => {
    if (list.children[index] !== item) list.insertBefore(item, list.children[index] ?? null);
  });
}

function keyForm(join: (wanted: Wanted) => void): HTMLFormElement {
  const asTyped = { autocomplete: "off", spellcheck: "false", autocapitalize: "none" };
  const key = field("Session key", { name: "key", ...asTyped, "aria-describedby": "key-problem" });
  const wait = element("input", { type: "checkbox", name: "wait" });
  const problem = element("p", { class: "problem", id: "key-problem", role: "alert" });
  const form = element("form", { class: "by-key", "aria-label": "Join by key" },
    key.row,
    element("button", { type: "submit" }, "Join"),
    element("label", { class: "check" }, wait, "Wait until it starts"),
    problem,
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const wanted = parseKey(key.input.value);
    setText(problem, wanted ? "" : "A key has letters, digits, and . _ ~ - only.");
    if (!wanted) return key.input.focus();
    join({ key: wanted, ...(wait.checked ? { wait: true } : {}) });
    form.reset();
  });
  return form;
}
