import {
  AGENTS_CLOSE,
  AGENTS_PATHS,
  type Account,
  type DeskMessage,
  type DeskRequest,
  type SessionView,
  type Wanted,
} from "../shared/agents.ts";
import { openLine } from "./link/line.ts";
import { account, isRefused, logOut } from "./link/login.ts";
import { wantedBy } from "./link/wanted.ts";
import { prepareSession, type PreparedSession } from "./open-session.ts";
import { createDesk } from "./page/desk.ts";
import { button, element } from "./page/element.ts";
import { loginPage } from "./page/login.ts";

/** Signs of life are told no more often. */
const ACTIVE_MS = 60_000;
const TITLE = "Cobrowse";
const LOGGED_OUT = "You were logged out.";

void begin();

async function begin(): Promise<void> {
  const found = await account();
  if (isRefused(found)) askForLogin(found.code === "login" ? "" : found.text);
  else work(found);
}

function askForLogin(why: string): void {
  document.title = TITLE;
  document.body.className = "";
  document.body.replaceChildren(loginPage(why, work));
}

/** From login to logout. */
function work(found: Account): void {
  let session: PreparedSession | undefined;
  let ready: PreparedSession | undefined;
  let told = -ACTIVE_MS;
  const name = element("span", { class: "quiet" }, found.display_name);
  const place = element("main", { class: "place", tabindex: "-1" });
  const empty = element("div", { class: "empty" },
    element("h2", {}, "No session open"),
    element("p", {}, "Choose one from the list, or enter the key that the visitor reads to you."),
  );

  const leave = () => {
    session?.close();
    session = undefined;
    history.replaceState(null, "", "/");
    document.body.classList.remove("in-session");
    desk.mark(undefined);
    place.append(empty);
    place.focus();
    prepare();
  };
  const over = (why: string) => {
    session?.close();
    line.close();
    stopListening();
    askForLogin(why);
  };
  const join = (wanted: Wanted) => {
    session?.close();
    document.body.classList.add("in-session");
    empty.remove();
    session = ready ?? prepare();
    ready = undefined;
    session.begin(wanted);
    place.focus();
  };
  /** A page for the next session, so that its picture need not be waited for. */
  const prepare = () => {
    ready = prepareSession({ join, leave, changed, loggedOut: () => over(LOGGED_OUT) });
    place.append(ready.root);
    return ready;
  };
  const changed = ({ id, key }: SessionView) => {
    desk.mark(id);
    history.replaceState(null, "", `/#${id}`);
    document.title = `${key} \u2013 ${TITLE}`;
  };

  const desk = createDesk(join);
  const line = openLine<DeskRequest, DeskMessage>(AGENTS_PATHS.desk, {
    open: () => desk.linked(true),
    broken: () => desk.linked(false),
    over: (code) => over(code === AGENTS_CLOSE.LOGIN ? LOGGED_OUT : "The server closed the connection. Log in again."),
    message: (message) => {
      if (message.type === "account") {
        desk.account(message.account);
        name.textContent = message.account.display_name;
      } else if (message.type === "sessions") {
        desk.sessions(message.sessions, message.more);
        const waiting = message.sessions.filter(({ state }) => state === "waiting").length;
        if (!session) document.title = waiting ? `(${waiting}) ${TITLE}` : TITLE;
      }
    },
  });

  // Whoever is at work stays logged in.
  const active = (event: Event) => {
    if (event.timeStamp - told < ACTIVE_MS) return;
    told = event.timeStamp;
    line.say({ type: "active" });
  };
  const stopListening = () => ["pointerdown", "keydown"].forEach((kind) => removeEventListener(kind, active, true));
  for (const kind of ["pointerdown", "keydown"]) addEventListener(kind, active, true);

  const exit = button("Log out", () => void logOut().then(() => over("You are logged out.")));
  desk.account(found);
  document.body.replaceChildren(
    element("header", { class: "top" },
      element("strong", {}, TITLE),
      button("Sessions", leave, { class: "back" }),
      element("span", { class: "room" }),
      name,
      exit,
    ),
    element("div", { class: "columns" }, desk.root, place),
  );
  place.append(empty);
  prepare();
  const wanted = wantedBy(location);
  if (wanted) join(wanted);
}
