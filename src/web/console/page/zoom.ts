import type { Zoom } from "../replay/port.ts";
import { button, element, setText } from "./element.ts";

const STEPS = [0.25, 0.33, 0.5, 0.67, 0.8, 0.9, 1, 1.1, 1.25, 1.5, 2];

/** The next step above or below a scale. */
export function step(scale: number, up: boolean): number {
  const near = 0.005;
  if (up) return STEPS.find((other) => other > scale + near) ?? STEPS[STEPS.length - 1]!;
  return [...STEPS].reverse().find((other) => other < scale - near) ?? STEPS[0]!;
}

/** Buttons for the size of the picture. */
export function zoomButtons(zoom: (zoom: Zoom) => void): { root: HTMLElement; scaled: (scale: number) => void } {
  let scale = 1;
  const shown = element("span", { class: "scale", role: "status", "aria-label": "Size" }, "100 %");
  const fit = button("Fit", () => choose("fit"), { "aria-pressed": "true", title: "As large as it fits" });
  const choose = (wanted: Zoom) => {
    fit.setAttribute("aria-pressed", `${wanted === "fit"}`);
    zoom(wanted);
  };
  const root = element("div", { class: "group", role: "group", "aria-label": "Size of the picture" },
    fit,
    button("\u2212", () => choose(step(scale, false)), { "aria-label": "Smaller" }),
    shown,
    button("+", () => choose(step(scale, true)), { "aria-label": "Larger" }),
  );
  return {
    root,
    scaled: (now) => {
      scale = now;
      setText(shown, `${Math.round(now * 100)} %`);
    },
  };
}
