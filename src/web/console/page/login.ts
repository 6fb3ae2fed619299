import type { Account } from "../../shared/agents.ts";
import { isRefused, logIn } from "../link/login.ts";
import { element, field, setText } from "./element.ts";

/** The form for name and password. `why`: what happened to the login that was there. */
export function loginPage(why: string, done: (account: Account) => void): HTMLElement {
  const asTyped = { required: true, spellcheck: "false", autocapitalize: "none" };
  const name = field("Name", { name: "name", autocomplete: "username", ...asTyped });
  const password = field("Password", { name: "password", type: "password", autocomplete: "current-password", ...asTyped });
  const problem = element("p", { class: "problem", role: "alert" });
  const enter = element("button", { class: "strong", type: "submit" }, "Log in");
  const form = element("form", { class: "card", "aria-labelledby": "login-title" },
    element("h1", { id: "login-title" }, "Cobrowse"),
    element("p", { class: "quiet" }, why || "Log in to see and join your visitors' sessions."),
    name.row,
    password.row,
    problem,
    enter,
  );

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (enter.disabled) return;
    enter.disabled = true;
    setText(problem, "");
    const answer = await logIn({ name: name.input.value.trim(), password: password.input.value });
    enter.disabled = false;
    if (!isRefused(answer)) return done(answer);
    const wait = answer.retry_after ? ` Try again in ${answer.retry_after} seconds.` : "";
    setText(problem, `${WORDS[answer.code] ?? answer.text}${wait}`);
    password.input.value = "";
    password.input.focus();
  });
  queueMicrotask(() => name.input.focus());
  return element("main", { class: "login" }, form);
}

const WORDS: Record<string, string> = {
  credentials: "Name or password is wrong.",
  rate: "Too many attempts.",
};
