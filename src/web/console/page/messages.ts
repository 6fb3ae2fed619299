import { MESSAGE_NAME_MAX } from "../../shared/agents.ts";
import { element, field } from "./element.ts";

/** Messages between agents and the visitor's page, which listens for them by name. */
export interface Messages {
  root: HTMLElement;
  heard: (name: string, data: unknown) => void;
  /** Without the right to point nothing may be said. */
  allow: (allowed: boolean) => void;
}

const KEPT_MAX = 200;
const TEXT_MAX = 4_000;

export function createMessages(send: (name: string, data: string) => void): Messages {
  const log = element("ol", { role: "log", "aria-label": "Messages", tabindex: "0" });
  const needed = { required: true, autocomplete: "off" };
  const name = field("Name", { name: "message-name", ...needed, maxlength: `${MESSAGE_NAME_MAX}`, value: "agent" });
  const text = field("Text", { name: "message-text", ...needed, maxlength: `${TEXT_MAX}` });
  const form = element("form", {}, name.row, text.row, element("button", { type: "submit" }, "Send"));
  const add = (who: string, called: string, said: string) => {
    log.append(element("li", {}, element("b", {}, `${who} \u00b7 ${called}`), " ", said));
    while (log.children.length > KEPT_MAX) log.firstElementChild?.remove();
    log.scrollTop = log.scrollHeight;
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const called = name.input.value.trim();
    if (!called) return name.input.focus();
    send(called, text.input.value);
    add("You", called, text.input.value);
    text.input.value = "";
  });
  return {
    root: element("section", { class: "messages", "aria-label": "Messages with the page" }, log, form),
    heard: (called, data) => {
      const said = typeof data === "string" ? data : JSON.stringify(data);
      add("Page", called, said.slice(0, TEXT_MAX));
    },
    allow: (allowed) => (form.hidden = !allowed),
  };
}
