import { button, element } from "./element.ts";

export interface Question {
  title: string;
  text: string;
  /** What the buttons say. */
  keep: string;
  act: string;
}

/** Asks before something that cannot be undone. Escape and the first button leave all as it is. */
export function askFirst({ title, text, keep, act }: Question, agreed: () => void): void {
  const close = () => dialog.close();
  const dialog = element("dialog", { "aria-labelledby": "confirm-title", class: "card" },
    element("h2", { id: "confirm-title" }, title),
    element("p", {}, text),
    element("div", { class: "choices" },
      button(keep, close, { autofocus: true }),
      button(act, () => {
        close();
        agreed();
      }, { class: "danger" }),
    ),
  );
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}
