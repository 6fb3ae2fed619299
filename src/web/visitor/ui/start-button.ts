import { button } from "./element.ts";

export interface StartButton {
  show: (shown: boolean) => void;
  shown: () => boolean;
  label: (text: string | undefined, color: string | undefined) => void;
}

export function createStartButton(root: ShadowRoot, press: () => void): StartButton {
  const made = button("glance_cobrowse_btn", "Show this page to an agent", press);
  made.className = "strong not_in_session";
  made.hidden = true;
  root.appendChild(made);
  return {
    show: (shown) => {
      made.hidden = !shown;
    },
    shown: () => !made.hidden,
    label: (text, color) => {
      if (text) made.textContent = text;
      if (color && /^#[0-9a-f]{6}$/i.test(color)) made.style.setProperty("--color", color);
    },
  };
}
